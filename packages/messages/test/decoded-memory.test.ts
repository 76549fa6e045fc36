import assert from "node:assert/strict";
import { test } from "node:test";
import { nodeCrypto } from "@cairn/cose/node";
import { decodeMessage, payment, rememberDecoded, restoreVerified } from "@cairn/messages";
import { KINDS } from "../../../vectors/world.ts";

const { sample } = KINDS.payment;
/** Other payments, each with another last byte of its signature, which nobody looks at while decoding. */
const payments = [0, 1, 2, 3].map((last) => Uint8Array.from([...sample.bytes.subarray(0, -1), last]));

function remembering(size: number) {
  const crypto = nodeCrypto();
  rememberDecoded(crypto, size);
  return (bytes: Uint8Array | undefined) => decodeMessage(payment, bytes ?? new Uint8Array(), crypto);
}

test("what is decoded again is the same object, by its bytes and not by where they lie", () => {
  const decode = remembering(2);
  const first = decode(payments[0]);
  assert.equal(decode(payments[0]), first);
  assert.equal(decode(payments[0]?.slice()), first);
  assert.notEqual(decode(payments[1]), first);
});

test("bytes that end alike are told apart, shorter and longer ones too", () => {
  const decode = remembering(8);
  const first = decode(payments[0]);
  const other = Uint8Array.from(payments[0] ?? []);
  // Within the signature, before the bytes that say where it is kept.
  other[other.length - 10] = (other[other.length - 10] ?? 0) ^ 1;
  const second = decode(other);
  assert.notEqual(second, first);
  assert.deepEqual(second.bytes, other);
  assert.equal(decode(other), second);
  // The younger of two in one place stays.
  assert.notEqual(decode(payments[0]), first);
  assert.throws(() => decode(payments[0]?.subarray(1)), { code: /^C/ });
  assert.throws(() => decode(Uint8Array.from([0, ...(payments[0] ?? [])])), { code: /^C/ });
});

test("as many as were asked for are remembered, and the oldest is forgotten first", () => {
  const decode = remembering(2);
  const [first, second, third] = payments.slice(0, 3).map(decode);
  assert.equal(decode(payments[1]), second);
  assert.equal(decode(payments[2]), third);
  assert.notEqual(decode(payments[0]), first);
});

test("bytes of one kind are not remembered as another one, and nothing malformed is remembered", () => {
  const crypto = nodeCrypto();
  rememberDecoded(crypto, 2);
  decodeMessage(payment, sample.bytes, crypto);
  for (let tries = 0; tries < 2; tries++) {
    assert.throws(() => decodeMessage(KINDS.receipt.kind, sample.bytes, crypto), { code: /^(MESSAGE|CBOR|COSE)_/ });
    assert.throws(() => decodeMessage(payment, sample.bytes.subarray(1), crypto), { code: /^(MESSAGE|CBOR|COSE)_/ });
  }
});

test("who does not remember decodes anew, and restores anew", () => {
  const crypto = nodeCrypto();
  assert.notEqual(decodeMessage(payment, sample.bytes, crypto), decodeMessage(payment, sample.bytes, crypto));
  assert.notEqual(restoreVerified(payment, sample.bytes, crypto), restoreVerified(payment, sample.bytes, crypto));
  rememberDecoded(crypto, 2);
  assert.equal(restoreVerified(payment, sample.bytes, crypto), restoreVerified(payment, sample.bytes, crypto));
});
