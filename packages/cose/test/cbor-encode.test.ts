import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CborCode,
  type CborMap,
  type CborValue,
  decodeCbor,
  encodeCbor,
  MAXIMUM_CBOR_CONTAINERS,
  MAXIMUM_CBOR_DEPTH,
} from "../src/index.ts";
import { coded, hex, toHex } from "./bytes.ts";

/** As JavaScript callers may call it: with values that the types forbid. */
function encodeUntyped(value: unknown): unknown {
  return Reflect.apply(encodeCbor, undefined, [value]);
}

test("map keys are sorted whatever their order in the Map", () => {
  const keys = ["b", -1, "aa", 24, "a", 0, -25, "\u{1f600}", "\uffff", ""];
  const map: CborMap = new Map(keys.map((key) => [key, 0]));
  assert.equal(
    toHex(encodeCbor(map)),
    toHex(hex("aa 0000 181800 2000 381800 6000 616100 616200 62616100 63efbfbf00 64f09f988000")),
  );
});

test("of any two keys the same one comes first, whichever was put in first", () => {
  const inOrder = [0, 1, 23, 24, 256, -1, -2, -24, -25, "", "a", "b", "aa", "ab", "ba", "\uffff", "\u{1f600}"];
  for (const [at, first] of inOrder.entries())
    for (const second of inOrder.slice(at + 1)) {
      const [kept, turned] = [new Map([[first, 0]]).set(second, 0), new Map([[second, 0]]).set(first, 0)];
      assert.deepEqual([...(decodeCbor(encodeCbor(turned)) as CborMap).keys()], [first, second]);
      assert.equal(toHex(encodeCbor(turned)), toHex(encodeCbor(kept)));
    }
});

test("minus zero is written as zero", () => {
  assert.equal(toHex(encodeCbor(-0)), "00");
  assert.equal(toHex(encodeCbor([-0, new Map([[-0, -0]])])), "8200a10000");
});

test("each length of head is the shortest", () => {
  const edges: [number, string][] = [
    [23, "17"],
    [24, "1818"],
    [0xff, "18ff"],
    [0x100, "190100"],
    [0xffff, "19ffff"],
    [0x10000, "1a00010000"],
    [0xffffffff, "1affffffff"],
    [0x100000000, "1b0000000100000000"],
    [Number.MAX_SAFE_INTEGER, "1b001fffffffffffff"],
    [-24, "37"],
    [-25, "3818"],
    [-0x100000000, "3affffffff"],
    [-0x100000001, "3b0000000100000000"],
    [Number.MIN_SAFE_INTEGER, "3b001ffffffffffffe"],
  ];
  for (const [value, digits] of edges) assert.equal(toHex(encodeCbor(value)), digits);
});

test("long values outgrow the first buffer", () => {
  const bytes = Uint8Array.from({ length: 70_000 }, (_, at) => at % 251);
  const value = [bytes, "\u00e9".repeat(5_000), bytes];
  assert.deepEqual(decodeCbor(encodeCbor(value)), value);
});

test("wherever the first buffer ends, nothing is lost of what comes next", () => {
  for (let length = 1_000; length < 1_030; length += 1)
    for (const next of [true, 500, "\u0080", "z".repeat(40), new Uint8Array(40).fill(7), [], new Map([[1, null]])]) {
      const value = ["a".repeat(length), next, false];
      assert.deepEqual(decodeCbor(encodeCbor(value)), value);
    }
});

test("letters beyond seven bits are written in UTF-8", () => {
  assert.equal(toHex(encodeCbor("\u007f\u0080")), "637fc280");
});

test("what has no encoding is refused", () => {
  const refused: [unknown, CborCode][] = [
    [0.5, "CBOR_UNSUPPORTED"],
    [Number.NaN, "CBOR_UNSUPPORTED"],
    [Number.POSITIVE_INFINITY, "CBOR_UNSUPPORTED"],
    [2 ** 53, "CBOR_INTEGER_RANGE"],
    [-(2 ** 53), "CBOR_INTEGER_RANGE"],
    [1e300, "CBOR_INTEGER_RANGE"],
    [undefined, "CBOR_UNSUPPORTED"],
    [1n, "CBOR_UNSUPPORTED"],
    [{}, "CBOR_UNSUPPORTED"],
    [[undefined], "CBOR_UNSUPPORTED"],
    [new Array(1), "CBOR_UNSUPPORTED"],
    [new Uint16Array(1), "CBOR_UNSUPPORTED"],
    [new Map([[true, 1]]), "CBOR_UNSUPPORTED"],
    [new Map([[0.5, 1]]), "CBOR_UNSUPPORTED"],
    ["\ud800", "CBOR_INVALID_UTF8"],
    ["a\udc00", "CBOR_INVALID_UTF8"],
    ["\ud800\ud800\udc00", "CBOR_INVALID_UTF8"],
    [
      new Map([
        ["\udfff", 1],
        ["\udffe", 2],
      ]),
      "CBOR_INVALID_UTF8",
    ],
  ];
  for (const [value, code] of refused) {
    assert.throws(() => encodeUntyped(value), coded("CborError", code), String(code));
  }
});

test("the bounds of the decoder hold for the encoder, cycles included", () => {
  let nested: CborValue = 0;
  for (let depth = 0; depth < MAXIMUM_CBOR_DEPTH; depth += 1) nested = [nested];
  assert.doesNotThrow(() => encodeCbor(nested));
  assert.throws(() => encodeCbor([nested]), coded("CborError", "CBOR_TOO_DEEP"));
  let mapped: CborValue = 0;
  for (let depth = 0; depth < MAXIMUM_CBOR_DEPTH; depth += 1) mapped = new Map([[0, mapped]]);
  assert.doesNotThrow(() => encodeCbor(mapped));
  assert.throws(() => encodeCbor([mapped]), coded("CborError", "CBOR_TOO_DEEP"));
  const cycle: CborValue[] = [];
  cycle.push(cycle);
  assert.throws(() => encodeCbor(cycle), coded("CborError", "CBOR_TOO_DEEP"));
  const many: CborValue[] = Array.from({ length: MAXIMUM_CBOR_CONTAINERS }, () => []);
  assert.throws(() => encodeCbor(many), coded("CborError", "CBOR_TOO_LONG"));
  assert.doesNotThrow(() => encodeCbor(many.slice(1)));
});
