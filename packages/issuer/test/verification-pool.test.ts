import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeSyncRecord, encodeUploadRecord, requestVoid, signMessage } from "@cairn/messages";
import { VerificationPool } from "../src/settlement/verification-pool.ts";
import { verifyUploadRecords } from "../src/settlement/verify-records.ts";
import {
  anchors,
  byTill,
  CERTIFICATE_ID_KEY,
  contextFor,
  inboxRecord,
  NOW,
  payeeCertificateOf,
  paymentOf,
  requestOf,
  SHOP,
  userCertificateOf,
} from "./support/bank.ts";

async function records() {
  const certificate = await userCertificateOf();
  const payee = await payeeCertificateOf();
  const request = await requestOf();
  const payment = await paymentOf(certificate, request);
  const messages = {
    payeeCertificate: payee.bytes,
    request: request.bytes,
    certificate: certificate.bytes,
    payment: payment.bytes,
  };
  const voided = await signMessage(
    requestVoid,
    { requestId: request.messageId, issuedAt: NOW + 40, payeeCertificateId: payee.content.payeeCertificateId },
    byTill,
  );
  const sound = encodeUploadRecord({ kind: "payment", ...messages });
  const forged = encodeUploadRecord({
    kind: "payment",
    ...messages,
    payment: payment.bytes.with(-1, (payment.bytes.at(-1) ?? 0) ^ 1),
  });
  const cancelled = encodeUploadRecord({
    kind: "void",
    payeeCertificate: payee.bytes,
    request: request.bytes,
    requestVoid: voided.bytes,
  });
  const fromPayer = encodeSyncRecord({ kind: "payment", ...messages, receipt: undefined, requestVoid: undefined });
  return [
    inboxRecord(sound, "terminal"),
    inboxRecord(forged, "terminal"),
    inboxRecord(Uint8Array.of(0xff, 1, 2), "terminal"),
    inboxRecord(cancelled, "terminal"),
    inboxRecord(fromPayer, "payer"),
    inboxRecord(new Uint8Array(), "payer"),
  ].map((record, index) => ({ ...record, inboxId: index + 1 }));
}

test("a thread finds exactly what the calling thread finds", async () => {
  const context = await contextFor();
  const batch = await records();
  const pool = new VerificationPool({ certificateIdKey: CERTIFICATE_ID_KEY, threads: 2 });
  try {
    const senderOf = (senderId: string) => {
      const record = batch.find((each) => each.senderId === senderId);
      return record === undefined ? undefined : context.senderOf(record);
    };
    const here = await verifyUploadRecords(batch, context);
    const trusted = await anchors();
    const [one, two, again] = await Promise.all(
      [0, 1, 0].map((lane) => pool.verify(batch, { lane, anchors: trusted, senderOf })),
    );
    assert.deepEqual([here.items.length, here.rejected.length, here.voids.length], [2, 4, 1]);
    for (const there of [one, two, again]) assert.deepEqual(there, here);
    assert.equal(here.items[0]?.payeeWord?.payeeId, SHOP);
  } finally {
    await pool.close();
  }
});

test("a batch whose thread ends fails, and the next one gets a new thread", async () => {
  const context = await contextFor();
  const batch = await records();
  const pool = new VerificationPool({ certificateIdKey: CERTIFICATE_ID_KEY, threads: 1 });
  const ask = () => pool.verify(batch, { lane: 0, anchors: context.anchors, senderOf: () => undefined });
  try {
    // Ended before it has even loaded its code: it cannot have been faster than its end.
    const cutOff = ask();
    await Promise.all([assert.rejects(cutOff, /thread has ended/), pool.close()]);
    assert.equal((await ask()).rejected.length, batch.length, "nobody is known as a sender");
  } finally {
    await pool.close();
  }
});
