import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { SignatureBatches } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import { decodeMessage, encodeUploadRecord, fromHex, payment as paymentKind } from "@cairn/messages";
import { requireSignatureBatches, signatureBatchesMissing } from "../../../testing/signature-batches.ts";
import { type SignatureChecker, verificationCaches } from "../src/settlement/context.ts";
import { VerificationPool } from "../src/settlement/verification-pool.ts";
import { type UploadedRecord, verifyUploadRecords } from "../src/settlement/verify-records.ts";
import { verifySignatures } from "../src/settlement/verify-signatures.ts";
import {
  contextFor,
  deviceSigner,
  inboxRecord,
  payeeCertificateOf,
  paymentOf,
  requestOf,
  userCertificateOf,
} from "./support/bank.ts";
import { crypto } from "./support/values.ts";

describe("payments verified together", { skip: signatureBatchesMissing }, async () => {
  const real = requireSignatureBatches();
  const context = await contextFor();
  const COUNT = 64;

  type Change = {
    readonly payment?: (bytes: Uint8Array) => Uint8Array;
    readonly hint?: (hint: Uint8Array) => Uint8Array;
  };

  /** Uploaded payments, some changed after their hint was worked out. */
  async function uploaded(changes: Readonly<Record<number, Change>> = {}): Promise<UploadedRecord[]> {
    const payee = await payeeCertificateOf();
    const certificate = await userCertificateOf();
    const records: UploadedRecord[] = [];
    for (let index = 0; index < COUNT; index++) {
      const request = await requestOf();
      const paid = await paymentOf(certificate, request);
      const { messageId, signature } = decodeMessage(paymentKind, paid.bytes, crypto);
      const hint = real.hintFor({
        publicKey: certificate.content.deviceKey,
        digest: fromHex(messageId),
        signature,
      });
      assert.ok(hint !== undefined);
      const change = changes[index];
      const bytes = encodeUploadRecord({
        kind: "payment",
        payeeCertificate: payee.bytes,
        request: request.bytes,
        certificate: certificate.bytes,
        payment: change?.payment?.(paid.bytes) ?? paid.bytes,
        hint: change?.hint?.(hint) ?? hint,
      });
      records.push({ ...inboxRecord(bytes, "terminal"), inboxId: index + 1 });
    }
    return records;
  }

  /** Counts what is asked of it: signatures, batch by batch. */
  function counted() {
    const sizes: number[] = [];
    const batches: SignatureBatches = {
      ...real,
      areAllValid: (signatures) => {
        sizes.push(signatures.length);
        return real.areAllValid(signatures);
      },
    };
    const checker: SignatureChecker = {
      takesHints: true,
      verify: (signatures, bringers) => verifySignatures(signatures, bringers, { crypto, batches }),
    };
    // Caches of its own: who is distrusted is remembered there.
    return { checked: { ...context, caches: verificationCaches(), checker }, sizes };
  }

  const lastByte = (bytes: Uint8Array) => bytes.with(-1, (bytes.at(-1) ?? 0) ^ 1);

  test("sound payments are verified by one batch, and no signature of theirs alone", async () => {
    const records = await uploaded();
    const { checked, sizes } = counted();
    const { items, rejected } = await verifyUploadRecords(records, checked);
    assert.deepEqual([items.length, rejected.length], [COUNT, 0]);
    assert.deepEqual(sizes, [COUNT]);
  });

  test("hints that nobody can use are not handed on", async () => {
    const { items } = await verifyUploadRecords(await uploaded(), { ...context, caches: verificationCaches() });
    assert.equal(items.length, COUNT);
  });

  const cases: Readonly<Record<string, Readonly<Record<number, Change>>>> = {
    "nothing wrong": {},
    "a payment with another's signature": { 5: { payment: lastByte } },
    "a wrong hint": { 40: { hint: lastByte } },
    "a bad payment at each end and a wrong hint between": {
      0: { payment: lastByte },
      30: { hint: lastByte },
      63: { payment: lastByte },
    },
    "wrong hints everywhere": Object.fromEntries(
      Array.from({ length: COUNT }, (_, index) => [index, { hint: lastByte }]),
    ),
    "bad payments everywhere": Object.fromEntries(
      Array.from({ length: COUNT }, (_, index) => [index, { payment: lastByte }]),
    ),
  };

  for (const [name, changes] of Object.entries(cases))
    test(`what is found is what is found one by one: ${name}`, async () => {
      const records = await uploaded(changes);
      const { checked, sizes } = counted();
      const together = await verifyUploadRecords(records, checked);
      const { wrongHintsOf, ...found } = together;
      const { wrongHintsOf: none, ...alone } = await verifyUploadRecords(records, context);
      assert.deepEqual(found, alone);
      assert.deepEqual(none, []);
      assert.deepEqual(
        wrongHintsOf,
        Object.keys(changes).length === 0 ? [] : [records[0]?.senderId],
        "told to the log",
      );
      const bad = Object.values(changes).filter(({ payment }) => payment !== undefined).length;
      assert.deepEqual([together.items.length, together.rejected.length], [COUNT - bad, bad]);
      assert.ok(sizes.reduce((sum, size) => sum + size, 0) <= 5 * COUNT, `too much was tried: ${sizes}`);
    });

  test("who sent a wrong hint is verified one by one from then on, and others are not", async () => {
    const { checked, sizes } = counted();
    await verifyUploadRecords(await uploaded({ 3: { hint: lastByte } }), checked);
    sizes.length = 0;
    const sound = await uploaded();
    assert.equal((await verifyUploadRecords(sound, checked)).items.length, COUNT);
    assert.deepEqual(sizes, []);
    const another = sound.map((record) => ({ ...record, senderId: "00000000000000aa" as typeof record.senderId }));
    await verifyUploadRecords(another, checked);
    assert.deepEqual(sizes, [COUNT]);
  });

  test("who only uploaded beside a sender of wrong hints is not named, and stays fast", async () => {
    const mine = await uploaded();
    const evil = "00000000000000ee" as UploadedRecord["senderId"];
    const spoiled = await uploaded(
      Object.fromEntries(Array.from({ length: COUNT }, (_, index) => [index, { hint: lastByte }])),
    );
    // Every second record of a round is the evil terminal's.
    const mixed = mine.flatMap((record, index) => {
      const other = spoiled[index];
      assert.ok(other !== undefined);
      return [record, { ...other, senderId: evil, inboxId: COUNT + 1 + index }];
    });
    const { checked, sizes } = counted();
    const { items, wrongHintsOf } = await verifyUploadRecords(mixed, checked);
    assert.equal(items.length, 2 * COUNT);
    assert.deepEqual(wrongHintsOf, [evil]);
    sizes.length = 0;
    assert.equal((await verifyUploadRecords(mixed, checked)).items.length, 2 * COUNT);
    assert.deepEqual(sizes, [COUNT], "all of the honest terminal's, together, and none of the other's");
  });

  test("verifying threads use hints too, find the same, and say who sent wrong ones", async () => {
    const records = await uploaded({ 9: { hint: lastByte }, 20: { payment: lastByte } });
    const pool = new VerificationPool({ threads: 1 });
    try {
      const [first] = records;
      assert.ok(first !== undefined);
      assert.ok(pool.takesHints);
      const there = await verifyUploadRecords(records, { ...context, caches: verificationCaches(), checker: pool });
      const { wrongHintsOf, ...found } = there;
      const { wrongHintsOf: none, ...alone } = await verifyUploadRecords(records, context);
      assert.deepEqual(found, alone);
      assert.deepEqual([none, wrongHintsOf], [[], [first.senderId]]);
      assert.deepEqual([found.items.length, found.rejected.length], [COUNT - 1, 1]);
    } finally {
      await pool.close();
    }
  });

  test("a payment proven under one certificate's key is not taken under another's", async () => {
    const records = await uploaded();
    const { checked } = counted();
    // A certificate of another device, validly issued: the payment's own key is not the one that it names.
    const strangers = await userCertificateOf({ deviceKey: generateNodeSigner().publicKey });
    const payee = await payeeCertificateOf();
    const request = await requestOf();
    const paid = await paymentOf(strangers, request);
    const { messageId, signature } = decodeMessage(paymentKind, paid.bytes, crypto);
    const hint = real.hintFor({ publicKey: deviceSigner.publicKey, digest: fromHex(messageId), signature });
    assert.ok(hint !== undefined, "the usual device has signed it");
    const bytes = encodeUploadRecord({
      kind: "payment",
      payeeCertificate: payee.bytes,
      request: request.bytes,
      certificate: strangers.bytes,
      payment: paid.bytes,
      hint,
    });
    const strange = { ...inboxRecord(bytes, "terminal"), inboxId: COUNT + 1 };
    const { items, rejected } = await verifyUploadRecords([...records, strange], checked);
    assert.equal(items.length, COUNT);
    assert.deepEqual(
      rejected.map(({ record, code }) => [record.inboxId, code]),
      [[COUNT + 1, "SIGNATURE_INVALID"]],
    );
  });
});
