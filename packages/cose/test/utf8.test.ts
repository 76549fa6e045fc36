import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeUtf8, encodeUtf8 } from "../src/utf8.ts";
import { hex } from "./bytes.ts";

const strict = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function strictly(bytes: Uint8Array): string | undefined {
  try {
    return strict.decode(bytes);
  } catch {
    return undefined;
  }
}

test("every one- and two-byte input, and every three-byte lead, is judged as the platform judges it", () => {
  for (let first = 0; first < 256; first += 1) {
    for (let second = 0; second < 256; second += 1) {
      for (const bytes of [
        [first],
        [first, second],
        [first, second, 0x80],
        [first, second, 0xbf, 0x80],
        [first, second, 0x80, 0xc0],
      ]) {
        const input = Uint8Array.from(bytes);
        assert.equal(decodeUtf8(input, 0, input.length), strictly(input), bytes.join());
      }
    }
  }
});

/** Bytes where something begins or ends: characters of each length, halves of pairs, the highest character. */
const LEADS = [
  0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xe1, 0xec, 0xed, 0xee, 0xef, 0xf0, 0xf1, 0xf3, 0xf4, 0xf5,
];
const FOLLOWERS = [0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xff];

test("whatever stands behind a lead at the borders of every length is judged as the platform judges it", () => {
  for (const lead of LEADS)
    for (const second of FOLLOWERS)
      for (const third of FOLLOWERS)
        for (const fourth of FOLLOWERS) {
          const input = Uint8Array.of(lead, second, third, fourth);
          assert.equal(decodeUtf8(input, 0, 4), strictly(input), input.join());
          // What stands before and behind the part that is asked for is none of it.
          for (const end of [2, 3])
            assert.equal(decodeUtf8(input, 0, end), strictly(input.subarray(0, end)), `${input.join()} to ${end}`);
          assert.equal(decodeUtf8(input, 1, 4), strictly(input.subarray(1)), `${input.join()} from 1`);
        }
});

test("characters at the borders of every length, and halves of pairs, are encoded as the platform encodes them", () => {
  const units = [0x00, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0xe000, 0xffff];
  for (const first of units)
    for (const second of units)
      for (const third of units) {
        const text = String.fromCharCode(first, second, third);
        const encoded = encodeUtf8(text);
        assert.deepEqual(encoded, text.isWellFormed() ? new TextEncoder().encode(text) : undefined);
        if (encoded !== undefined) assert.equal(decodeUtf8(encoded, 0, encoded.length), text);
      }
});

test("random bytes are judged as the platform judges them", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => {
      assert.equal(decodeUtf8(bytes, 0, bytes.length), strictly(bytes));
    }),
    { numRuns: 2_000 },
  );
});

test("text is encoded as the platform encodes it, and half a surrogate pair not at all", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 12 }), (units) => {
      const text = String.fromCharCode(...units);
      assert.deepEqual(encodeUtf8(text), text.isWellFormed() ? new TextEncoder().encode(text) : undefined);
    }),
    { numRuns: 2_000 },
  );
});

test("long text keeps its pairs across chunks, and a byte order mark is text", () => {
  const text = `\ufeffa${"\u{1f600}".repeat(10_000)}`;
  const bytes = new TextEncoder().encode(text);
  assert.equal(decodeUtf8(bytes, 0, bytes.length), text);
  // Longer than any engine takes arguments.
  const longer = "a".repeat(1_000_000);
  assert.equal(decodeUtf8(new TextEncoder().encode(longer), 0, longer.length), longer);
  assert.equal(decodeUtf8(hex("41e282ac42"), 1, 4), "\u20ac");
  assert.equal(decodeUtf8(hex("41e282ac42"), 1, 3), undefined);
});
