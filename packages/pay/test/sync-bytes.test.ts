/** A call has a bound in bytes beside the one in records: no wallet is so full that its sync would be turned away. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  deviceIdOf,
  encodeSyncRecord,
  identifier,
  MAXIMUM_BODY_BYTES,
  MAXIMUM_MESSAGE_BYTES,
  type ServerNonce,
  splitRecords,
  writeSignedCall,
} from "@cairn/messages";
import { applySyncAnswer, buildSync, type StoredPayment, type SyncBatch } from "../src/index.ts";
import { aSyncAnswer, crypto, holding, messageId, NOW, type World } from "./world.ts";

const HELD = 500;
const longest = new Uint8Array(MAXIMUM_MESSAGE_BYTES);

/**
 * Payments of messages that are about as long as any may be: three a record, some 6 kB. The store keeps what it is
 * given. Some number of records is together just as long as a call may be: whoever leaves no room for the envelope takes
 * one too many.
 */
async function fullWallet(): Promise<World> {
  const world = await holding([{ terms: { limitMinor: 1_000_000n } }]);
  const { store } = world.ports;
  await store.commit({ kind: "none" }, ({ certificates: [certificate] }) => {
    assert.ok(certificate !== undefined);
    const { certificateId, bytes: own } = certificate;
    const longestRecord = encodeSyncRecord({
      kind: "payment",
      certificate: own,
      payment: longest,
      payeeCertificate: longest,
      request: longest,
      receipt: undefined,
      requestVoid: undefined,
    }).length;
    const tooMany = Math.ceil(MAXIMUM_BODY_BYTES / longestRecord);
    const recordLength = Math.floor(MAXIMUM_BODY_BYTES / tooMany);
    const longerByOne = MAXIMUM_BODY_BYTES - tooMany * recordLength;
    const payments = Array.from({ length: HELD }, (_, index): StoredPayment => {
      const [paymentId, requestId] = [messageId(2 * index + 1), messageId(2 * index + 2)];
      const spentMinor = BigInt(index + 1);
      const made = { paymentId, certificateId, requestId, sequence: index + 1, amountMinor: 1n, spentMinor };
      const request = longest.slice(longestRecord - recordLength - (index < longerByOne ? 1 : 0));
      const bytes = { draft: longest, request, payeeCertificate: longest };
      const later = { signed: undefined, shown: false, receipt: undefined, requestVoid: undefined, outcome: undefined };
      return { kind: "payment", preparedAt: NOW, ...made, ...bytes, ...later };
    });
    const writes = payments.flatMap((payment) => [
      { kind: "payment" as const, payment },
      { kind: "signature" as const, paymentId: payment.paymentId, signed: longest },
    ]);
    return { result: undefined, writes };
  });
  return world;
}

async function bodyOf({ ports }: World, { content }: SyncBatch): Promise<Uint8Array> {
  const call = {
    callerId: deviceIdOf(ports.signer.publicKey, crypto),
    nonce: identifier<ServerNonce>(new Uint8Array(24), 24),
    issuedAt: NOW,
    content,
  };
  return writeSignedCall("sync", call, ports);
}

test("a sync is never longer than the server takes, and all of it is heard of in the end", async () => {
  const world = await fullWallet();
  const heardOf = new Set<string>();
  let calls = 0;
  for (let more = true; more; calls += 1) {
    const batch = await buildSync(world.ports);
    const body = await bodyOf(world, batch);
    assert.ok(body.length <= MAXIMUM_BODY_BYTES, `${body.length} bytes`);
    assert.equal(splitRecords(batch.content).length, batch.entries.length);
    for (const entry of batch.entries) if (entry.kind === "payment") heardOf.add(entry.paymentId);
    more = heardOf.size < HELD;
    if (more) {
      assert.ok(batch.more, "it says that there is more");
      assert.ok(body.length + 4 * MAXIMUM_MESSAGE_BYTES + 4_096 > MAXIMUM_BODY_BYTES, "there was no room for another");
    }
    const received = { state: "received", code: null, sentence: null } as const;
    const records = batch.entries.map((_, index) => ({ index, ...received }));
    const payments = batch.entries.flatMap((entry) =>
      entry.kind === "payment"
        ? [{ paymentId: entry.paymentId, ...received, sentence: "It waits.", takenMinor: 0n }]
        : [],
    );
    await applySyncAnswer(world.ports, { answer: await aSyncAnswer({ records, payments }), entries: batch.entries });
    assert.ok(calls < 10, "what was not heard of comes first");
  }
  assert.ok(calls > 1, "the bound in bytes was met");
});
