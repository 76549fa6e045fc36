import { readFileSync, writeFileSync } from "node:fs";
import type { Explored } from "./breadth-first.ts";
import type { SmallWorld } from "./world.ts";

/** The page whose tables say how many states each world has. */
const PAGE = new URL("../../docs/security/small-worlds.md", import.meta.url);
export type Size = "short" | "long";
export type Counted = Pick<SmallWorld, "name" | "about"> & Pick<Explored, "states" | "transitions" | "depth">;

/** One line of a table: the figures do not depend on the machine, so they can be compared exactly. */
export function rowOf({ name, about, states, transitions, depth }: Counted): string {
  const [many, steps] = [states, transitions].map((number) => number.toLocaleString("en"));
  return `| ${name} | ${about} | ${many} | ${steps} | ${depth} |`;
}

const marksOf = (size: Size): readonly [string, string] => [`<!-- ${size} -->\n`, `<!-- /${size} -->`];

/** The lines of a size's table, without its head. */
export function rowsOnPage(size: Size): readonly string[] {
  const [begin, end] = marksOf(size);
  const table = readFileSync(PAGE, "utf8").split(begin)[1]?.split(end)[0] ?? "";
  return table.trim().split("\n").slice(2);
}

export function writePage(size: Size, counted: readonly Counted[]): void {
  const [begin, end] = marksOf(size);
  const page = readFileSync(PAGE, "utf8");
  const [before, rest = ""] = page.split(begin);
  const after = rest.split(end)[1] ?? "";
  const head = "| world | what happens in it | states | steps | deepest |\n| --- | --- | --- | --- | --- |";
  writeFileSync(PAGE, `${before}${begin}${head}\n${counted.map(rowOf).join("\n")}\n${end}${after}`);
}
