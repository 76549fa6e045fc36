import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { accountNumber, sealCertificateId } from "@cairn/issue";
import {
  type Capture,
  type CertificateId,
  capture,
  encodeSyncRecord,
  encodeUploadRecord,
  identifier,
  type MessageId,
  type PayeeCertificateId,
  payeeCertificate,
  payment,
  receipt,
  requestHashOf,
  requestVoid,
  signMessage,
  terminalIdOf,
  userCertificate,
} from "@cairn/messages";
import fc from "fast-check";
import { certificateIdCipher } from "../src/keys/certificate-id-cipher.ts";
import type { VerifyRecordsContext } from "../src/settlement/context.ts";
import { verifyUploadRecords } from "../src/settlement/verify-records.ts";
import {
  byDevice,
  byTill,
  contextFor,
  inboxRecord,
  NOW,
  openPaymentOf,
  payeeCertificateOf,
  paymentOf,
  requestOf,
  SHOP,
  tillSigner,
  userCertificateOf,
} from "./support/bank.ts";
import { crypto, payeeId } from "./support/values.ts";

const stranger = { signer: generateNodeSigner(), crypto };

async function twoWay() {
  const certificate = await userCertificateOf();
  const payee = await payeeCertificateOf();
  const request = await requestOf();
  return { certificate, payee, request, payment: await paymentOf(certificate, request) };
}

type Parts = Awaited<ReturnType<typeof twoWay>>;
const upload = ({ certificate, payee, request, payment }: Parts) =>
  encodeUploadRecord({
    kind: "payment",
    payeeCertificate: payee.bytes,
    request: request.bytes,
    certificate: certificate.bytes,
    payment: payment.bytes,
  });

async function open(changes: Partial<Capture> = {}, by = byTill) {
  const certificate = await userCertificateOf();
  const payee = await payeeCertificateOf();
  const payment = await openPaymentOf(certificate);
  const content: Capture = {
    payeeCertificateId: payee.content.payeeCertificateId,
    paymentId: payment.messageId,
    amountMinor: 300n,
    issuedAt: NOW + 30,
    ...changes,
  };
  return { certificate, payee, payment, word: await signMessage(capture, content, by), content };
}

const captured = ({ certificate, payee, payment, word }: Awaited<ReturnType<typeof open>>) =>
  encodeUploadRecord({
    kind: "open-payment",
    payeeCertificate: payee.bytes,
    capture: word.bytes,
    certificate: certificate.bytes,
    payment: payment.bytes,
  });

async function verify(bytes: Uint8Array, from: "terminal" | "payer" = "terminal", context?: VerifyRecordsContext) {
  const { items, rejected, voids } = await verifyUploadRecords(
    [inboxRecord(bytes, from)],
    context ?? (await contextFor()),
  );
  return { item: items[0], code: rejected[0]?.code, paymentId: rejected[0]?.paymentId, requestVoid: voids[0] };
}

test("a sound two-way payment becomes an item with everything that settlement asks for", async () => {
  const parts = await twoWay();
  const { item, code } = await verify(upload(parts));
  assert.equal(code, undefined);
  assert.deepEqual(item, {
    inboxId: 7,
    paymentId: parts.payment.messageId,
    kind: "payment",
    certificateId: parts.certificate.content.certificateId,
    sequence: 1,
    spentMinor: 700n,
    amountMinor: 700n,
    previous: parts.payment.content.previous,
    requestHash: requestHashOf(parts.request.messageId),
    receivedAt: NOW + 500,
    broughtBy: "terminal",
    payeeWord: {
      payeeId: SHOP,
      terminalId: terminalIdOf(tillSigner.publicKey, crypto),
      perCertificateCapMinor: 9_000n,
      maximumOfflineSeconds: 3_600,
      acceptedAt: NOW + 10,
      takenMinor: 700n,
    },
    voided: false,
    refusal: undefined,
  });
});

