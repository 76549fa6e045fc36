/** Round trips, and two independent decoders as judges of every accepted input. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decode as cbor2Decode, encode as cbor2Encode, cdeDecodeOptions, cdeEncodeOptions } from "cbor2";
import * as cborg from "cborg";
import fc from "fast-check";
import {
  CborError,
  type CborValue,
  decodeCbor,
  decodeCborSequence,
  encodeCbor,
  splitCborSequence,
} from "../src/index.ts";
import { toHex } from "./bytes.ts";
import { cborValue, damaged } from "./cbor-arbitraries.ts";

const CBOR2_OPTIONS = { ...cdeDecodeOptions, preferMap: true, rejectDuplicateKeys: true };
const CBORG_OPTIONS = { useMaps: true, strict: true, rejectDuplicateMapKeys: true, allowIndefinite: false };

test("what is encoded decodes to the same value", () => {
  fc.assert(
    fc.property(cborValue, (value) => {
      assert.deepEqual(decodeCbor(encodeCbor(value)), value);
    }),
  );
});

test("the encoding is that of two independent encoders", () => {
  fc.assert(
    fc.property(cborValue, (value) => {
      const encoded = toHex(encodeCbor(value));
      assert.equal(encoded, toHex(cbor2Encode(value, cdeEncodeOptions)));
      assert.equal(encoded, toHex(cborg.encode(value, cborg.rfc8949EncodeOptions)));
    }),
  );
});

const anyBytes = fc.oneof(
  { weight: 4, arbitrary: damaged(cborValue.map(encodeCbor)) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 12 }) },
);

test("any bytes decode or throw CborError; what decodes re-encodes to the same bytes and means the same elsewhere", () => {
  let accepted = 0;
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      const value = decodedOrRefused(bytes);
      if (value === undefined) return;
      accepted += 1;
      assert.equal(toHex(encodeCbor(value)), toHex(bytes));
      assert.deepEqual(plain(cbor2Decode(bytes, CBOR2_OPTIONS)), value);
      assert.deepEqual(plain(cborg.decode(bytes, CBORG_OPTIONS)), value);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(accepted > 100, `${accepted} accepted`);
});

test("nothing of the subset is refused that a deterministic decoder accepts", () => {
  let accepted = 0;
  fc.assert(
    fc.property(anyBytes, (bytes) => {
      let theirs: unknown;
      try {
        theirs = cbor2Decode(bytes, CBOR2_OPTIONS);
      } catch {
        return;
      }
      if (!isInSubset(theirs, 0) || toHex(cbor2Encode(theirs, cdeEncodeOptions)) !== toHex(bytes)) return;
      accepted += 1;
      decodeCbor(bytes);
    }),
    { numRuns: 5_000 },
  );
  assert.ok(accepted > 100, `${accepted} accepted`);
});

test("a sequence is its items one after the other", () => {
  fc.assert(
    fc.property(fc.array(cborValue, { maxLength: 5 }), (values) => {
      const encoded = values.map(encodeCbor);
      const sequence = new Uint8Array(Buffer.concat(encoded));
      assert.deepEqual(decodeCborSequence(sequence), values);
      assert.deepEqual([...splitCborSequence(sequence)], encoded);
    }),
  );
});

function decodedOrRefused(bytes: Uint8Array): CborValue | undefined {
  try {
    return decodeCbor(bytes);
  } catch (error) {
    assert.ok(error instanceof CborError, String(error));
    assert.ok(error.offset >= 0 && error.offset <= bytes.length);
    return undefined;
  }
}

/** The other decoders hand out views of Node's Buffer kind; compare their content. */
function plain(value: unknown): unknown {
  if (value instanceof Uint8Array) return new Uint8Array(value);
  if (Array.isArray(value)) return value.map(plain);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, plain(item)]));
  return value;
}

function isInSubset(value: unknown, depth: number): boolean {
  if (depth > 8) return false;
  if (typeof value === "number") return Number.isSafeInteger(value) && !Object.is(value, -0);
  if (Array.isArray(value)) return depth < 8 && value.every((item) => isInSubset(item, depth + 1));
  if (value instanceof Map) {
    const keysFit = [...value.keys()].every((key) => typeof key === "string" || Number.isSafeInteger(key));
    return depth < 8 && keysFit && [...value.values()].every((item) => isInSubset(item, depth + 1));
  }
  return value === null || typeof value === "boolean" || typeof value === "string" || value instanceof Uint8Array;
}
