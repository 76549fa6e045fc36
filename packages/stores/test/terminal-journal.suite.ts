import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Acceptance,
  type AcceptanceView,
  mergeAnswer,
  type PaymentAnswer,
  type RefusedPayment,
  type TerminalJournal,
} from "@cairn/collect";
import type { CertificateId, IssuerId, MessageId, PayeeCertificateId, RequestHash } from "@cairn/messages";

/** What every terminal journal must do. Journals look into no message, so any bytes serve. */

const hex = (number: number, bytes: number): string => number.toString(16).padStart(bytes * 2, "0");
export const messageId = (number: number) => hex(number, 32) as MessageId;
export const certificateId = (number: number) => hex(number, 16) as CertificateId;
const requestHash = (number: number) => hex(number, 16) as RequestHash;
const payeeCertificateId = (number: number) => hex(number, 8) as PayeeCertificateId;
const some = (...bytes: number[]) => Uint8Array.from(bytes);

export const SETUP = {
  rootKey: some(1),
  trustList: some(2),
  statusList: some(3, 0, 255),
  payeeCertificate: some(4),
  payeeCertificateId: payeeCertificateId(1),
  issuerId: "home" as IssuerId,
  guests: [],
};
const GUEST = "guest-1" as IssuerId;

export const request = (number: number, issuedAt = 100) => ({
  requestId: messageId(number),
  requestHash: requestHash(number),
  request: some(10, number),
  payeeCertificateId: payeeCertificateId(1),
  issuedAt,
});

export const acceptance = (number: number, changes: Partial<Acceptance> = {}): Acceptance => ({
  paymentId: messageId(1000 + number),
  kind: "open-payment",
  certificateId: certificateId(1),
  guestIssuerId: undefined,
  sequence: number,
  spentMinor: BigInt(number) * 100n,
  amountMinor: 100n,
  certificate: some(20),
  payment: some(21, number),
  payeeCertificateId: payeeCertificateId(1),
  requestId: undefined,
  acceptedAt: 100 + number,
  risk: undefined,
  takenMinor: 80n,
  capture: undefined,
  answer: undefined,
  ...changes,
});

const refusedPayment = (number: number, changes: Partial<RefusedPayment> = {}): RefusedPayment => ({
  paymentId: messageId(2000 + number),
  kind: "payment",
  certificateId: certificateId(1),
  amountMinor: 5n,
  certificate: some(20),
  payment: some(22, number),
  code: "LIMIT_EXCEEDED",
  refusedAt: 100 + number,
  ...changes,
});

const answer = (state: PaymentAnswer["state"], changes: Partial<PaymentAnswer> = {}): PaymentAnswer => ({
  state,
  code: undefined,
  sentence: undefined,
  takenMinor: 0n,
  answeredAt: 500,
  ...changes,
});

export function accept(journal: TerminalJournal, accepted: Acceptance, issuerTime = 0): Promise<void> {
  const { paymentId, certificateId: id, requestId } = accepted;
  const hash = requestId && (requestId.slice(32) as string as RequestHash);
  return journal.decideAcceptance({ paymentId, certificateId: id, requestHash: hash }, () => ({
    result: undefined,
    write: { kind: "accept", acceptance: accepted, issuerTime },
  }));
}

function viewOf(journal: TerminalJournal, about: Partial<Parameters<TerminalJournal["decideAcceptance"]>[0]>) {
  const reference = { paymentId: messageId(9), certificateId: certificateId(1), requestHash: undefined, ...about };
  return journal.decideAcceptance<AcceptanceView>(reference, (view) => ({ result: view }));
}

const keepRefused = (journal: TerminalJournal, refused: RefusedPayment, issuerTime = 0) =>
  journal.decideAcceptance({ ...refused, requestHash: undefined }, () => ({
    result: undefined,
    write: { kind: "keep-refused", refused, issuerTime },
  }));

