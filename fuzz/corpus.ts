import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The inputs kept for a target: one a line in hexadecimal, sorted, so that a change of the corpus can be read. Each one
 * reached something that no other one did when it was found.
 */
const fileOf = (target: string): string => fileURLToPath(new URL(`./corpus/${target}.txt`, import.meta.url));

export function readCorpus(target: string): Uint8Array[] {
  const file = fileOf(target);
  if (!existsSync(file)) return [];
  const lines = readFileSync(file, "utf8").split("\n");
  return lines.filter((line) => line !== "").map((line) => Uint8Array.from(Buffer.from(line, "hex")));
}

export function writeCorpus(target: string, inputs: readonly Uint8Array[]): void {
  const lines = new Set(inputs.filter(({ length }) => length > 0).map((input) => Buffer.from(input).toString("hex")));
  writeFileSync(fileOf(target), `${[...lines].toSorted().join("\n")}\n`);
}
