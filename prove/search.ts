import type { Machine } from "./machine.ts";

/** The lines of "What may never happen" (docs/spec/promises.md), in few words. */
export const PROMISES = {
  1: "money made or lost",
  2: "settled twice, or accepted and never settled",
  3: "an honest payer blamed",
  4: "more than consented, or another payee",
  5: "loss above the bound, or without proof",
  6: "accepted there, refused here",
  7: "bytes past the decoder; crash, loop, blow-up",
} as const;
export type PromiseNumber = keyof typeof PROMISES;

export type Outcome = {
  /** How much was searched, in the search's own unit. */
  readonly searched: number;
  readonly unit: string;
  /** What a reader of the figures must know besides. */
  readonly note?: string;
  /** What was found; empty when every promise held. */
  readonly found: readonly string[];
};
export type Length = "short" | "long";
export type Search = {
  readonly name: string;
  readonly method: string;
  /** Which promises it looks at. */
  readonly promises: readonly PromiseNumber[];
  /** Of a processor, roughly, in the short form: the longest begin first, so that no core is left with one alone. */
  readonly shortSeconds: number;
  run(length: Length): Promise<Outcome>;
};
/** One search, done: when it ended, and on which machine. */
export type Done = {
  readonly search: Search;
  readonly outcome: Outcome;
  readonly seconds: number;
  readonly machine: Machine;
};
