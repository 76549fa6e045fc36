import assert from "node:assert/strict";
import { test } from "node:test";
import { copyOfBytes, cutBytesFromSlabs, newBytes, putWord, Scratch, wordAt } from "@cairn/cose";

const LENGTHS = [0, 1, 64, 65, 300, 4_096, 4_097, 100_000];

/** The same for arrays of their own and for those that are cut from slabs. */
function behaves(): void {
  const made = LENGTHS.flatMap((length) => Array.from({ length: 30 }, () => newBytes(length)));
  for (const bytes of made) assert.ok(bytes.every((byte) => byte === 0));
  for (const [index, bytes] of made.entries()) bytes.fill(index & 0xff);
  // Nobody writes into another's.
  for (const [index, bytes] of made.entries()) assert.ok(bytes.every((byte) => byte === (index & 0xff)));
  const source = Uint8Array.from({ length: 300 }, (_, at) => at & 0xff);
  for (const from of [source, Buffer.from(source)]) {
    const copies = [copyOfBytes(from), copyOfBytes(from, 10, 20), copyOfBytes(from, 290)];
    from.fill(0);
    assert.deepEqual(
      copies.map((copy) => [copy.length, copy.constructor]),
      [
        [300, Uint8Array],
        [10, Uint8Array],
        [10, Uint8Array],
      ],
    );
    assert.deepEqual([...(copies[1] as Uint8Array)], [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    if (from === source) for (const [at] of source.entries()) source[at] = at & 0xff;
  }
}

test("byte arrays are zeros, and copies, each by itself", () => {
  behaves();
  assert.equal(newBytes(300).buffer.byteLength, 300);
});

test("words are written and read as the platform does, highest byte first, whatever lies beside them", () => {
  for (const word of [0, 1, 0xff, 0x8000_0000, 0xffff_ffff, 0x0102_0304, 4_000_000_000]) {
    const bytes = new Uint8Array(8).fill(0xaa);
    putWord(bytes, 3, word);
    const expected = new Uint8Array(8).fill(0xaa);
    new DataView(expected.buffer).setUint32(3, word);
    assert.deepEqual(bytes, expected);
    assert.equal(wordAt(bytes, 3), word);
  }
});

test("a scratch gives one view of its first bytes for each length that it has room for", () => {
  const scratch = new Scratch(Buffer.from([1, 2, 3]));
  assert.deepEqual([...(scratch.first(2) ?? [])], [1, 2]);
  assert.equal(scratch.first(2), scratch.first(2));
  assert.deepEqual(scratch.first(0), Buffer.alloc(0));
  assert.deepEqual(scratch.first(3), scratch.bytes);
  assert.equal(scratch.first(4), undefined);
  scratch.bytes[0] = 9;
  assert.deepEqual([...(scratch.first(2) ?? [])], [9, 2]);
});

test("short ones that are cut from slabs are so too", () => {
  cutBytesFromSlabs();
  cutBytesFromSlabs();
  behaves();
  assert.equal(newBytes(300).buffer, newBytes(300).buffer);
  assert.equal(newBytes(4_097).buffer.byteLength, 4_097);
});
