import assert from "node:assert/strict";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { encodeUploadRecord, terminalIdOf } from "@cairn/messages";
import { SqliteIssuerStore } from "@cairn/stores";
import { SettlementWorker } from "../src/settlement/worker.ts";
import {
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
import { TestClock } from "./support/issuer.ts";

/** A worker whose log nobody reads. */
async function quietWorker(store: SqliteIssuerStore): Promise<SettlementWorker> {
  const { crypto, anchors, certificateIdCipher } = await contextFor();
  const silent = () => {};
  return new SettlementWorker({
    store,
    crypto,
    clock: new TestClock(),
    log: { debug: silent, info: silent, warn: silent, error: silent },
    certificateIdCipher,
    anchors: () => anchors,
    policy: { uploadDeadlineSeconds: 86_400 },
    intervalMs: 1_000,
    onWithdrawn: silent,
  });
}

test("a record that meets a fault of ours is refused to nobody and tried again later", async () => {
  const { crypto, anchors, certificateIdCipher } = await contextFor();
  const certificate = await userCertificateOf();
  const payee = await payeeCertificateOf();
  const request = await requestOf();
  const payment = await paymentOf(certificate, request);
  const bytes = encodeUploadRecord({
    kind: "payment",
    payeeCertificate: payee.bytes,
    request: request.bytes,
    certificate: certificate.bytes,
    payment: payment.bytes,
  });
  const record = { ...inboxRecord(bytes, "terminal"), paymentId: payment.messageId };
  const store = new SqliteIssuerStore(":memory:");
  const terms = payee.content.terms;
  await store.createPayee({ payeeId: SHOP, createdAt: NOW, ...terms });
  const codeHash = "c0".repeat(32);
  await store.createEnrolmentCode({ codeHash, for: { payeeId: SHOP }, expiresAt: NOW + 60 });
  const terminalId = terminalIdOf(tillSigner.publicKey, crypto);
  const publicKey = encodeCbor(publicKeyToCbor(tillSigner.publicKey));
  await store.enrolTerminal({ codeHash, terminalId, publicKey, label: "till", at: NOW });
  await store.receive([record]);

  let isBroken = true;
  const faults: object[] = [];
  const clock = new TestClock();
  clock.now = record.receivedAt + 25;
  const worker = new SettlementWorker({
    store,
    crypto: {
      ...crypto,
      verifyEs256: (...input) => (isBroken ? Promise.reject(new Error("a bug")) : crypto.verifyEs256(...input)),
    },
    clock,
    log: { debug: () => {}, info: () => {}, warn: () => {}, error: (facts) => void faults.push(facts) },
    certificateIdCipher,
    anchors: () => anchors,
    policy: { uploadDeadlineSeconds: 86_400 },
    intervalMs: 1_000,
    onWithdrawn: () => {},
  });
  const outcome = async () => (await store.outcomes([payment.messageId]))[0]?.state;
  assert.equal(await worker.settleRound(), 1);
  assert.deepEqual([faults.length, await outcome(), await store.waitingRecords()], [1, "received", 1]);
  isBroken = false;
  clock.now += 24;
  assert.equal(await worker.settleRound(), 0, "it waits as long again as it has waited");
  clock.now += 1;
  assert.equal(await worker.settleRound(), 1);
  assert.equal(await store.waitingRecords(), 0);
  const [evidence] = await store.evidence(payment.messageId);
  assert.equal(evidence?.code, "CERTIFICATE_UNKNOWN", "judged: this store never issued the certificate");
  await worker.stop();
  await store.close();
});

test("a store that fails while batches are taken keeps no partition from the next look", async () => {
  const store = new SqliteIssuerStore(":memory:");
  const record = inboxRecord(Uint8Array.of(0xff), "terminal");
  await store.receive([1, 2].map((partition) => ({ ...record, partition, recordHash: `0${partition}` })));
  const takeBatch = store.takeBatch.bind(store);
  let calls = 0;
  store.takeBatch = async (...input) => {
    if (++calls === 2) throw new Error("gone for a moment");
    return takeBatch(...input);
  };
  const worker = await quietWorker(store);
  await assert.rejects(worker.settleRound(), /gone for a moment/);
  assert.equal(await worker.settleRound(), 2);
  assert.equal(await store.waitingRecords(), 0);
  await worker.stop();
  await store.close();
});

test("two rounds are written at once, no partition in both, and what failed is settled the next time", async () => {
  const store = new SqliteIssuerStore(":memory:");
  const record = inboxRecord(Uint8Array.of(0xff), "terminal");
  const partitions = Array.from({ length: 9 }, (_, partition) => partition);
  const each = 400;
  await store.receive(
    partitions.flatMap((partition) =>
      Array.from({ length: each }, (_, index) => ({
        ...record,
        partition,
        recordHash: (partition * each + index).toString(16).padStart(64, "0"),
      })),
    ),
  );
  const writing = new Set<number>();
  let most = 0;
  let mustFail = true;
  const settle = store.settle.bind(store);
  store.settle = async (input) => {
    assert.ok(!writing.has(input.partition));
    writing.add(input.partition);
    most = Math.max(most, writing.size);
    await setImmediate();
    try {
      if (input.partition === 4 && mustFail) throw new Error("gone for a moment");
      return await settle(input);
    } finally {
      writing.delete(input.partition);
    }
  };
  const worker = await quietWorker(store);
  await assert.rejects(worker.settleAll(), /gone for a moment/);
  const left = await store.waitingRecords();
  assert.equal(left, each, "the other writer goes on");
  mustFail = false;
  assert.equal(await worker.settleAll(), each);
  assert.equal(await store.waitingRecords(), 0);
  // A round holds three of these partitions.
  assert.ok(most > 3, `never more than ${most} at once`);
  await worker.stop();
  await store.close();
});
