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

export function toldToStop(): Promise<void> {
  return new Promise((resolve) => {
    process.once("SIGINT", () => resolve());
    process.once("SIGTERM", () => resolve());
  });
}
