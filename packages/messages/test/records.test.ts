import assert from "node:assert/strict";
import { test } from "node:test";
import { type CborValue, encodeCbor } from "@cairn/cose";
import { isClosingRecord, readSyncRecord, readUploadRecord } from "@cairn/messages";

const some = Uint8Array.of(1);
const row = (type: CborValue, length: number): CborValue[] => [type, ...new Array<CborValue>(length - 1).fill(some)];

/** Type numbers and lengths of rows, by docs/spec/messages.md. */
const READERS = [
  {
    read: readUploadRecord,
    lengths: new Map([
      [1, 5],
      [2, 5],
      [3, 4],
    ]),
  },
  {
    read: readSyncRecord,
    lengths: new Map([
      [1, 2],
      [2, 7],
      [3, 5],
    ]),
  },
] as const;

test("each record has its type number and its length, nothing else is one", () => {
  for (const { read, lengths } of READERS) {
    for (let type = -1; type <= 5; type++) {
      for (let length = 1; length <= 9; length++) {
        if (lengths.get(type) === length)
          assert.doesNotThrow(() => read(encodeCbor(row(type, length))), `${type} of ${length}`);
        else
          assert.throws(
            () => read(encodeCbor(row(type, length))),
            { code: "BUNDLE_MALFORMED" },
            `${type} of ${length}`,
          );
      }
    }
    for (const value of [0, "1", null, true, some, new Map(), [], row("1", 5), row(null, 5)])
      assert.throws(() => read(encodeCbor(value)), { code: "BUNDLE_MALFORMED" });
  }
});

test("every part of a record is a byte string, or nothing where it may be missing", () => {
  const optional = new Set(["2/5", "2/6"]);
  for (const { read, lengths } of READERS) {
    for (const [type, length] of lengths) {
      for (let at = 1; at < length; at++) {
        for (const value of [0, "text", true, [some], new Map()])
          assert.throws(() => read(encodeCbor(row(type, length).with(at, value))), { code: "BUNDLE_MALFORMED" });
        const missing = (): unknown => read(encodeCbor(row(type, length).with(at, null)));
        if (read === readSyncRecord && optional.has(`${type}/${at}`)) assert.doesNotThrow(missing);
        else assert.throws(missing, { code: "BUNDLE_MALFORMED" }, `${type}/${at}`);
      }
    }
  }
});

test("a record ends where it ends, and what is no CBOR is said before what is no record", () => {
  for (const { read, lengths } of READERS) {
    for (const [type, length] of lengths) {
      const bytes = encodeCbor(row(type, length));
      assert.throws(() => read(Uint8Array.from([...bytes, 0])), { code: "CBOR_TRAILING_BYTES" }, `${type}`);
      // A part of another kind, and behind it nothing where there should be something.
      const cut = encodeCbor(row(type, length).with(1, 0)).subarray(0, -1);
      assert.throws(() => read(cut), { code: /^CBOR_T(RUNCATED|OO_LONG)$/ }, `${type}`);
    }
    assert.throws(() => read(Uint8Array.of(0x81, 0x18, 0x01)), { code: "CBOR_NON_MINIMAL" });
    assert.throws(() => read(Uint8Array.of(0x82, 0x09, 0xff)), { code: "CBOR_UNSUPPORTED" }, "of no known type");
  }
});

test("a closing is told from everything else by its first bytes, as it is by its reader", () => {
  for (let type = -1; type <= 5; type++)
    for (let length = 1; length <= 9; length++)
      assert.equal(isClosingRecord(encodeCbor(row(type, length))), type === 1 && length === 2, `${type} of ${length}`);
  for (const value of [0, "1", null, true, some, new Map(), [], row("1", 2), row(null, 2)])
    assert.equal(isClosingRecord(encodeCbor(value)), false);
  assert.equal(isClosingRecord(new Uint8Array()), false);
});
