import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CborCode,
  CborCursor,
  CborError,
  type CborValue,
  CodedError,
  checkCbor,
  decodeCbor,
  decodeCborSequence,
  decodeCborViews,
  encodeCbor,
  MAXIMUM_CBOR_CONTAINERS,
  MAXIMUM_CBOR_DEPTH,
  readArrayHead,
  readByteString,
  readInteger,
  readMapHead,
  readNull,
  readText,
  readTextBytes,
  readUnsigned,
  readValue,
  splitCborSequence,
  splitCborSequenceViews,
} from "../src/index.ts";
import { coded, hex } from "./bytes.ts";

/** Bytes, the code they are refused with, the offset that the error names. */
const refused: [string, CborCode, number][] = [
  ["", "CBOR_TRUNCATED", 0],
  ["18", "CBOR_TRUNCATED", 1],
  ["1a000102", "CBOR_TRUNCATED", 4],
  ["8218", "CBOR_TOO_LONG", 0],
  ["820118", "CBOR_TRUNCATED", 3],
  ["a10118", "CBOR_TRUNCATED", 3],
  ["0000", "CBOR_TRAILING_BYTES", 1],
  ["8000", "CBOR_TRAILING_BYTES", 1],
  ["1817", "CBOR_NON_MINIMAL", 0],
  ["1900ff", "CBOR_NON_MINIMAL", 0],
  ["1a0000ffff", "CBOR_NON_MINIMAL", 0],
  ["1b00000000ffffffff", "CBOR_NON_MINIMAL", 0],
  ["3817", "CBOR_NON_MINIMAL", 0],
  ["580100", "CBOR_NON_MINIMAL", 0],
  ["780161", "CBOR_NON_MINIMAL", 0],
  ["980100", "CBOR_NON_MINIMAL", 0],
  ["b8010000", "CBOR_NON_MINIMAL", 0],
  ["a202000100", "CBOR_UNSORTED_KEYS", 3],
  ["a220000100", "CBOR_UNSORTED_KEYS", 3],
  ["a26162006161 00", "CBOR_UNSORTED_KEYS", 4],
  ["a2626161006162 00", "CBOR_UNSORTED_KEYS", 5],
  ["a201000100", "CBOR_DUPLICATE_KEY", 3],
  ["a2616100616100", "CBOR_DUPLICATE_KEY", 4],
  // What follows the key has no say, whichever value is the larger.
  ["a201000101", "CBOR_DUPLICATE_KEY", 3],
  ["a201010100", "CBOR_DUPLICATE_KEY", 3],
  ["a2616100616101", "CBOR_DUPLICATE_KEY", 4],
  ["a2818000 8180 00", "CBOR_UNSUPPORTED", 1],
  ["a1400000", "CBOR_UNSUPPORTED", 1],
  // Keys of keys of keys: refused before any of them is looked into.
  ["a1".repeat(100_000), "CBOR_UNSUPPORTED", 1],
  ["a1f500", "CBOR_UNSUPPORTED", 1],
  ["a1c10000", "CBOR_UNSUPPORTED", 1],
  ["61ff", "CBOR_INVALID_UTF8", 0],
  ["62c080", "CBOR_INVALID_UTF8", 0],
  ["63eda080", "CBOR_INVALID_UTF8", 0],
  ["64f4908080", "CBOR_INVALID_UTF8", 0],
  ["a161ff00", "CBOR_INVALID_UTF8", 1],
  ["1c", "CBOR_UNSUPPORTED", 0],
  ["5f", "CBOR_UNSUPPORTED", 0],
  ["ff", "CBOR_UNSUPPORTED", 0],
  ["f818", "CBOR_UNSUPPORTED", 0],
  ["1b0020000000000000", "CBOR_INTEGER_RANGE", 0],
  ["3b001fffffffffffff", "CBOR_INTEGER_RANGE", 0],
  ["41", "CBOR_TOO_LONG", 0],
  ["5b00ffffffffffffff", "CBOR_TOO_LONG", 0],
  ["7bffffffffffffffff", "CBOR_TOO_LONG", 0],
  ["9bffffffffffffffff", "CBOR_TOO_LONG", 0],
  ["9a7fffffff0000", "CBOR_TOO_LONG", 0],
  ["bb7fffffffffffffff00", "CBOR_TOO_LONG", 0],
  ["a200", "CBOR_TOO_LONG", 0],
  ["a20100", "CBOR_TOO_LONG", 0],
];

