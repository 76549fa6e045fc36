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
  assert.equal(decodeUtf8(hex("41e282ac42"), 1, 4), "\u20ac");
  assert.equal(decodeUtf8(hex("41e282ac42"), 1, 3), undefined);
});
