import type { Random } from "./random.ts";

/** Bytes at which parsers break: borders of CBOR heads, of UTF-8, of signed and unsigned integers. */
const BORDERS = [0x00, 0x01, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1f, 0x20, 0x40, 0x58, 0x59, 0x5f, 0x60, 0x7f, 0x80, 0x9f];
const MORE_BORDERS = [0xa0, 0xbf, 0xc0, 0xd2, 0xd8, 0xe0, 0xed, 0xf4, 0xf6, 0xf7, 0xf8, 0xf9, 0xfb, 0xfe, 0xff];
const INTERESTING = [...BORDERS, ...MORE_BORDERS];

/** One change without any idea of the format. `other` is another input, to be spliced in. */
export function mutateBytes(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const at = random.below(bytes.length + 1);
  const length = 1 + random.below(1 + random.below(Math.min(32, bytes.length + 1)));
  const before = bytes.subarray(0, at);
  const after = bytes.subarray(at);
  switch (random.below(9)) {
    case 0:
      return withByte(bytes, at, (byte) => byte ^ (1 << random.below(8)));
    case 1:
      return withByte(bytes, at, () => random.pick(INTERESTING));
    case 2:
      return withByte(bytes, at, (byte) => byte + 1 + random.below(4) - 2);
    case 3:
      return join(before, random.bytes(length), after);
    case 4:
      return join(before, after.subarray(length));
    case 5:
      return join(before, after.subarray(0, length), after);
    case 6:
      return join(before, other.subarray(random.below(other.length + 1)));
    case 7: {
      const from = random.below(other.length + 1);
      return join(before, other.subarray(from, from + length), after);
    }
    default:
      return bytes.slice(0, at);
  }
}

function withByte(bytes: Uint8Array, at: number, change: (byte: number) => number): Uint8Array {
  const copy = bytes.slice();
  if (copy.length > 0) copy[at % copy.length] = change(copy[at % copy.length] ?? 0);
  return copy;
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}
