import type { Random } from "./random.ts";
import { bytesOf, textOf } from "./target.ts";

/** What texts of the protocol, JSON bodies and paths are made of. */
const WORDS = [
  ...["CAIRN:1", "R", "P", "C", "+", "-", ":", ",", ".", "/", "\\", '"', "'", "{", "}", "[", "]", "null", "true", "0"],
  ...["-1", "1e999", "9007199254740993", "1.5", "00", " ", "\u0000", "\n", "é", "e\u0301", "\ud83d\ude00", "\ufeff"],
  ...[
    "__proto__",
    "constructor",
    "toString",
    "%00",
    "%2e%2e",
    "%",
    "?",
    "&",
    "=",
    "#",
    "EUR",
    "XXX",
    "SHOP-1",
    "minor",
  ],
];

/** A change of whole words: tokens are dropped, repeated, swapped and replaced. */
export function mutateText(bytes: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const tokens = tokensOf(textOf(bytes));
  const at = random.below(tokens.length + 1);
  switch (random.below(6)) {
    case 0:
      return write(tokens.toSpliced(at, 1));
    case 1:
      return write(tokens.toSpliced(at, 0, random.pick(WORDS)));
    case 2:
      return write(tokens.toSpliced(at, 1, random.pick(WORDS)));
    case 3:
      return write(tokens.toSpliced(at, 0, ...tokens.slice(at, at + 1 + random.below(6))));
    case 4: {
      const others = tokensOf(textOf(other));
      const from = random.below(others.length + 1);
      return write(tokens.toSpliced(at, random.below(3), ...others.slice(from, from + 1 + random.below(6))));
    }
    default:
      return write(tokens.map((token, index) => (index === at ? otherCase(token) : token)));
  }
}

const tokensOf = (text: string): string[] => text.match(/[\p{L}\p{N}]+|[^\p{L}\p{N}]/gu) ?? [];
const write = (tokens: readonly string[]): Uint8Array => bytesOf(tokens.join(""));
const otherCase = (token: string): string =>
  token === token.toUpperCase() ? token.toLowerCase() : token.toUpperCase();
