import { existsSync, readFileSync, writeFileSync } from "node:fs";
import type { Machine } from "./machine.ts";
import type { Done, Length, Outcome, Search } from "./search.ts";

type Line = {
  readonly search: string;
  readonly length: Length;
  readonly outcome: Outcome;
  readonly seconds: number;
  readonly machine: Machine;
};

/** What searches came to, in a file: a run that was broken off, or is made in parts, goes on from there. */
export class Kept {
  readonly #file: string | undefined;
  readonly #length: Length;

  constructor(file: string | undefined, length: Length) {
    this.#file = file;
    this.#length = length;
  }

  /** Only what held: what found something is searched again. */
  of(search: Search): Done | undefined {
    const line = this.#lines().find(
      ({ search: name, length, outcome }) =>
        name === search.name && length === this.#length && outcome.found.length === 0,
    );
    return line === undefined
      ? undefined
      : { search, outcome: line.outcome, seconds: line.seconds, machine: line.machine };
  }

  keep({ search, outcome, seconds, machine }: Done): void {
    if (this.#file === undefined) return;
    const others = this.#lines().filter((line) => line.search !== search.name || line.length !== this.#length);
    const lines: Line[] = [...others, { search: search.name, length: this.#length, outcome, seconds, machine }];
    writeFileSync(this.#file, `${JSON.stringify(lines, undefined, 2)}\n`);
  }

  #lines(): readonly Line[] {
    if (this.#file === undefined || !existsSync(this.#file)) return [];
    return JSON.parse(readFileSync(this.#file, "utf8"));
  }
}
