import assert from "node:assert/strict";
import { test } from "node:test";
import { copyOfBytes, cutBytesFromSlabs, newBytes, plainBytes, putWord, Scratch, wordAt } from "@cairn/cose";
import { putBytes } from "../src/bytes.ts";

const LENGTHS = [0, 1, 64, 65, 300, 4_096, 4_097, 100_000];

/** The same for arrays of their own and for those that are cut from slabs. */
function behaves(): void {
  const made = LENGTHS.flatMap((length) => Array.from({ length: 30 }, () => newBytes(length)));
  for (const [index, bytes] of made.entries()) {
    assert.equal(bytes.length, LENGTHS[Math.floor(index / 30)]);
    assert.ok(bytes.every((byte) => byte === 0));
  }
  for (const [index, bytes] of made.entries()) bytes.fill(index & 0xff);
  // Nobody writes into another's.
  for (const [index, bytes] of made.entries()) assert.ok(bytes.every((byte) => byte === (index & 0xff)));
  const source = Uint8Array.from({ length: 300 }, (_, at) => at & 0xff);
  for (const from of [source, Buffer.from(source)]) {
    const whole = [...from];
    const copies = [[], [10, 20], [0, 10], [290], [300]].map(([start, end]) => ({
      copy: copyOfBytes(from, start, end),
      expected: whole.slice(start, end),
    }));
    from.fill(0);
    for (const { copy, expected } of copies) {
      assert.equal(copy.constructor, Uint8Array);
      assert.deepEqual([...copy], expected);
    }
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

test("a Buffer's bytes are looked at as a plain array's, in the same place", () => {
  const buffer = Buffer.from([1, 2, 3, 4]).subarray(1, 3);
  const plain = plainBytes(buffer);
  assert.equal(plain.constructor, Uint8Array);
  assert.deepEqual([...plain], [2, 3]);
  buffer[0] = 9;
  assert.equal(plain[0], 9);
  assert.equal(plainBytes(plain), plain);
});

test("bytes are put where they belong, and nothing beside them", () => {
  const source = Uint8Array.from({ length: 300 }, (_, at) => (at % 250) + 1);
  // Few go one by one, many at once.
  for (const [start, end] of [
    [0, 0],
    [0, 1],
    [3, 128],
    [0, 128],
    [10, 139],
    [0, 300],
  ] as const) {
    const target = new Uint8Array(400);
    assert.equal(putBytes(target, 50, source, start, end), 50 + end - start);
    const expected = new Uint8Array(400);
    for (let at = start; at < end; at += 1) expected[50 + at - start] = source[at] ?? 0;
    assert.deepEqual(target, expected, `${start} to ${end}`);
  }
  assert.equal(putBytes(new Uint8Array(300), 0, source), 300);
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