test("every fault of a two-way record has its code, and none of them becomes an item", async () => {
  const parts = await twoWay();
  const { certificate, request } = parts;
  const otherIssuer = await signMessage(userCertificate, certificate.content, stranger);
  const foreignId = sealCertificateId(
    { account: accountNumber(1), serial: 1 },
    certificateIdCipher(new Uint8Array(16)),
  );
  const foreign = await userCertificateOf({ certificateId: foreignId });
  const sibling = await userCertificateOf({ certificateId: identifier<CertificateId>(new Uint8Array(16).fill(3), 16) });
  const cases: [string, Uint8Array, string][] = [
    ["not CBOR", Uint8Array.of(0xff), "CBOR_UNSUPPORTED"],
    ["not a record", Uint8Array.of(0x80), "BUNDLE_MALFORMED"],
    [
      "a message in it cut short",
      upload({ ...parts, payment: { ...parts.payment, bytes: parts.payment.bytes.slice(0, -1) } }),
      "CBOR_TOO_LONG",
    ],
    [
      "messages swapped",
      upload({ ...parts, payment: { ...parts.payment, bytes: request.bytes } }),
      "MESSAGE_FIELD_INVALID",
    ],
    [
      "a certificate id of another server",
      upload({ ...parts, certificate: foreign, payment: await paymentOf(foreign, request) }),
      "CERTIFICATE_NOT_OURS",
    ],
    [
      "another payee's certificate",
      upload({ ...parts, payee: await payeeCertificateOf({ payeeId: payeeId("OTHER") }) }),
      "RECORD_OF_ANOTHER_PAYEE",
    ],
    ["a certificate signed by nobody we know", upload({ ...parts, certificate: otherIssuer }), "SIGNATURE_INVALID"],
    ["a payment of another certificate", upload({ ...parts, certificate: sibling }), "CERTIFICATE_MISMATCH"],
    [
      "a request that the payment does not answer",
      upload({ ...parts, request: await requestOf({ amountMinor: 701n }) }),
      "REQUEST_MISMATCH",
    ],
  ];
  const forged = await signMessage(payment, parts.payment.content, stranger);
  cases.push(["a payment by another key", upload({ ...parts, payment: forged }), "SIGNATURE_INVALID"]);
  const badPayee = await signMessage(payeeCertificate, parts.payee.content, stranger);
  cases.push([
    "a payee certificate signed by nobody we know",
    upload({ ...parts, payee: badPayee }),
    "SIGNATURE_INVALID",
  ]);
  const otherPayee = await payeeCertificateOf({
    payeeCertificateId: identifier<PayeeCertificateId>(new Uint8Array(8), 8),
  });
  cases.push([
    "a payee certificate that the request does not name",
    upload({ ...parts, payee: otherPayee }),
    "PAYEE_CERTIFICATE_MISMATCH",
  ]);
  for (const [what, bytes, expected] of cases) {
    const { item, code } = await verify(bytes);
    assert.deepEqual([item, code], [undefined, expected], what);
  }
});

test("what the rules refuse travels with the item: the payment itself is at fault", async () => {
  const { certificate, payee, request } = await twoWay();
  for (const [changes, expected] of [
    [{ amountMinor: 699n }, "AMOUNT_MISMATCH"],
    [{ spentMinor: 5_001n }, "LIMIT_EXCEEDED"],
    [{ spentMinor: 1n }, "SPENT_INCONSISTENT"],
    [{ issuedAt: NOW + 86_401 }, "CERTIFICATE_EXPIRED"],
  ] as const) {
    const payment = await paymentOf(certificate, request, changes);
    const { item } = await verify(upload({ certificate, payee, request, payment }));
    assert.equal(item?.refusal?.code, expected);
    assert.ok(item?.payeeWord);
  }
});

