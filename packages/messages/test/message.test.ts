import assert from "node:assert/strict";
import { test } from "node:test";
import { CborError } from "@cairn/cose";
import {
  chainHashOf,
  decodeMessage,
  fromHex,
  identifier,
  identifierFromText,
  isIssuerId,
  isPayeeId,
  MessageError,
  type MessageId,
  payeeCertificate,
  prepareMessage,
  refusalFromError,
  requestHashOf,
  sentenceFor,
  signMessage,
  signPrepared,
  toHex,
  trustList,
  userCertificate,
  verifyMessage,
} from "@cairn/messages";
import { otherSignature, testKey } from "../../../vectors/keys.ts";
import {
  certificate,
  crypto,
  device,
  issuer,
  KINDS,
  payee,
  payment,
  signTrustList,
  trustedKey,
} from "../../../vectors/world.ts";

test("every kind comes back as it was signed, under its own key alone", async () => {
  for (const [name, { kind, by, sample }] of Object.entries(KINDS)) {
    const decoded = decodeMessage<object>(kind as Parameters<typeof decodeMessage<object>>[0], sample.bytes, crypto);
    assert.deepEqual(decoded.unverified, sample.content, name);
    assert.equal(decoded.messageId, sample.messageId, name);
    const verified = await verifyMessage(decoded, { key: by.publicKey, crypto });
    assert.deepEqual(verified.bytes, sample.bytes, name);
    const key = testKey("other-root").publicKey;
    await assert.rejects(verifyMessage(decoded, { key, crypto }), { code: "SIGNATURE_INVALID" }, name);
  }
});

test("what will be signed is fixed, its id too, before a key is touched", async () => {
  const prepared = prepareMessage(userCertificate, certificate.content, crypto);
  assert.equal(prepared.messageId, certificate.messageId);
  const again = await signPrepared(prepared, issuer);
  assert.equal(again.messageId, certificate.messageId);
});

test("a message's id covers its signature in no way, and both signatures are good", async () => {
  const { bytes } = payment;
  const other = Uint8Array.from([...bytes.subarray(0, -64), ...otherSignature(bytes.subarray(-64))]);
  assert.notDeepEqual(other, bytes);
  const decoded = decodeMessage(KINDS.payment.kind, other, crypto);
  assert.equal(decoded.messageId, payment.messageId);
  assert.ok(await verifyMessage(decoded, { key: device.publicKey, crypto }));
});

test("nothing is signed that no reader would take", async () => {
  const { content } = certificate;
  const by = { signer: issuer, crypto };
  const terms = { ...content.terms, perPaymentCapMinor: content.terms.limitMinor + 1n };
  await assert.rejects(signMessage(userCertificate, { ...content, terms }, by), { code: "MESSAGE_INCONSISTENT" });
  const named = { ...payee.content, terms: { ...payee.content.terms, name: "a\nb" } };
  await assert.rejects(signMessage(payeeCertificate, named, by), { code: "MESSAGE_FIELD_INVALID" });
  const list = await signTrustList();
  const keys = new Array<ReturnType<typeof trustedKey>>(256).fill(
    trustedKey("issuer", { issuerUrl: `https://${"a".repeat(192)}`, issuerName: "n".repeat(40) }),
  );
  assert.throws(() => prepareMessage(trustList, { ...list.content, keys }, crypto), { code: "MESSAGE_TOO_LARGE" });
});

test("errors of decoders become refusals, faults of ours do not", () => {
  const made = refusalFromError(new MessageError("CODE_TEXT_INVALID", "cut off"));
  assert.deepEqual(made, { code: "CODE_TEXT_INVALID", sentence: sentenceFor("CODE_TEXT_INVALID"), detail: "cut off" });
  // Those of the decoders underneath have no sentence of ours in front: all of what they say is the detail.
  const cbor = new CborError("CBOR_TRUNCATED", "Cut off.", 3);
  assert.deepEqual(refusalFromError(cbor), {
    code: "CBOR_TRUNCATED",
    sentence: sentenceFor("CBOR_TRUNCATED"),
    detail: cbor.message,
  });
  const fault = new TypeError("ours");
  assert.throws(() => refusalFromError(fault), fault);
});

test("identifiers have one text each, and shorten from the front", () => {
  const messageId = identifier<MessageId>(
    Uint8Array.from({ length: 32 }, (_, at) => at),
    32,
  );
  assert.equal(messageId, toHex(fromHex(messageId)));
  assert.equal(requestHashOf(messageId), messageId.slice(0, 32));
  assert.equal(chainHashOf(messageId), messageId.slice(0, 16));
  assert.equal(identifierFromText<MessageId>(messageId, 32), messageId);
  for (const text of [messageId.toUpperCase(), messageId.slice(2), `${messageId}00`, `${messageId.slice(1)}g`, ""])
    assert.equal(identifierFromText<MessageId>(text, 32), undefined, text);
  assert.throws(() => identifier<MessageId>(new Uint8Array(31), 32), RangeError);
  // Zeros beside what is no digit hide nothing of it.
  for (const text of ["0", "000", "0g", "g0", "00g0", "A0", "0\u00e9"])
    assert.throws(() => fromHex(text), RangeError, text);
  for (const text of ["", "kiosk", "A".repeat(17), "A B", "A\n"]) assert.equal(isPayeeId(text), false, text);
  for (const text of ["", "BANK", "a".repeat(17), "a b", "a\n"]) assert.equal(isIssuerId(text), false, text);
  assert.ok(isPayeeId("KIOSK-3") && isIssuerId("harbour-bank"));
});
