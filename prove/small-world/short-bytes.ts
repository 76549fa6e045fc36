import type { Target } from "../../fuzz/target.ts";
import { decoderTargets } from "../../fuzz/targets/decoders.ts";

/**
 * The small world of bytes: every input of a kind, not a sample of them. What must hold of a decoder is what fuzzing asks
 * of it (fuzz/targets): an answer that is written back alike, or a coded refusal.
 */
export type ByteSearch = {
  readonly name: string;
  readonly about: string;
  readonly target: Target;
  inputs(): Iterable<Uint8Array>;
};

/** Heads of every CBOR type in every length, minimal and not, and what only looks like one. */
const CBOR_HEADS = [
  ...[0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x20, 0x37, 0x38, 0x40, 0x41, 0x42, 0x58, 0x5f, 0x60, 0x61, 0x78],
  ...[0x80, 0x81, 0x82, 0x98, 0x9f, 0xa0, 0xa1, 0xa2, 0xb8, 0xbf, 0xc0, 0xd2, 0xd8, 0xe0, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8],
  ...[0xf9, 0xfb, 0xff],
];
const EVERY_BYTE = Array.from({ length: 256 }, (_, byte) => byte);
/** One of each class of UTF-8: ASCII, continuations at their bounds, leads of two, three and four bytes, never valid ones. */
const UTF8_CLASSES = [0x00, 0x41, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1].concat([
  0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5, 0xff,
]);
const BASE45 = [..."0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:", "a", "~"].map((letter) => letter.charCodeAt(0));

/** Every string over an alphabet up to a length. The buffer is used again: nobody may keep it. */
export function* everyString(alphabet: readonly number[], longest: number): Generator<Uint8Array> {
  for (let length = 0; length <= longest; length++) {
    const digits = new Array<number>(length).fill(0);
    for (let more = true; more; ) {
      yield Uint8Array.from(digits, (digit) => alphabet[digit] ?? 0);
      more = false;
      for (let at = length - 1; at >= 0 && !more; at--) {
        const digit = (digits[at] ?? 0) + 1;
        digits[at] = digit % alphabet.length;
        more = digit < alphabet.length;
      }
    }
  }
}

/** Everything one change away: each byte replaced by each other, left out, and each byte put in at each place; each end cut off. */
export function* everyNeighbour(bytes: Uint8Array, step: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at++) {
    yield bytes.slice(0, at);
    yield Uint8Array.from([...bytes.subarray(0, at), ...bytes.subarray(at + 1)]);
    for (let byte = at % step; byte < 256; byte += step) {
      const changed = bytes.slice();
      changed[at] = byte;
      yield changed;
      yield Uint8Array.from([...bytes.subarray(0, at), byte, ...bytes.subarray(at)]);
    }
  }
}

function targetOf(name: string): Target {
  const target = decoderTargets.find((one) => one.name === name);
  if (target === undefined) throw new Error(`There is no fuzz target ${name}.`);
  return target;
}

export function byteSearches(length: "short" | "long"): readonly ByteSearch[] {
  const isLong = length === "long";
  const strings = (name: string, alphabet: readonly number[], longest: number, of: string): ByteSearch => ({
    name,
    about: `every string of up to ${longest} ${of}`,
    target: targetOf(name),
    inputs: () => everyString(alphabet, longest),
  });
  // In the short form every 16th byte, another 16th at each place.
  const step = isLong ? 1 : 16;
  return [
    strings("cbor", EVERY_BYTE, isLong ? 3 : 2, "bytes"),
    strings("cbor", CBOR_HEADS, isLong ? 4 : 3, `of ${CBOR_HEADS.length} heads`),
    strings("key", EVERY_BYTE, 2, "bytes"),
    strings("utf8", EVERY_BYTE, isLong ? 3 : 2, "bytes"),
    strings("utf8", UTF8_CLASSES, 4, `of ${UTF8_CLASSES.length} classes of bytes`),
    strings("base45", BASE45, isLong ? 4 : 3, "characters"),
    strings("inflate", EVERY_BYTE, 2, "bytes"),
    ...decoderTargets
      .filter(({ name }) => name.startsWith("message-"))
      .map((target): ByteSearch => {
        const [sample] = target.seeds;
        if (sample === undefined) throw new Error(`${target.name} has no sample.`);
        return {
          name: target.name,
          about: `a valid one, one change away${isLong ? "" : ", every 16th byte"}`,
          target,
          inputs: () => everyNeighbour(sample, step),
        };
      }),
  ];
}