test("a payer's record needs the payee's genuine receipt to count as the payee's word", async () => {
  const { certificate, payee, request, payment } = await twoWay();
  const { payeeCertificateId } = payee.content;
  const about = { payeeCertificateId, paymentId: payment.messageId, amountMinor: 700n, issuedAt: NOW + 10 };
  const record = (receiptBytes: Uint8Array | undefined, voidBytes?: Uint8Array) =>
    encodeSyncRecord({
      kind: "payment",
      certificate: certificate.bytes,
      payment: payment.bytes,
      payeeCertificate: payee.bytes,
      request: request.bytes,
      receipt: receiptBytes,
      requestVoid: voidBytes,
    });
  const alone = await verify(record(undefined), "payer");
  assert.deepEqual([alone.item?.payeeWord, alone.item?.broughtBy, alone.item?.voided], [undefined, "payer", false]);
  const genuine = await signMessage(receipt, about, byTill);
  assert.equal((await verify(record(genuine.bytes), "payer")).item?.payeeWord?.takenMinor, 700n);
  const otherId = identifier<MessageId>(new Uint8Array(32), 32);
  for (const [bytes, expected] of [
    [(await signMessage(receipt, about, byDevice)).bytes, "SIGNATURE_INVALID"],
    [(await signMessage(capture, about, byTill)).bytes, "SIGNATURE_INVALID"],
    [(await signMessage(receipt, { ...about, paymentId: otherId }, byTill)).bytes, "RECEIPT_MISMATCH"],
    [(await signMessage(receipt, { ...about, amountMinor: 1n }, byTill)).bytes, "RECEIPT_MISMATCH"],
  ] as const)
    assert.equal((await verify(record(bytes), "payer")).code, expected);
  const voided = await signMessage(
    requestVoid,
    { payeeCertificateId, requestId: request.messageId, issuedAt: NOW },
    byTill,
  );
  assert.equal((await verify(record(undefined, voided.bytes), "payer")).item?.voided, true);
  const wrongVoid = await signMessage(requestVoid, { payeeCertificateId, requestId: otherId, issuedAt: NOW }, byTill);
  assert.equal((await verify(record(undefined, wrongVoid.bytes), "payer")).code, "REQUEST_MISMATCH");
  const forgedVoid = await signMessage(requestVoid, voided.content, byDevice);
  assert.equal((await verify(record(undefined, forgedVoid.bytes), "payer")).code, "SIGNATURE_INVALID");
});

test("a wallet brings home only what its own account paid, and no closings through the inbox", async () => {
  const { certificate, payee, request, payment } = await twoWay();
  const bytes = encodeSyncRecord({
    kind: "payment",
    certificate: certificate.bytes,
    payment: payment.bytes,
    payeeCertificate: payee.bytes,
    request: request.bytes,
    receipt: undefined,
    requestVoid: undefined,
  });
  const other = await contextFor({ senderOf: () => ({ kind: "payer", account: 43 }) });
  assert.equal((await verify(bytes, "payer", other)).code, "RECORD_OF_ANOTHER_ACCOUNT");
  const unknown = await contextFor({ senderOf: () => undefined });
  assert.equal((await verify(bytes, "payer", unknown)).code, "RECORD_OF_ANOTHER_PAYEE");
  const closing = encodeSyncRecord({ kind: "closing", closing: Uint8Array.of(1) });
  assert.equal((await verify(closing, "payer")).code, "BUNDLE_MALFORMED");
});

test("an open payment's capture: the payee's word when genuine, the record's fault when it is about something else", async () => {
  const sound = await verify(captured(await open()));
  assert.deepEqual([sound.item?.payeeWord?.takenMinor, sound.item?.payeeWord?.acceptedAt], [300n, NOW + 30]);
  assert.deepEqual(
    [sound.item?.kind, sound.item?.requestHash, sound.item?.refusal],
    ["open-payment", undefined, undefined],
  );
  const late = await verify(captured(await open({ issuedAt: NOW + 1_000 })));
  assert.deepEqual([late.item?.refusal?.code, late.item?.payeeWord?.payeeId], ["PAYMENT_EXPIRED", SHOP]);
  const over = await verify(captured(await open({ amountMinor: 701n })));
  assert.equal(over.item?.refusal?.code, "CAPTURE_OVER_MAXIMUM");
  const elsewhere = await verify(captured(await open({ paymentId: identifier<MessageId>(new Uint8Array(32), 32) })));
  assert.deepEqual([elsewhere.item, elsewhere.code], [undefined, "CAPTURE_MISMATCH"]);
  const forged = await verify(captured(await open({}, byDevice)));
  assert.deepEqual([forged.item, forged.code], [undefined, "SIGNATURE_INVALID"]);
});

