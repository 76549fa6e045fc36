import assert from "node:assert/strict";
import { test } from "node:test";
import type { SignatureToVerify } from "@cairn/cose";
import {
  decodeMessage,
  fromHex,
  isRefusal,
  payment as paymentKind,
  signDecoded,
  verifyMessage,
  verifyMessages,
} from "@cairn/messages";
import { testKey } from "../../../vectors/keys.ts";
import { crypto, device, payment } from "../../../vectors/world.ts";

const decoded = decodeMessage(paymentKind, payment.bytes, crypto);
const stranger = testKey("other-root").publicKey;

test("of many, each counts that is valid under its own key, and no other", async () => {
  const asked = [device.publicKey, stranger, device.publicKey].map((key) => ({ decoded, key, hint: undefined }));
  const found = await verifyMessages(asked, (signatures) =>
    Promise.all(
      signatures.map((each) => {
        assert.ok("message" in each, "without a hint the message itself is verified");
        return crypto.verifyEs256(each.publicKey, each.message, each.signature);
      }),
    ),
  );
  const { content, messageId, bytes } = payment;
  assert.deepEqual(found, [{ content, messageId, bytes }, undefined, { content, messageId, bytes }]);
});

test("what was verified under a key is not verified again under it; a mere copy of what was decoded is, each time", async () => {
  let asked = 0;
  const counted: typeof crypto = {
    ...crypto,
    verifyEs256: (key, message, signature) => {
      asked += 1;
      return crypto.verifyEs256(key, message, signature);
    },
  };
  const fresh = decodeMessage(paymentKind, payment.bytes, counted);
  const under = { key: device.publicKey, crypto: counted };
  const first = await verifyMessage(fresh, under);
  assert.equal(await verifyMessage(fresh, under), first);
  assert.equal(asked, 1);
  await assert.rejects(verifyMessage(fresh, { key: stranger, crypto: counted }), { code: "SIGNATURE_INVALID" });
  assert.equal(asked, 2);
  const { kind, unverified, messageId, bytes, toBeSigned, signature } = fresh;
  const copy = { kind, unverified, messageId, bytes, toBeSigned, signature };
  for (const expected of [3, 4]) {
    assert.deepEqual(await verifyMessage(copy, under), first);
    assert.equal(asked, expected);
  }
});

test("with a hint the digest that is signed is verified, and what nobody answers for is not valid", async () => {
  const hint = new Uint8Array(32).fill(7);
  let seen: readonly SignatureToVerify[] = [];
  const found = await verifyMessages([{ decoded, key: device.publicKey, hint }], async (signatures) => {
    seen = signatures;
    return [];
  });
  assert.deepEqual(found, [undefined]);
  const digest = crypto.sha256(decoded.toBeSigned);
  assert.deepEqual(fromHex(decoded.messageId), digest);
  assert.deepEqual(seen, [{ publicKey: device.publicKey, digest, signature: decoded.signature, hint }]);
});

test("a draft under zeros is signed as it stands, and only its signature changes", async () => {
  const draft = Uint8Array.from(payment.bytes).fill(0, payment.bytes.length - 64);
  const before = decodeMessage(paymentKind, draft, crypto);
  const signed = await signDecoded(before, device);
  assert.deepEqual(signed.bytes.subarray(0, -64), payment.bytes.subarray(0, -64));
  assert.deepEqual([signed.messageId, signed.content], [payment.messageId, payment.content]);
  await verifyMessage(decodeMessage(paymentKind, signed.bytes, crypto), { key: device.publicKey, crypto });
  assert.deepEqual(draft.subarray(-64), new Uint8Array(64), "the draft itself stays");
});

test("a refusal has a code and a sentence", () => {
  assert.ok(isRefusal({ code: "SIGNATURE_INVALID", sentence: "No." }));
  for (const other of [{ code: "SIGNATURE_INVALID" }, { sentence: "No." }, payment]) assert.ok(!isRefusal(other));
});
