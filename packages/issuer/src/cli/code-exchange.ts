import { readFile, writeFile } from "node:fs/promises";
import { text as readAll } from "node:stream/consumers";
import type { Command } from "commander";
import { drawCode, readCodeImage, writeCodeImage } from "../codes/code-image.ts";
import { CommandError, EXIT } from "./outcome.ts";
import type { Printer } from "./printer.ts";

/** How a code comes in: as an argument, as a picture, or on standard input with "-". */
export type CodeSource = { readonly image?: string };
/** How a code goes out besides its text: as a PNG file, drawn in the window. */
export type CodeTarget = { readonly png?: string; readonly qr?: boolean };

export function withCodeSource(command: Command): Command {
  return command.option("--image <file>", "read the code from a picture (PNG or JPEG)");
}

export function withCodeTarget(command: Command): Command {
  return command.option("--png <file>", "write the code as a picture").option("--qr", "draw the code in this window");
}

/** @throws CommandError CODE_MISSING; CodeImageError; file errors. */
export async function receiveCode(argument: string | undefined, source: CodeSource): Promise<string> {
  if (source.image !== undefined) return readCodeImage(await readFile(source.image));
  if (argument === "-") return (await readAll(process.stdin)).trim();
  if (argument !== undefined) return argument;
  throw new CommandError({
    code: "CODE_MISSING",
    sentence: "There is no code to work on.",
    next: 'Give its text (CAIRN:1…), "-" to read it from standard input, or --image FILE for a picture of it.',
    exitCode: EXIT.usage,
  });
}

/** Writes the PNG when asked for, draws or prints the code for people, and gives what belongs into the JSON result. */
export async function showCode(
  code: string,
  target: CodeTarget,
  printer: Printer,
): Promise<{ code: string; png?: string }> {
  if (target.png !== undefined) await writeFile(target.png, writeCodeImage(code));
  if (target.qr === true) printer.line(drawCode(code));
  if (target.png !== undefined) printer.line(`Code picture: ${target.png}`);
  if (target.png === undefined && target.qr !== true) printer.line(code);
  return target.png === undefined ? { code } : { code, png: target.png };
}