export function testTerminalJournal(name: string, open: () => Promise<TerminalJournal>): void {
  const check = (what: string, work: (journal: TerminalJournal) => Promise<void>) =>
    test(`${name}: ${what}`, async () => {
      const journal = await open();
      try {
        await work(journal);
      } finally {
        await journal.close();
      }
    });
  const ready = async (journal: TerminalJournal) => assert.equal(await journal.replaceSetup(SETUP, 0), true);

  check("is empty at first", async (journal) => {
    assert.deepEqual(await journal.marks(), { setupRevision: 0, issuerTime: 0 });
    assert.equal(await journal.setup(), undefined);
    assert.equal(await journal.payeeCertificate(payeeCertificateId(1)), undefined);
    assert.equal(await journal.request(messageId(1)), undefined);
    assert.equal(await journal.acceptance(messageId(1)), undefined);
    assert.deepEqual(await journal.stored(), { count: 0, totalMinor: 0n });
    assert.deepEqual(await journal.refusedCounts(), { kept: 0, notKept: 0 });
    assert.deepEqual(await journal.toUpload({ limit: 10, which: "unsettled" }), { payments: [], voids: [] });
    assert.deepEqual(await journal.toAsk(10), []);
    assert.deepEqual(await journal.tally({}), []);
    assert.deepEqual(await viewOf(journal, {}), {
      earlier: undefined,
      request: undefined,
      newest: undefined,
      acceptedOfCertificateMinor: 0n,
      stored: { count: 0, totalMinor: 0n },
      refused: { isKept: false, kept: 0, keptOfCertificate: 0 },
    });
  });

  check("keeps guest issuers with the setup, and forgets those that are left out", async (journal) => {
    const guests = [
      { issuerId: GUEST, url: "https://one.example", statusList: some(7) },
      { issuerId: "guest-2" as IssuerId, url: "https://two.example", statusList: some(8, 0) },
    ];
    assert.equal(await journal.replaceSetup({ ...SETUP, guests }, 0), true);
    assert.deepEqual((await journal.setup())?.setup.guests, guests);
    assert.equal((await journal.setup())?.setup.issuerId, "home");
    await journal.replaceSetup({ ...SETUP, guests: guests.slice(1) }, 1);
    assert.deepEqual((await journal.setup())?.setup.guests, guests.slice(1));
  });

  check("gives each issuer its own payers' payments to upload and to ask for, and every void", async (journal) => {
    await ready(journal);
    await accept(journal, acceptance(1));
    await accept(journal, acceptance(2, { guestIssuerId: GUEST, certificateId: certificateId(2) }));
    await accept(journal, acceptance(3, { guestIssuerId: GUEST, certificateId: certificateId(2) }));
    await journal.recordRequest(request(1));
    await journal.decideVoid(messageId(1), () => ({ result: undefined, write: { voidedAt: 7 } }));
    const due = async (guestIssuerId: IssuerId | undefined, limit = 9) => {
      const { payments, voids } = await journal.toUpload({ limit, which: "unanswered", guestIssuerId });
      return [payments.map((each) => each.acceptance.paymentId), voids.map(({ requestId }) => requestId)];
    };
    assert.deepEqual(await due(undefined), [[messageId(1001)], [messageId(1)]]);
    assert.deepEqual(await due(GUEST), [[messageId(1002), messageId(1003)], [messageId(1)]]);
    assert.deepEqual(await due(GUEST, 1), [[messageId(1002)], []]);
    assert.deepEqual(await due("guest-2" as IssuerId), [[], [messageId(1)]]);
    assert.equal((await journal.acceptance(messageId(1002)))?.guestIssuerId, GUEST);
    assert.equal((await journal.stored()).count, 3, "the ceiling is one for all issuers");
    await journal.recordVoidAnswers([messageId(1), messageId(8)], 9, GUEST);
    await journal.recordVoidAnswers([messageId(1)], 10, GUEST);
    assert.deepEqual(await due(GUEST), [[messageId(1002), messageId(1003)], []]);
    assert.deepEqual(await due(undefined), [[messageId(1001)], [messageId(1)]], "one issuer's word is not the other's");
    await journal.recordVoidAnswers([messageId(1)], 11);
    assert.deepEqual(await due(undefined), [[messageId(1001)], []]);
    assert.deepEqual(await due("guest-2" as IssuerId), [[], [messageId(1)]]);
    const received = [1001, 1002, 1003].map((id) => ({ paymentId: messageId(id), answer: answer("received") }));
    await journal.recordAnswers(received, mergeAnswer);
    assert.deepEqual(await journal.toAsk(9), [messageId(1001)]);
    assert.deepEqual(await journal.toAsk(9, GUEST), [messageId(1002), messageId(1003)]);
    assert.deepEqual(await journal.toAsk(1, GUEST), [messageId(1002)]);
    const unsettled = await journal.toUpload({ limit: 9, which: "unsettled", guestIssuerId: GUEST });
    assert.equal(unsettled.payments.length, 2);
  });

  check("replaces the setup only when nobody was faster", async (journal) => {
    await ready(journal);
    const { payeeCertificateId: first, ...stored } = SETUP;
    assert.deepEqual(await journal.setup(), { revision: 1, setup: stored });
    assert.equal(await journal.replaceSetup({ ...SETUP, trustList: some(9) }, 0), false);
    assert.deepEqual((await journal.setup())?.setup.trustList, some(2));
    const renewed = { ...SETUP, payeeCertificate: some(5), payeeCertificateId: payeeCertificateId(2) };
    assert.equal(await journal.replaceSetup(renewed, 1), true);
    assert.equal((await journal.marks()).setupRevision, 2);
    assert.deepEqual(await journal.payeeCertificate(first), some(4));
    assert.deepEqual(await journal.payeeCertificate(payeeCertificateId(2)), some(5));
  });

  check("keeps requests with their payee certificate", async (journal) => {
    await ready(journal);
    await journal.recordRequest(request(1));
    const kept = {
      ...request(1),
      payeeCertificate: some(4),
      paidBy: undefined,
      voidedAt: undefined,
      requestVoid: undefined,
      voidAnsweredAt: undefined,
    };
    assert.deepEqual(await journal.request(messageId(1)), kept);
    assert.deepEqual((await viewOf(journal, { requestHash: requestHash(1) })).request, kept);
    await assert.rejects(journal.recordRequest(request(1)));
    await assert.rejects(journal.recordRequest({ ...request(2), payeeCertificateId: payeeCertificateId(7) }));
    assert.equal((await journal.requests({ limit: 10 })).length, 1);
  });

  check("marks a request paid together with the acceptance, once", async (journal) => {
    await ready(journal);
    await journal.recordRequest(request(1));
    const paying = acceptance(1, { kind: "payment", requestId: messageId(1), takenMinor: 100n });
    await accept(journal, paying, 77);
    assert.deepEqual(await journal.acceptance(paying.paymentId), paying);
    assert.equal((await journal.request(messageId(1)))?.paidBy, paying.paymentId);
    assert.equal((await journal.marks()).issuerTime, 77);
    await assert.rejects(
      accept(journal, { ...paying, paymentId: messageId(5), sequence: 9 }, 99),
      "a request paid twice",
    );
    await assert.rejects(accept(journal, paying), "the same payment twice");
    assert.deepEqual(await journal.stored(), { count: 1, totalMinor: 100n });
  });

  check("shows a decision all that it needs", async (journal) => {
    await ready(journal);
    await accept(journal, acceptance(1));
    await accept(journal, acceptance(3, { takenMinor: undefined }));
    await accept(journal, acceptance(8, { certificateId: certificateId(2) }));
    await keepRefused(journal, refusedPayment(1));
    await keepRefused(journal, refusedPayment(2, { certificateId: certificateId(2) }));
    const view = await viewOf(journal, { paymentId: messageId(1003) });
    assert.deepEqual(view.earlier, acceptance(3, { takenMinor: undefined }));
    assert.equal(view.newest?.sequence, 3);
    assert.equal(view.newest?.spentMinor, 300n);
    assert.equal(view.newest?.amountMinor, 100n);
    assert.equal(view.acceptedOfCertificateMinor, 180n, "the maximum counts while nothing is captured");
    assert.deepEqual(view.stored, { count: 3, totalMinor: 260n });
    assert.deepEqual(view.refused, { isKept: false, kept: 2, keptOfCertificate: 1 });
    assert.equal((await viewOf(journal, { paymentId: messageId(2001) })).refused.isKept, true);
  });

  check("writes nothing when a decision says so or throws", async (journal) => {
    await ready(journal);
    assert.equal(
      await journal.decideAcceptance({ ...acceptance(1), requestHash: undefined }, () => ({ result: 5 })),
      5,
    );
    const failing = journal.decideAcceptance({ ...acceptance(1), requestHash: undefined }, () => {
      throw new TypeError("a decision with a fault");
    });
    await assert.rejects(failing, TypeError);
    assert.equal(await journal.acceptance(acceptance(1).paymentId), undefined);
    await accept(journal, acceptance(1));
    assert.deepEqual(await journal.stored(), { count: 1, totalMinor: 80n });
  });

  check("never lets the issuer's time go back", async (journal) => {
    await ready(journal);
    await accept(journal, acceptance(1), 50);
    await keepRefused(journal, refusedPayment(1), 40);
    assert.equal((await journal.marks()).issuerTime, 50);
    const refused = { ...refusedPayment(1), requestHash: undefined };
    await journal.decideAcceptance(refused, () => ({ result: 0, write: { kind: "time-only", issuerTime: 60 } }));
    assert.equal((await journal.marks()).issuerTime, 60);
    await journal.decideAcceptance(refused, () => ({ result: 0, write: { kind: "count-refused", issuerTime: 70 } }));
    assert.equal((await journal.marks()).issuerTime, 70);
    assert.deepEqual(await journal.refusedCounts(), { kept: 1, notKept: 1 });
    assert.deepEqual(await journal.refusedPayments({ limit: 5 }), [refusedPayment(1)]);
  });

  check("voids once and keeps the first signed void", async (journal) => {
    await ready(journal);
    await journal.recordRequest(request(1));
    const voidAt = (at: number) =>
      journal.decideVoid(messageId(1), (held) => ({ result: held?.voidedAt, write: { voidedAt: at } }));
    assert.equal(await voidAt(7), undefined);
    assert.equal((await journal.request(messageId(1)))?.voidedAt, 7);
    assert.deepEqual(await journal.keepVoid(messageId(1), some(1)), some(1));
    assert.deepEqual(await journal.keepVoid(messageId(1), some(2)), some(1));
    assert.equal(await journal.decideVoid(messageId(2), (held) => ({ result: held })), undefined);
    const { voids } = await journal.toUpload({ limit: 9, which: "unanswered" });
    assert.deepEqual(
      voids.map(({ requestId, requestVoid }) => [requestId, requestVoid]),
      [[messageId(1), some(1)]],
    );
    await journal.recordVoidAnswers([messageId(1), messageId(2)], 8);
    assert.deepEqual((await journal.toUpload({ limit: 9, which: "unsettled" })).voids, []);
    assert.equal((await journal.request(messageId(1)))?.voidAnsweredAt, 8);
  });

  check("holds no request both paid and voided, whatever a decision says", async (journal) => {
    await ready(journal);
    for (const number of [1, 2]) await journal.recordRequest(request(number));
    const paying = (number: number) =>
      acceptance(number, { kind: "payment", requestId: messageId(number), takenMinor: 100n });
    const voiding = (number: number) =>
      journal.decideVoid(messageId(number), () => ({ result: 0, write: { voidedAt: 7 } }));
    await accept(journal, paying(1), 5);
    await assert.rejects(voiding(1));
    await voiding(2);
    await assert.rejects(accept(journal, paying(2), 6));
    assert.equal((await journal.marks()).issuerTime, 5, "a write that fails leaves nothing behind");
    assert.equal(await journal.acceptance(paying(2).paymentId), undefined);
  });

  check("captures once and keeps the first signed capture", async (journal) => {
    await ready(journal);
    await accept(journal, acceptance(1, { takenMinor: undefined }));
    const { paymentId } = acceptance(1);
    assert.deepEqual((await journal.toUpload({ limit: 9, which: "unanswered" })).payments, []);
    assert.deepEqual(await journal.stored(), { count: 1, totalMinor: 100n });
    const capture = (takenMinor: bigint) =>
      journal.decideCapture(paymentId, (held) => ({ result: held?.takenMinor, write: { takenMinor } }));
    assert.equal(await capture(30n), undefined);
    await assert.rejects(capture(40n));
    assert.equal((await journal.acceptance(paymentId))?.takenMinor, 30n);
    assert.deepEqual(await journal.stored(), { count: 1, totalMinor: 30n });
    assert.equal((await viewOf(journal, {})).acceptedOfCertificateMinor, 30n);
    assert.deepEqual(await journal.keepCapture(paymentId, some(1)), some(1));
    assert.deepEqual(await journal.keepCapture(paymentId, some(2)), some(1));
    assert.deepEqual((await journal.acceptance(paymentId))?.capture, some(1));
    assert.equal(await journal.decideCapture(messageId(5), (held) => ({ result: held })), undefined);
  });

  check("uploads the oldest first, payments before voids, until they are answered", async (journal) => {
    await ready(journal);
    for (const number of [1, 2]) await journal.recordRequest(request(number));
    await journal.decideVoid(messageId(2), () => ({ result: 0, write: { voidedAt: 7 } }));
    const paying = acceptance(1, { kind: "payment", requestId: messageId(1), takenMinor: 100n });
    await accept(journal, paying);
    await accept(journal, acceptance(2));
    const upload = await journal.toUpload({ limit: 9, which: "unanswered" });
    assert.deepEqual(upload.payments[0], {
      acceptance: paying,
      payeeCertificate: some(4),
      request: some(10, 1),
    });
    assert.deepEqual(upload.payments[1]?.acceptance, acceptance(2));
    assert.equal(upload.payments[1]?.request, undefined);
    assert.equal(upload.voids.length, 1);
    const two = await journal.toUpload({ limit: 2, which: "unanswered" });
    assert.deepEqual([two.payments.length, two.voids.length], [2, 0]);
    await journal.recordAnswers([{ paymentId: paying.paymentId, answer: answer("received") }], mergeAnswer);
    assert.equal((await journal.toUpload({ limit: 9, which: "unanswered" })).payments.length, 1);
    assert.equal((await journal.toUpload({ limit: 9, which: "unsettled" })).payments.length, 2);
    await journal.recordAnswers([{ paymentId: paying.paymentId, answer: answer("settled") }], mergeAnswer);
    assert.equal((await journal.toUpload({ limit: 9, which: "unsettled" })).payments.length, 1);
  });

  check("stores what the merge makes of an answer", async (journal) => {
    await ready(journal);
    for (const number of [1, 2, 3]) await accept(journal, acceptance(number));
    const id = (number: number) => acceptance(number).paymentId;
    const seen: unknown[] = [];
    await journal.recordAnswers(
      [
        { paymentId: id(1), answer: answer("held", { code: "X", sentence: "Why.", answeredAt: 9 }) },
        { paymentId: id(2), answer: answer("received", { answeredAt: 8 }) },
        { paymentId: messageId(5), answer: answer("settled") },
      ],
      (held, offered) => {
        seen.push(held);
        return offered;
      },
    );
    assert.deepEqual(seen, [undefined, undefined], "unknown ids are passed over");
    const held = answer("held", { code: "X", sentence: "Why.", answeredAt: 9 });
    assert.deepEqual((await journal.acceptance(id(1)))?.answer, held);
    assert.deepEqual(await journal.stored(), { count: 1, totalMinor: 80n });
    assert.deepEqual(await journal.toAsk(9), [id(2), id(1)], "longest unasked first");
    assert.deepEqual(await journal.toAsk(1), [id(2)]);
    await journal.recordAnswers([{ paymentId: id(1), answer: undefined }], () => undefined);
    assert.equal((await journal.acceptance(id(1)))?.answer, undefined);
    assert.deepEqual(await journal.stored(), { count: 2, totalMinor: 160n });
  });

  check("lists newest first within a time and tallies by state", async (journal) => {
    await ready(journal);
    for (const number of [1, 2, 3, 4]) await journal.recordRequest(request(number, 100 + number));
    await accept(journal, acceptance(1));
    await accept(journal, acceptance(2, { takenMinor: undefined }));
    await accept(journal, acceptance(3, { risk: "STATUS_LIST_STALE" }));
    await accept(journal, acceptance(4, { acceptedAt: 103 }));
    await keepRefused(journal, refusedPayment(1));
    await keepRefused(journal, refusedPayment(2));
    const sequences = async (filter: { from?: number; until?: number; limit: number }) =>
      (await journal.acceptances(filter)).map(({ sequence }) => sequence);
    assert.deepEqual(await sequences({ limit: 9 }), [4, 3, 2, 1]);
    assert.deepEqual(await sequences({ limit: 2 }), [4, 3]);
    assert.deepEqual(await sequences({ from: 102, until: 103, limit: 9 }), [2]);
    assert.deepEqual(
      (await journal.requests({ from: 103, limit: 9 })).map(({ requestId }) => requestId),
      [messageId(4), messageId(3)],
    );
    assert.deepEqual(
      (await journal.refusedPayments({ limit: 1 })).map(({ paymentId }) => paymentId),
      [messageId(2002)],
    );
    await journal.recordAnswers(
      [{ paymentId: acceptance(1).paymentId, answer: answer("settled", { takenMinor: 79n }) }],
      mergeAnswer,
    );
    assert.deepEqual(await journal.tally({}), [
      { state: "settled", count: 1, totalMinor: 79n },
      { state: "stored", count: 2, totalMinor: 160n },
      { state: "uncaptured", count: 1, totalMinor: 100n },
    ]);
    assert.deepEqual(await journal.tally({ from: 102, until: 103 }), [
      { state: "uncaptured", count: 1, totalMinor: 100n },
    ]);
  });
}