test("a payer's open payment stays evidence though the receipt beside it is worth nothing", async () => {
  const { certificate, payee, payment, content } = await open();
  const record = (receiptBytes: Uint8Array | undefined) =>
    encodeSyncRecord({
      kind: "open-payment",
      certificate: certificate.bytes,
      payment: payment.bytes,
      payeeCertificate: receiptBytes === undefined ? undefined : payee.bytes,
      receipt: receiptBytes,
    });
  const genuine = (await signMessage(receipt, content, byTill)).bytes;
  assert.equal((await verify(record(genuine), "payer")).item?.payeeWord?.takenMinor, 300n);
  const forged = (await signMessage(receipt, content, byDevice)).bytes;
  const late = (await signMessage(receipt, { ...content, issuedAt: NOW + 1_000 }, byTill)).bytes;
  for (const bytes of [forged, late, undefined]) {
    const { item } = await verify(record(bytes), "payer");
    assert.deepEqual([item?.payeeWord, item?.refusal], [undefined, undefined]);
  }
});

test("a till's void is told apart from payments, and only of its own request", async () => {
  const { payee, request } = await twoWay();
  const { payeeCertificateId } = payee.content;
  const content = { payeeCertificateId, requestId: request.messageId, issuedAt: NOW + 50 };
  const record = async (by = byTill, changes: Partial<typeof content> = {}, its = request) => {
    const signed = await signMessage(requestVoid, { ...content, ...changes }, by);
    const messages = { payeeCertificate: payee.bytes, request: its.bytes, requestVoid: signed.bytes };
    return encodeUploadRecord({ kind: "void", ...messages });
  };
  const own = await verify(await record());
  assert.deepEqual([own.code, own.requestVoid?.requestHash], ["VOID_RECORDED", requestHashOf(request.messageId)]);
  const foreign = await requestOf({ payeeCertificateId: identifier<PayeeCertificateId>(new Uint8Array(8), 8) });
  for (const [bytes, expected] of [
    [await record(byDevice), "SIGNATURE_INVALID"],
    [await record(byTill, { requestId: identifier<MessageId>(new Uint8Array(32), 32) }), "REQUEST_MISMATCH"],
    [await record(byTill, { requestId: foreign.messageId }, foreign), "PAYEE_CERTIFICATE_MISMATCH"],
  ] as const) {
    const { code, requestVoid: recorded } = await verify(bytes);
    assert.deepEqual([code, recorded], [expected, undefined]);
  }
});

test("a fault of ours stops one record and no other, and is neither payment nor refusal", async () => {
  const bytes = upload(await twoWay());
  let calls = 0;
  const context = await contextFor({
    senderOf: () => {
      if (calls++ === 0) throw new Error("a bug");
      return { kind: "terminal", payeeId: SHOP };
    },
  });
  const record = inboxRecord(bytes, "terminal");
  const { items, rejected, faulty } = await verifyUploadRecords([record, record], context);
  assert.deepEqual([items.length, rejected, faulty.map(({ error }) => String(error))], [1, [], ["Error: a bug"]]);
});

test("whatever the bytes, every record comes out once and nothing is thrown", async () => {
  const sound = upload(await twoWay());
  const context = await contextFor();
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: sound.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, flip) => {
      const bytes = sound.with(at, (sound[at] ?? 0) ^ flip);
      for (const from of ["terminal", "payer"] as const) {
        const { items, rejected } = await verifyUploadRecords([inboxRecord(bytes, from)], context);
        assert.equal(items.length + rejected.length, 1);
        // No byte is outside of a signature that counts, but for the request's own: its hash stands in the payment.
        for (const item of items) assert.equal(item.paymentId, (await verify(sound)).item?.paymentId);
      }
    }),
    { numRuns: 150 },
  );
});
