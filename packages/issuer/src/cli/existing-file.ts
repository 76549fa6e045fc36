import { access } from "node:fs/promises";
import { CommandError, EXIT } from "./outcome.ts";

/** @param next What to do when there is none. @throws CommandError FILE_MISSING */
export async function requireFile(file: string, next: string): Promise<void> {
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere)
    throw new CommandError({
      code: "FILE_MISSING",
      sentence: `There is no file ${file}.`,
      next,
      exitCode: EXIT.usage,
    });
}
