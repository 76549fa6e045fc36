import assert from "node:assert/strict";
import { test } from "node:test";
import { decompress, publicKeyFromPoint } from "@cairn/cose";
import { encodeSyncRecord, encodeUploadRecord, requestVoid, signMessage } from "@cairn/messages";
import type { SignatureChecker } from "../src/settlement/context.ts";
import { decodeRecord } from "../src/settlement/decode-record.ts";
import { VerificationPool } from "../src/settlement/verification-pool.ts";
import { verifyUploadRecords } from "../src/settlement/verify-records.ts";
import {
  byTill,
  contextFor,
  inboxRecord,
  NOW,
  payeeCertificateOf,
  paymentOf,
  requestOf,
  SHOP,
  tillSigner,
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

test("threads find exactly what the calling thread finds", async () => {
  const context = await contextFor();
  const batch = await records();
  const pool = new VerificationPool({ threads: 2 });
  try {
    const here = await verifyUploadRecords(batch, context);
    assert.deepEqual([here.items.length, here.rejected.length, here.voids.length], [2, 4, 1]);
    const [one, two] = await Promise.all(
      [1, 2].map(async () => verifyUploadRecords(batch, { ...(await contextFor()), checker: pool })),
    );
    for (const there of [one, two]) assert.deepEqual(there, here);
    assert.equal(here.items[0]?.payeeWord?.payeeId, SHOP);
  } finally {
    await pool.close();
  }
});

test("a key that is no point of the curve verifies nothing, and the thread goes on", async () => {
  const pool = new VerificationPool({ threads: 1 });
  const { publicKey } = tillSigner;
  const signed = { message: new Uint8Array(3), signature: await tillSigner.sign(new Uint8Array(3)) };
  const offCurve = publicKeyFromPoint(Uint8Array.of(2, ...new Uint8Array(31), 1));
  assert.throws(() => decompress(offCurve), "there is a point after all");
  try {
    const { areValid } = await pool.verify(
      [
        { publicKey: offCurve, ...signed },
        { publicKey, ...signed },
      ],
      [],
    );
    assert.deepEqual(areValid, [false, true]);
  } finally {
    await pool.close();
  }
});

test("what a thread was asked when it ended fails, and the next question gets a new thread", async () => {
  const pool = new VerificationPool({ threads: 1 });
  const message = new Uint8Array(3);
  const asked = [{ publicKey: tillSigner.publicKey, message, signature: await tillSigner.sign(message) }];
  try {
    // Ended before it has even loaded its code: it cannot have been faster than its end.
    const cutOff = pool.verify(asked, []);
    await Promise.all([assert.rejects(cutOff, /thread has ended/), pool.close()]);
    assert.deepEqual((await pool.verify(asked, [])).areValid, [true]);
  } finally {
    await pool.close();
  }
});

test("a signature at which the threads end keeps no other record waiting", async () => {
  const batch = await records();
  const [poison = assert.fail()] = batch;
  const context = await contextFor();
  const message = decodeRecord(poison.bytes, "terminal", context);
  const key = "kind" in message && message.kind === "payment" ? message.payment.signature : assert.fail();
  const checker: SignatureChecker = {
    ...context.checker,
    verify: (signatures, bringers) =>
      signatures.some(({ signature }) => Buffer.from(signature).equals(key))
        ? Promise.reject(new Error("A verifying thread has ended."))
        : context.checker.verify(signatures, bringers),
  };
  const { items, rejected, voids, faulty } = await verifyUploadRecords(batch, { ...context, checker });
  // The payer brought the same payment in a record of its own.
  assert.deepEqual([items.length, rejected.length, voids.length, faulty.length], [0, 4, 1, 2]);
});
