import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeBase45, encodeBase45, MessageError } from "@cairn/messages";
import fc from "fast-check";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

test("the examples of RFC 9285 section 4", () => {
  for (const [plain, encoded] of [
    ["AB", "BB8"],
    ["Hello!!", "%69 VD92EX0"],
    ["base-45", "UJCLQE7W581"],
    ["ietf!", "QED8WEX0"],
  ] as const) {
    assert.equal(encodeBase45(bytes(plain)), encoded);
    assert.deepEqual(decodeBase45(encoded), bytes(plain));
  }
});

test("what no encoder writes is refused: lengths, characters, numbers beyond their bytes", () => {
  for (const text of ["A", "BB8A", "bb8", "B\u00df8", "GGW", ":::", "::", "V5"]) {
    assert.throws(
      () => decodeBase45(text),
      (error) => error instanceof MessageError && error.code === "CODE_TEXT_INVALID",
      text,
    );
  }
});

test("the highest numbers that two bytes and one byte can say are read", () => {
  assert.deepEqual(decodeBase45("FGW"), Uint8Array.of(0xff, 0xff));
  assert.deepEqual(decodeBase45("U5"), Uint8Array.of(0xff));
});

test("any bytes come back, in characters of QR's alphanumeric mode alone", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (content) => {
      const text = encodeBase45(content);
      assert.match(text, /^[0-9A-Z $%*+\-./:]*$/);
      assert.deepEqual(decodeBase45(text), content);
    }),
  );
});

test("bytes longer than most codes come back whole, to the last character", () => {
  for (const length of [2_730, 2_731, 2_732, 6_000, 6_001]) {
    const content = Uint8Array.from({ length }, (_, at) => (at * 7 + 200) & 0xff);
    const text = encodeBase45(content);
    assert.equal(text.length, Math.ceil(length * 1.5));
    assert.deepEqual(decodeBase45(text), content);
  }
});

test("no two texts decode to the same bytes", () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom(..."0189AFWZ $%*+-./:"), maxLength: 30 }), (text) => {
      let decoded: Uint8Array;
      try {
        decoded = decodeBase45(text);
      } catch {
        return;
      }
      assert.equal(encodeBase45(decoded), text);
    }),
  );
});
