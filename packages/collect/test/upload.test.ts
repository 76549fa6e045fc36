import assert from "node:assert/strict";
import { test } from "node:test";
import type { RecordAnswer, Upload } from "@cairn/collect";
import {
  decodeMessage,
  expectCode,
  fromHex,
  type MessageId,
  openPayment,
  payment,
  readCode,
  readUploadRecord,
  requestVoid,
  restoreVerified,
} from "@cairn/messages";
import { requireSignatureBatches, signatureBatchesMissing } from "../../../testing/signature-batches.ts";
import { chargeFor, crypto, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

const issuer = makeIssuer();

/** A terminal that accepted a two-way payment of 100, captured an open one for 300, and voided a request. */
async function busyTerminal() {
  const world = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(world.terminal, 100n);
  const paid = await payer.pay(asked.codeText);
  const open = await payer.payOpen(500n);
  const voided = await chargeFor(world.terminal, 50n);
  assert.equal((await world.terminal.accept(paid.codeText)).kind, "accepted");
  assert.equal((await world.terminal.acceptOpen(open.codeText, { captureMinor: 300n })).kind, "accepted");
  const voiding = await world.terminal.voidRequest(voided.requestId);
  assert.ok(voiding.kind === "voided");
  return { ...world, payer, asked, paid, open, voided, voiding };
}

const lists = async (world: Awaited<ReturnType<typeof busyTerminal>>) => ({
  ...world.enrolment,
  statusList: await issuer.signStatusList({ issuedAt: NOW - 10 }),
});
const received = (upload: Upload): RecordAnswer[] =>
  upload.items.map((item, index) => ({
    index,
    paymentId: item.kind === "payment" ? item.paymentId : null,
    state: "received",
    code: null,
    sentence: null,
  }));

test("each record holds all that is needed to judge it", async () => {
  const { terminal, payer, asked, paid, open, voided, voiding, enrolment } = await busyTerminal();
  const { records, items } = await terminal.buildUpload({ limit: 10 });
  assert.deepEqual(items, [
    { kind: "payment", paymentId: paid.signed.messageId },
    { kind: "payment", paymentId: open.signed.messageId },
    { kind: "void", requestId: voided.requestId },
  ]);
  const [twoWay, captured, given] = records.map((record) => readUploadRecord(record));
  const { payeeCertificate } = enrolment;
  assert.deepEqual(twoWay, {
    kind: "payment",
    payeeCertificate,
    request: expectCode(readCode(asked.codeText), "request").message,
    certificate: payer.certificate.bytes,
    payment: paid.signed.bytes,
  });
  assert.ok(captured?.kind === "open-payment");
  assert.deepEqual(captured.payment, open.signed.bytes);
  assert.ok(given?.kind === "void");
  assert.deepEqual(
    given.requestVoid,
    expectCode(readCode(voiding.codeText), "void").message,
    "the void that was shown",
  );
  assert.equal(restoreVerified(requestVoid, given.requestVoid, crypto).content.requestId, voided.requestId);
});

const HINTS = "where the platform can, each payment comes with a hint by which it verifies together with others";
test(HINTS, { skip: signatureBatchesMissing }, async () => {
  const { again, payer } = await busyTerminal();
  const signatures = requireSignatureBatches();
  const { records } = await again({ signatures: () => signatures }).buildUpload({ limit: 10 });
  const hinted = records.flatMap((bytes) => {
    const record = readUploadRecord(bytes);
    if (record.kind === "void") return [];
    assert.ok(record.hint !== undefined);
    const { messageId, signature } =
      record.kind === "payment"
        ? decodeMessage(payment, record.payment, crypto)
        : decodeMessage(openPayment, record.payment, crypto);
    const { deviceKey } = payer.certificate.content;
    return [{ publicKey: deviceKey, digest: fromHex(messageId), signature, hint: record.hint }];
  });
  assert.equal(hinted.length, 2);
  assert.ok(signatures.areAllValid(hinted));
});

test("the same bytes come again until they are answered, also from a terminal opened anew", async () => {
  const { terminal, again } = await busyTerminal();
  const first = await terminal.buildUpload({ limit: 10 });
  assert.deepEqual(await again().buildUpload({ limit: 10 }), first);
  assert.deepEqual((await terminal.buildUpload({ limit: 1 })).records, first.records.slice(0, 1));
});

test("uploading until nothing is left ends, and nothing leaves the journal", async () => {
  const world = await busyTerminal();
  const { terminal } = world;
  let rounds = 0;
  for (;;) {
    const upload = await terminal.buildUpload({ limit: 1 });
    if (upload.records.length === 0) break;
    const applied = await terminal.applyUploadAnswer(upload, { ...(await lists(world)), records: received(upload) });
    assert.deepEqual(applied, { received: 1, refused: 0, unanswered: 0, listRefusals: [] });
    rounds++;
    assert.ok(rounds < 9, "it never ends");
  }
  assert.equal(rounds, 3);
  assert.equal((await terminal.standing()).stored.count, 0);
  assert.equal((await terminal.standing()).statusListAgeSeconds, 10);
  assert.equal((await terminal.totals({})).totalMinor, 400n);
  assert.equal((await terminal.buildUpload({ limit: 9, which: "unsettled" })).records.length, 2, "voids are done");
});

test("an answer counts only for the record and the payment that it speaks of", async () => {
  const world = await busyTerminal();
  const { terminal, journal, paid, open } = world;
  const upload = await terminal.buildUpload({ limit: 10 });
  const [first, second] = received(upload);
  assert.ok(first !== undefined && second !== undefined);
  const records: RecordAnswer[] = [
    { ...first, paymentId: "ff".repeat(32) as MessageId },
    { ...second, state: "refused", code: "CERTIFICATE_NOT_OURS", sentence: "Not ours." },
    { ...second, state: "received" },
    { ...first, index: 77 },
  ];
  const applied = await terminal.applyUploadAnswer(upload, { ...(await lists(world)), records });
  assert.deepEqual(applied, { received: 0, refused: 1, unanswered: 2, listRefusals: [] });
  assert.equal((await journal.acceptance(paid.signed.messageId))?.answer, undefined);
  assert.deepEqual((await journal.acceptance(open.signed.messageId))?.answer, {
    state: "refused",
    code: "CERTIFICATE_NOT_OURS",
    sentence: "Not ours.",
    takenMinor: 0n,
    answeredAt: NOW,
  });
});

test("a record that the server could not read counts as answered, though it names no payment", async () => {
  const { terminal } = await busyTerminal();
  const upload = await terminal.buildUpload({ limit: 10 });
  const unread = { index: 0, paymentId: null, state: "refused", code: "CBOR_MALFORMED", sentence: "No." } as const;
  const { refused, received, unanswered } = await terminal.applyReceipts(upload, [unread]);
  assert.deepEqual({ refused, received, unanswered }, { refused: 1, received: 0, unanswered: 2 });
  assert.equal((await terminal.buildUpload({ limit: 10 })).items.length, 2);
});

test("bad lists in an answer do not undo what it says of the records", async () => {
  const world = await busyTerminal();
  const upload = await world.terminal.buildUpload({ limit: 10 });
  const bad = new Uint8Array(5);
  const applied = await world.terminal.applyUploadAnswer(upload, {
    trustList: bad,
    statusList: bad,
    payeeCertificate: bad,
    records: received(upload),
  });
  assert.equal(applied.listRefusals.length, 3);
  assert.equal((await world.terminal.standing()).stored.count, 0);
});

test("outcomes are asked for until they are final, and a payment that the server lost is uploaded again", async () => {
  const world = await busyTerminal();
  const { terminal, paid, open, clock } = world;
  const upload = await terminal.buildUpload({ limit: 10 });
  await terminal.applyUploadAnswer(upload, { ...(await lists(world)), records: received(upload) });
  const [one, two] = [paid.signed.messageId, open.signed.messageId];
  assert.deepEqual(await terminal.paymentsToAsk(9), [one, two]);
  const outcome = (paymentId: MessageId) => ({ paymentId, code: null, sentence: "Said.", takenMinor: 0n });
  clock.at = NOW + 1;
  await terminal.applyOutcomes([
    { ...outcome(one), state: "held", code: "SEQUENCE_CONFLICT" },
    { ...outcome(two), state: "unknown" },
  ]);
  assert.deepEqual(await terminal.paymentsToAsk(9), [one]);
  assert.deepEqual((await terminal.buildUpload({ limit: 9 })).items, [{ kind: "payment", paymentId: two }]);
  await terminal.applyOutcomes([
    { ...outcome(one), state: "settled", takenMinor: 100n },
    { ...outcome(two), state: "refused", code: "CERTIFICATE_REVOKED" },
  ]);
  assert.deepEqual(await terminal.paymentsToAsk(9), []);
  assert.deepEqual((await terminal.totals({})).byState, [
    { state: "refused", count: 1, totalMinor: 300n },
    { state: "settled", count: 1, totalMinor: 100n },
  ]);
});

test("a refused payment is never uploaded as if it were accepted", async () => {
  const { terminal } = await makeTerminal(issuer);
  const asked = await chargeFor(terminal, 100n);
  await terminal.accept((await (await makePayer(issuer)).pay(asked.codeText, { spentMinor: 10_001n })).codeText);
  assert.deepEqual((await terminal.buildUpload({ limit: 9, which: "unsettled" })).items, []);
  assert.equal(
    (await terminal.history({ limit: 9 })).some(({ kind }) => kind === "refused"),
    true,
  );
});

test("the limit has bounds", async () => {
  const { terminal } = await makeTerminal(issuer);
  for (const limit of [0, -1, 1.5, 1_001, Number.NaN]) {
    await assert.rejects(terminal.buildUpload({ limit }), { code: "UPLOAD_LIMIT_RANGE" });
  }
  assert.deepEqual(await terminal.buildUpload({ limit: 1_000 }), { records: [], items: [], guestIssuerId: undefined });
});
