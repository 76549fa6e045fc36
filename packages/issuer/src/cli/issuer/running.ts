import type { LogLevel } from "../../options.ts";
import { CommandError, EXIT } from "../outcome.ts";

/** What the commands that run until they are told to stop have in common. */

export const LOG_LEVELS: readonly LogLevel[] = ["fatal", "error", "warn", "info", "debug", "trace", "silent"];

/** @throws CommandError LOG_LEVEL_UNKNOWN */
export function checkLogLevel(level: LogLevel): void {
  if (LOG_LEVELS.includes(level)) return;
  throw new CommandError({
    code: "LOG_LEVEL_UNKNOWN",
    sentence: `There is no log level ${level}.`,
    next: `Use one of ${LOG_LEVELS.join(", ")}.`,
    exitCode: EXIT.usage,
  });
}

/**
 * Resolves once the process is told to stop. Asked for before the command says its first word: who waits for that
 * word may tell it to stop at once, and a process that does not listen yet would be ended in the midst of its work.
 */
export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