test("malformed input is refused with its code and offset", () => {
  for (const [digits, code, offset] of refused) {
    assert.throws(() => decodeCbor(hex(digits)), { name: "CborError", code, offset }, digits);
  }
});

test("every code of the decoder is reached", () => {
  const reached = new Set([...refused.map(([, code]) => code), "CBOR_TOO_DEEP"]);
  assert.equal(reached.size, 10);
});

test("the largest integers are within reach", () => {
  assert.equal(decodeCbor(hex("1b001fffffffffffff")), Number.MAX_SAFE_INTEGER);
  assert.equal(decodeCbor(hex("3b001ffffffffffffe")), Number.MIN_SAFE_INTEGER);
});

test("integer keys go before text keys, shorter text before longer", () => {
  assert.deepEqual(
    decodeCbor(hex("a5 00 00 1818 01 20 02 617a 03 626161 04")),
    new Map<number | string, CborValue>([
      [0, 0],
      [24, 1],
      [-1, 2],
      ["z", 3],
      ["aa", 4],
    ]),
  );
});

test("nesting is bounded", () => {
  const nested = (depth: number): Uint8Array =>
    Uint8Array.from({ length: depth + 1 }, (_, at) => (at < depth ? 0x81 : 0));
  assert.doesNotThrow(() => decodeCbor(nested(MAXIMUM_CBOR_DEPTH)));
  assert.throws(() => decodeCbor(nested(MAXIMUM_CBOR_DEPTH + 1)), coded("CborError", "CBOR_TOO_DEEP"));
  assert.throws(() => decodeCbor(nested(1_000_000)), coded("CborError", "CBOR_TOO_DEEP"));
  const maps = Uint8Array.from({ length: 41 }, (_, at) => (at % 2 === 0 ? 0xa1 : 0));
  assert.throws(() => decodeCbor(maps), coded("CborError", "CBOR_TOO_DEEP"));
});

test("the number of arrays and maps is bounded", () => {
  const list = (count: number): Uint8Array => {
    const bytes = new Uint8Array(3 + count).fill(0xa0);
    bytes.set([0x99, count >> 8, count & 0xff]);
    return bytes;
  };
  assert.doesNotThrow(() => decodeCbor(list(MAXIMUM_CBOR_CONTAINERS - 1)));
  assert.throws(() => decodeCbor(list(MAXIMUM_CBOR_CONTAINERS)), coded("CborError", "CBOR_TOO_LONG"));
});

test("a __proto__ key is a key like any other", () => {
  const decoded = decodeCbor(hex("a1 69 5f5f70726f746f5f5f a1 6161 01"));
  assert.deepEqual(decoded, new Map([["__proto__", new Map([["a", 1]])]]));
  assert.equal(Reflect.get({}, "a"), undefined);
});

test("byte strings are copies of their own, whatever kind of view the input is", () => {
  const input = Buffer.from(hex("430102034401020304")).subarray(0, 4);
  const decoded = decodeCbor(input);
  assert.ok(decoded instanceof Uint8Array);
  assert.equal(Object.getPrototypeOf(decoded), Uint8Array.prototype);
  input.fill(0);
  assert.deepEqual(decoded, hex("010203"));
  assert.equal(decoded.buffer.byteLength, 3);
});

