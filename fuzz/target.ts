/** One thing that takes bytes from outside, and what must hold whatever they are. */
export type Target = {
  readonly name: string;
  /** Inputs to begin with: valid ones and almost valid ones. */
  readonly seeds: readonly Uint8Array[];
  /** How inputs are built: decides which changes are tried most. */
  readonly shape: "cbor" | "text" | "bytes";
  /** Throws {@link Broken}, or anything else, when the input shows a defect. */
  run(input: Uint8Array): void | Promise<void>;
  close?(): Promise<void>;
};

/** A promise of the target does not hold for the input. */
export class Broken extends Error {}

export function mustHold(holds: boolean, sentence: string): void {
  if (!holds) throw new Broken(sentence);
}

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
/** Text of an input; what is no UTF-8 becomes U+FFFD. */
export const textOf = (input: Uint8Array): string => decoder.decode(input);
export const bytesOf = (text: string): Uint8Array => new TextEncoder().encode(text);
