import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { chargeFor, codeOf, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

const issuer = makeIssuer();

async function openAccepted(payee: Parameters<typeof makeTerminal>[1] = {}) {
  const world = await makeTerminal(issuer, payee);
  const payer = await makePayer(issuer);
  const outcome = await world.terminal.acceptOpen((await payer.payOpen(500n)).codeText);
  assert.ok(outcome.kind === "accepted");
  return { ...world, payer, paymentId: outcome.acceptance.paymentId };
}

test("fixes the amount once: the same again is the same, another is refused", async () => {
  const { terminal, paymentId, again } = await openAccepted();
  const first = await terminal.capture(paymentId, 300n);
  assert.ok(first.kind === "captured");
  const second = await again().capture(paymentId, 300n);
  assert.ok(second.kind === "captured");
  assert.equal(second.acceptance.takenMinor, 300n);
  for (const minor of [299n, 301n, 500n, 0n]) {
    assert.equal(codeOf(await terminal.capture(paymentId, minor)), "CAPTURE_MISMATCH");
  }
  const uploads = await Promise.all([terminal.buildUpload({ limit: 1 }), again().buildUpload({ limit: 1 })]);
  assert.deepEqual(uploads[0].records, uploads[1].records, "one signed capture, in every upload the same bytes");
  assert.deepEqual((await terminal.standing()).stored, { count: 1, totalMinor: 300n });
});

test("captures at the same moment: one amount wins, for both", async () => {
  const { terminal, paymentId, again, journal } = await openAccepted();
  const outcomes = await Promise.all([terminal.capture(paymentId, 100n), again().capture(paymentId, 200n)]);
  assert.deepEqual(outcomes.map(codeOf).sort(), ["CAPTURE_MISMATCH", "captured"]);
  const winner = outcomes.find((outcome) => outcome.kind === "captured");
  assert.ok(winner?.kind === "captured");
  assert.equal((await journal.acceptance(paymentId))?.takenMinor, winner.acceptance.takenMinor);
});

test("refuses zero, more than the payer allowed and more than the payee may take, and can then still capture", async () => {
  const { terminal, paymentId } = await openAccepted({ payee: { terms: { perPaymentCapMinor: 400n } } });
  assert.equal(codeOf(await terminal.capture(paymentId, 0n)), "AMOUNT_ZERO");
  assert.equal(codeOf(await terminal.capture(paymentId, -1n)), "AMOUNT_ZERO");
  assert.equal(codeOf(await terminal.capture(paymentId, 501n)), "CAPTURE_OVER_MAXIMUM");
  assert.equal(codeOf(await terminal.capture(paymentId, 401n)), "AMOUNT_OVER_PAYEE_CAP");
  assert.equal(codeOf(await terminal.capture(paymentId, 400n)), "captured");
});

test("is misuse for payments that are unknown or not open", async () => {
  const { terminal, payer } = await openAccepted();
  const unknown = "00".repeat(32) as MessageId;
  await assert.rejects(terminal.capture(unknown, 1n), { code: "ACCEPTANCE_UNKNOWN" });
  await assert.rejects(terminal.receiptCode(unknown), { code: "ACCEPTANCE_UNKNOWN" });
  const paid = await payer.pay((await chargeFor(terminal, 100n)).codeText);
  assert.equal((await terminal.accept(paid.codeText)).kind, "accepted");
  await assert.rejects(terminal.capture(paid.signed.messageId, 100n), { code: "CAPTURE_NOT_OPEN" });
});

test("an amount is judged under the payee certificate that the payment was accepted under", async () => {
  const { terminal, paymentId, enrolment, signer } = await openAccepted({
    payee: { terms: { perPaymentCapMinor: 600n } },
  });
  const renewed = await issuer.signPayee(signer, { issuedAt: NOW, terms: { perPaymentCapMinor: 100n } });
  assert.deepEqual(await terminal.applyLists({ ...enrolment, payeeCertificate: renewed.bytes }), []);
  assert.equal(codeOf(await terminal.capture(paymentId, 500n)), "captured");
});
