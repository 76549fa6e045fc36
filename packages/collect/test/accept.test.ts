import assert from "node:assert/strict";
import { test } from "node:test";
import { openTerminal } from "@cairn/collect";
import {
  decodeMessage,
  expectCode,
  isRefusal,
  payeeCertificate,
  payment,
  paymentRequest,
  readCode,
  receipt,
  refuseTwoWayPayment,
  restoreVerified,
  userCertificate,
  verifyUnder,
} from "@cairn/messages";
import { MemoryTerminalJournal } from "@cairn/stores";
import {
  chargeFor,
  codeOf,
  crypto,
  DAY,
  eur,
  makeIssuer,
  makePayer,
  makeTerminal,
  NOW,
  offered,
  replaceStatusList,
} from "./world.ts";

const issuer = makeIssuer();

test("accepts an honest payment, guaranteed, with a receipt under the payee certificate", async () => {
  const { terminal, journal, payee, clock, signer } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 1_200n);
  const paid = await payer.pay(asked.codeText);
  clock.at = NOW + 20;
  const outcome = await terminal.accept(paid.codeText);
  assert.ok(outcome.kind === "accepted");
  assert.equal(outcome.guaranteed, true);
  const { acceptance } = outcome;
  assert.equal(acceptance.paymentId, paid.signed.messageId);
  assert.equal(acceptance.takenMinor, 1_200n);
  assert.equal(acceptance.acceptedAt, NOW + 20);
  assert.equal(acceptance.requestId, asked.requestId);
  assert.deepEqual(await journal.acceptance(acceptance.paymentId), acceptance, "durable before it is answered");

  const code = expectCode(readCode(outcome.receiptCode ?? ""), "receipt");
  assert.deepEqual(code.certificate, payee.bytes);
  const signed = await verifyUnder(decodeMessage(receipt, code.message, crypto), signer.publicKey, crypto);
  assert.ok(!isRefusal(signed));
  assert.deepEqual(signed.content, {
    payeeCertificateId: payee.content.payeeCertificateId,
    paymentId: paid.signed.messageId,
    amountMinor: 1_200n,
    issuedAt: NOW + 20,
  });
  const again = expectCode(readCode(await terminal.receiptCode(acceptance.paymentId)), "receipt");
  assert.equal(
    decodeMessage(receipt, again.message, crypto).messageId,
    signed.messageId,
    "signed again, the same receipt",
  );
});

test("says of a payment shown again that it was accepted, and when, whatever has changed since", async () => {
  const { terminal, clock, again, enrolment } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const { codeText } = await payer.pay((await chargeFor(terminal, 100n)).codeText);
  const first = await terminal.accept(codeText);
  assert.ok(first.kind === "accepted");
  // The request has expired, the lists are stale and the certificate is withdrawn by now.
  clock.at = NOW + 2 * DAY;
  const revoked = await issuer.signStatusList({ issuedAt: NOW + 1 }, [payer.certificate.content.terms.statusIndex]);
  assert.deepEqual(await terminal.applyLists({ ...enrolment, statusList: revoked }), []);
  const second = await again().accept(codeText);
  assert.ok(second.kind === "refused");
  assert.equal(second.refusal.code, "PAYMENT_REPLAYED");
  assert.deepEqual(second.earlier, first.acceptance);
});

test("takes the risk of a stale status list when the payee's policy says so, and says so", async () => {
  const { world, codeText } = await offered(issuer, { policy: { whenStale: "at-own-risk" } });
  await replaceStatusList(world, await issuer.signStatusList({ issuedAt: NOW - DAY - 1 }));
  const outcome = await world.terminal.accept(codeText);
  assert.ok(outcome.kind === "accepted");
  assert.equal(outcome.guaranteed, false);
  assert.equal(outcome.acceptance.risk, "STATUS_LIST_STALE");
});

test("does not promise more of one certificate than the payee's terms do", async () => {
  const { terminal } = await makeTerminal(issuer, { payee: { terms: { perCertificateCapMinor: 150n } } });
  const payer = await makePayer(issuer);
  const guaranteed: boolean[] = [];
  for (const minor of [100n, 50n, 1n]) {
    const outcome = await terminal.accept((await payer.pay((await chargeFor(terminal, minor)).codeText)).codeText);
    assert.ok(outcome.kind === "accepted");
    guaranteed.push(outcome.guaranteed);
  }
  assert.deepEqual(guaranteed, [true, true, false]);
});

test("judges request and payment under the payee certificate of the request, also after a renewal", async () => {
  const { terminal, signer, enrolment, payee } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 1_000n);
  const renewed = await issuer.signPayee(signer, { issuedAt: NOW, terms: { perPaymentCapMinor: 500n } });
  assert.deepEqual(await terminal.applyLists({ ...enrolment, payeeCertificate: renewed.bytes }), []);
  assert.equal(codeOf(await terminal.charge({ amount: eur(1_000n) })), "AMOUNT_OVER_PAYEE_CAP");
  const outcome = await terminal.accept((await payer.pay(asked.codeText)).codeText);
  assert.ok(outcome.kind === "accepted");
  assert.equal(outcome.acceptance.payeeCertificateId, payee.content.payeeCertificateId);
  const code = expectCode(readCode(outcome.receiptCode ?? ""), "receipt");
  assert.deepEqual(code.certificate, payee.bytes);
});

