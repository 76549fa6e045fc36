/** RFC 8949 appendix A: what is inside the subset decodes and re-encodes, what is outside is refused with its code. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type CborCode, type CborValue, decodeCbor, encodeCbor } from "../src/index.ts";
import { coded, hex, toHex } from "./bytes.ts";

const map = (...entries: [number | string, CborValue][]): CborValue => new Map(entries);
const oneTo25 = Array.from({ length: 25 }, (_, index) => index + 1);

const inside: [string, CborValue][] = [
  ["00", 0],
  ["01", 1],
  ["0a", 10],
  ["17", 23],
  ["1818", 24],
  ["1819", 25],
  ["1864", 100],
  ["1903e8", 1000],
  ["1a000f4240", 1000000],
  ["1b000000e8d4a51000", 1000000000000],
  ["20", -1],
  ["29", -10],
  ["3863", -100],
  ["3903e7", -1000],
  ["f4", false],
  ["f5", true],
  ["f6", null],
  ["40", hex("")],
  ["4401020304", hex("01020304")],
  ["60", ""],
  ["6161", "a"],
  ["6449455446", "IETF"],
  ["62225c", '"\\'],
  ["62c3bc", "\u00fc"],
  ["63e6b0b4", "\u6c34"],
  ["64f0908591", "\u{10151}"],
  ["80", []],
  ["83010203", [1, 2, 3]],
  ["8301820203820405", [1, [2, 3], [4, 5]]],
  ["98190102030405060708090a0b0c0d0e0f101112131415161718181819", oneTo25],
  ["a0", map()],
  ["a201020304", map([1, 2], [3, 4])],
  ["a26161016162820203", map(["a", 1], ["b", [2, 3]])],
  ["826161a161626163", ["a", map(["b", "c"])]],
  ["a56161614161626142616361436164614461656145", map(["a", "A"], ["b", "B"], ["c", "C"], ["d", "D"], ["e", "E"])],
];

const floats = [
  "f90000 f98000 f93c00 fb3ff199999999999a f93e00 f97bff fa47c35000 fa7f7fffff fb7e37e43c8800759c f90001 f90400 f9c400",
  "fbc010666666666666 f97c00 f97e00 f9fc00 fa7f800000 fa7fc00000 faff800000 fb7ff0000000000000 fb7ff8000000000000",
  "fbfff0000000000000",
].flatMap((line) => line.split(" "));
const simple = ["f7", "f0", "f8ff"];
const tagged = [
  "c249010000000000000000",
  "c349010000000000000000",
  "c074323031332d30332d32315432303a30343a30305a",
  "c11a514b67b0",
  "c1fb41d452d9e8200000",
  "d74401020304",
  "d818456449455446",
  "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
];
const indefinite = [
  "5f42010243030405ff",
  "7f657374726561646d696e67ff",
  "9fff",
  "9f018202039f0405ffff",
  "9f01820203820405ff",
  "83018202039f0405ff",
  "83019f0203ff820405",
  "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
  "bf61610161629f0203ffff",
  "826161bf61626163ff",
  "bf6346756ef563416d7421ff",
];
const outside: [string, CborCode][] = [
  ["1bffffffffffffffff", "CBOR_INTEGER_RANGE"],
  ["3bffffffffffffffff", "CBOR_INTEGER_RANGE"],
  ...[...floats, ...simple, ...tagged, ...indefinite].map((digits): [string, CborCode] => [digits, "CBOR_UNSUPPORTED"]),
];

test("examples inside the subset decode to their value and encode to their bytes", () => {
  for (const [digits, value] of inside) {
    assert.deepEqual(decodeCbor(hex(digits)), value, digits);
    assert.equal(toHex(encodeCbor(value)), digits);
  }
});

test("examples outside the subset are refused", () => {
  for (const [digits, code] of outside) {
    assert.throws(() => decodeCbor(hex(digits)), coded("CborError", code), digits);
  }
});

test("every example of the appendix is listed", () => {
  assert.equal(inside.length + outside.length, 81);
});
