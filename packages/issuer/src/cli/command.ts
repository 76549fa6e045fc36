import { type Command, InvalidArgumentError } from "commander";
import { makePrinter, type Printer } from "./printer.ts";

export { CommandError, EXIT } from "./outcome.ts";
export { counted, type Printer, table } from "./printer.ts";

/** What an action is given: its words to people, its options, its arguments. */
export type Run<Options> = (printer: Printer, options: Options, ...args: string[]) => Promise<void>;

/**
 * Adds a command with `--json` and one way to end: whatever goes wrong becomes a code and a sentence, on standard error
 * or as JSON, and an exit code. No stack trace ever reaches a person.
 */
export function addCommand<Options extends object>(
  parent: Command,
  usage: string,
  about: string,
  configure: (command: Command) => Command,
  run: Run<Options>,
): void {
  const command = parent.command(usage).description(about).option("--json", "print one JSON value and nothing else");
  configure(command).action(async (...all: unknown[]) => {
    const options = command.opts<Options & { json?: boolean }>();
    const printer = makePrinter({ json: options.json === true });
    const args = all.slice(0, -2).filter((argument): argument is string => typeof argument === "string");
    try {
      await run(printer, options, ...args);
    } catch (error) {
      process.exitCode = printer.failure(error).exitCode;
    }
  });
}

/** For options that are whole numbers from `least` on. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d{1,15}$/.test(text) || value < least)
      throw new InvalidArgumentError(`It must be a whole number from ${least} on.`);
    return value;
  };
}