test("accepts what the server's own check passes", async () => {
  const { terminal, enrolment } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 100n);
  const outcome = await terminal.accept((await payer.pay(asked.codeText)).codeText);
  assert.ok(outcome.kind === "accepted");
  const request = expectCode(readCode(asked.codeText), "request");
  assert.equal(
    refuseTwoWayPayment({
      certificate: restoreVerified(userCertificate, outcome.acceptance.certificate, crypto).content,
      payment: restoreVerified(payment, outcome.acceptance.payment, crypto).content,
      payeeCertificate: restoreVerified(payeeCertificate, enrolment.payeeCertificate, crypto).content,
      request: restoreVerified(paymentRequest, request.message, crypto).content,
      requestId: asked.requestId,
    }),
    undefined,
  );
});

test("keeps evidence within bounds, and of one attacker only a few", async () => {
  const { terminal } = await makeTerminal(issuer);
  const attacker = await makePayer(issuer);
  const honest = await makePayer(issuer);
  const asked = await chargeFor(terminal, 100n);
  for (let number = 0; number < 20; number++) {
    const { codeText } = await attacker.pay(asked.codeText, { amountMinor: BigInt(number + 1), spentMinor: 500n });
    assert.equal(codeOf(await terminal.accept(codeText)), "AMOUNT_MISMATCH");
  }
  assert.deepEqual((await terminal.standing()).refused, { kept: 16, notKept: 4 });
  const { codeText } = await honest.pay(asked.codeText, { spentMinor: 10_001n });
  assert.equal(codeOf(await terminal.accept(codeText)), "LIMIT_EXCEEDED");
  assert.deepEqual((await terminal.standing()).refused, { kept: 17, notKept: 4 });
});

test("is moved on in time by what the issuer signed, not by payers", async () => {
  const { terminal, clock } = await makeTerminal(issuer, { at: NOW });
  const payer = await makePayer(issuer);
  await terminal.accept(
    (await payer.pay((await chargeFor(terminal, 100n)).codeText, { issuedAt: NOW + 1_000 })).codeText,
  );
  assert.equal((await terminal.standing()).now, NOW);
  clock.at = NOW - 90 * DAY;
  assert.equal((await terminal.standing()).now, NOW - 3600, "never before the newest list");
  clock.at = NOW;
  const late = await makePayer(issuer, { issuedAt: NOW + 200 });
  const outcome = await terminal.accept((await late.pay((await chargeFor(terminal, 100n)).codeText)).codeText);
  assert.ok(outcome.kind === "accepted" && outcome.acceptance.acceptedAt === NOW + 200);
  assert.equal((await terminal.standing()).now, NOW + 200);
  clock.at = 0;
  assert.equal((await terminal.standing()).now, NOW + 200);
  // A payment that is turned away proves the time of its certificate all the same.
  const later = await makePayer(issuer, { issuedAt: NOW + 300 });
  const { codeText } = await later.pay((await chargeFor(terminal, 100n)).codeText, { spentMinor: 10_001n });
  assert.equal(codeOf(await terminal.accept(codeText)), "LIMIT_EXCEEDED");
  assert.equal((await terminal.standing()).now, NOW + 300);
});

test("a certificate that is newer than the end of the trust list shows that the list has ended", async () => {
  const { terminal } = await makeTerminal(issuer, { trustList: { expiresAt: NOW + 10 } });
  const asked = await chargeFor(terminal, 100n);
  const payer = await makePayer(issuer, { issuedAt: NOW + 311 });
  assert.equal(codeOf(await terminal.accept((await payer.pay(asked.codeText)).codeText)), "TRUST_LIST_EXPIRED");
});

test("a journal that cannot write accepts nothing and says so by throwing", async () => {
  const { terminal, journal, ports } = await makeTerminal(issuer);
  const failing = Object.create(journal, {
    decideAcceptance: { value: () => Promise.reject(new Error("disk full")) },
    marks: { value: () => journal.marks() },
    setup: { value: () => journal.setup() },
  });
  const payer = await makePayer(issuer);
  const { codeText } = await payer.pay((await chargeFor(terminal, 100n)).codeText);
  await assert.rejects(openTerminal({ ...ports, journal: failing }).accept(codeText), /disk full/);
  assert.equal((await terminal.totals({})).count, 0);
});

test("does nothing before it is enrolled", async () => {
  const { ports } = await makeTerminal(issuer);
  const terminal = openTerminal({ ...ports, journal: new MemoryTerminalJournal() });
  await assert.rejects(terminal.accept("CAIRN:1P"), { code: "NOT_ENROLLED" });
  await assert.rejects(terminal.charge({ amount: eur(1n) }), { code: "NOT_ENROLLED" });
  await assert.rejects(terminal.buildUpload({ limit: 1 }), { code: "NOT_ENROLLED" });
});