test("byte strings of a sequence are copies too, and those of views are not", () => {
  const input = hex("4101 4102");
  const whole = decodeCborSequence(input);
  const split = [...splitCborSequence(input)];
  const splitViews = [...splitCborSequenceViews(input)];
  const view = decodeCborViews(input, 2);
  input.fill(0);
  assert.deepEqual(whole, [hex("01"), hex("02")]);
  assert.deepEqual(split, [hex("4101"), hex("4102")]);
  assert.deepEqual(view, hex("00"));
  assert.deepEqual(splitViews, [hex("0000"), hex("0000")]);
});

test("a sequence is split into the bytes of its items", () => {
  const input = Buffer.from(hex("01 8102 a0"));
  assert.deepEqual([...splitCborSequence(input)], [hex("01"), hex("8102"), hex("a0")]);
  assert.deepEqual(decodeCborSequence(input), [1, [2], new Map()]);
  assert.deepEqual(decodeCborSequence(hex("")), []);
});

test("the items before a bad one are handed out", () => {
  const split: Uint8Array[] = [];
  assert.throws(
    () => {
      for (const item of splitCborSequence(hex("01 02 ff 03"))) split.push(item);
    },
    coded("CborError", "CBOR_UNSUPPORTED"),
  );
  assert.deepEqual(split, [hex("01"), hex("02")]);
  assert.throws(() => decodeCborSequence(hex("01 18")), { code: "CBOR_TRUNCATED", offset: 2 });
});

test("the bound on arrays and maps holds for each item read, and for a whole sequence decoded at once", () => {
  const input = new Uint8Array(MAXIMUM_CBOR_CONTAINERS + 1).fill(0x80);
  assert.throws(() => decodeCborSequence(input), coded("CborError", "CBOR_TOO_LONG"));
  assert.equal([...splitCborSequence(input)].length, MAXIMUM_CBOR_CONTAINERS + 1);
});

test("one catch is enough: every error is a CodedError", () => {
  assert.throws(() => decodeCbor(hex("ff")), CodedError);
  assert.throws(() => decodeCbor(hex("ff")), CborError);
  assert.throws(() => encodeCbor(0.5), CodedError);
});

test("a reader of one type reads nothing of another", () => {
  const readers = [
    { of: "uint", read: readUnsigned, nothing: -1 },
    { of: "integer", read: readInteger, nothing: undefined },
    { of: "bytes", read: readByteString, nothing: -1 },
    { of: "text", read: readTextBytes, nothing: -1 },
    { of: "text", read: readText, nothing: undefined },
    { of: "array", read: readArrayHead, nothing: -1 },
    { of: "map", read: readMapHead, nothing: -1 },
    { of: "null", read: readNull, nothing: false },
  ];
  const items = { uint: "05", negative: "24", bytes: "4105", text: "6161", array: "8105", map: "a10505", null: "f6" };
  for (const { of, read, nothing } of readers)
    for (const [type, digits] of Object.entries(items)) {
      const cursor = new CborCursor(hex(`00${digits}`), 1);
      const isOwn = type === of || (of === "integer" && (type === "uint" || type === "negative"));
      assert.equal(read(cursor) !== nothing, isOwn, `${read.name} of ${type}`);
      if (!isOwn) assert.equal(cursor.position, 1, `${read.name} of ${type}`);
    }
});

test("a look at a part of the bytes is as strict as decoding them alone, and ends where the part ends", () => {
  for (const [text, code] of refused) assert.throws(() => checkCbor(hex(text)), coded("CborError", code), text);
  const within = hex("00a20142000080");
  checkCbor(hex("00a10142000080"), 1, 6);
  assert.throws(() => checkCbor(within, 1, 6), coded("CborError", "CBOR_TRUNCATED"));
});

test("whatever comes next is read as it is decoded, and the cursor stands behind it", () => {
  const cursor = new CborCursor(hex("82014200ff6161"));
  assert.deepEqual(readValue(cursor), [1, hex("00ff")]);
  assert.equal(readValue(cursor), "a");
  assert.equal(cursor.position, 7);
  assert.throws(() => readValue(cursor), coded("CborError", "CBOR_TRUNCATED"));
});
