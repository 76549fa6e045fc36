import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  chainHashOf,
  type MessageId,
  readCode,
  refuseTwoWayPayment,
  requestHashOf,
  restoreVerified,
  userCertificate,
} from "@cairn/messages";
import { acceptVoid, applyOutcomes, history, PayError, pay, reviewRequest, showAgain } from "../src/index.ts";
import {
  allPayments,
  expectKind,
  expectRefusal,
  mustPay,
  mustReview,
  otherConsent,
  payCode,
  paymentIn,
} from "./steps.ts";
import { aTill, certificateId, crypto, DAY, hold, holding, messageId, NOW, payeeId, portsOn, USD } from "./world.ts";

const till = await aTill();

test("a review shows who, how much, for what and until when", async () => {
  const { ports } = await holding();
  const review = await mustReview(ports, await till.charge({ amountMinor: 450n }));
  assert.equal(review.payeeName, "Harbour Kiosk");
  assert.equal(review.payeeId, "KIOSK");
  assert.deepEqual(review.amount, { currency: "EUR", minor: 450n });
  assert.equal(review.orderReference, "A-1");
  assert.equal(review.expiresAt, NOW + 300);
  assert.equal(review.answeredBefore, false);
});

test("payments make one chain: sequence, running total and previous hash; each passes the terminal's rule", async () => {
  const world = await holding([]);
  const certificate = await hold(world);
  const { ports } = world;
  let previous = certificate.messageId;
  let spentMinor = 0n;
  for (const [index, amountMinor] of [100n, 2_500n, 6_000n].entries()) {
    const code = await till.charge({ amountMinor });
    const review = await mustReview(ports, code);
    const paid = await mustPay(ports, code);
    spentMinor += amountMinor;
    const { unverified, messageId: paymentId } = paymentIn(paid.codeText);
    assert.equal(paid.paymentId, paymentId);
    assert.deepEqual(unverified, {
      certificateId: certificateId(1),
      sequence: index + 1,
      previous: chainHashOf(previous),
      amountMinor,
      spentMinor,
      issuedAt: NOW,
      requestHash: requestHashOf(review.requestId),
    });
    const verdict = refuseTwoWayPayment({
      certificate: certificate.content,
      payment: { ...unverified, requestHash: requestHashOf(review.requestId) },
      payeeCertificate: till.certificate.content,
      request: review.request.content,
      requestId: review.requestId,
    });
    assert.equal(verdict, undefined);
    previous = paymentId;
  }
});

test("the code carries the certificate and a payment under the device's genuine signature", async () => {
  const { ports } = await holding();
  const paid = await mustPay(ports, await till.charge());
  const code = readCode(paid.codeText);
  const certificate = restoreVerified(userCertificate, code.certificate, crypto).content;
  const { toBeSigned, signature } = paymentIn(paid.codeText);
  assert.equal(await crypto.verifyEs256(certificate.deviceKey, toBeSigned, signature), true);
});

test("paying a request again gives the same payment, also when it has expired meanwhile and the limit is used up", async () => {
  const { ports, clock } = await holding();
  const code = await till.charge({ amountMinor: 6_000n });
  const first = await mustPay(ports, code);
  await mustPay(ports, await till.charge({ amountMinor: 4_000n }));
  clock.seconds = NOW + 8 * DAY;
  const review = await mustReview(ports, code);
  assert.equal(review.answeredBefore, true);
  const again = await mustPay(ports, code);
  assert.equal(again.paymentId, first.paymentId);
  assert.equal(again.codeText, first.codeText);
  assert.deepEqual([first.repeated, again.repeated], [false, true]);
  assert.equal((await allPayments(ports)).length, 2);
});

test("two payments of one request at the same moment are one payment", async () => {
  const { ports } = await holding();
  const code = await till.charge();
  const both = await Promise.all([mustPay(ports, code), mustPay(ports, code)]);
  assert.equal(both[0].codeText, both[1].codeText);
  assert.equal((await allPayments(ports)).length, 1);
});

test("consent is for this request, this payee and this amount", async () => {
  const { ports } = await holding();
  const review = await mustReview(ports, await till.charge());
  const { requestId } = await mustReview(ports, await till.charge());
  for (const changes of [
    { requestId },
    { payeeId: payeeId("OTHER") },
    { amountMinor: 1_249n },
    { amountMinor: 1_251n },
  ]) {
    expectRefusal(await pay(ports, { review, consent: otherConsent(review, changes) }), "CONSENT_MISMATCH");
  }
  assert.equal((await allPayments(ports)).length, 0);
});

test("a reviewed request that has expired by the time of consent is refused", async () => {
  const { ports, clock } = await holding();
  const review = await mustReview(ports, await till.charge());
  clock.seconds = NOW + 301;
  expectRefusal(await pay(ports, { review, consent: otherConsent(review, {}) }), "REQUEST_EXPIRED");
});

test("limit, cap, currency and validity are refused before anything is written", async () => {
  const { ports } = await holding();
  expectRefusal(await payCode(ports, await till.charge({ amountMinor: 6_001n })), "AMOUNT_OVER_CERTIFICATE_CAP");
  await mustPay(ports, await till.charge({ amountMinor: 5_000n }));
  expectRefusal(await payCode(ports, await till.charge({ amountMinor: 5_001n })), "LIMIT_EXCEEDED");
  await mustPay(ports, await till.charge({ amountMinor: 5_000n }));
  expectRefusal(await payCode(ports, await till.charge({ amountMinor: 1n })), "LIMIT_EXCEEDED");
  assert.equal((await allPayments(ports)).length, 2);

  const none = await holding([]);
  expectRefusal(await payCode(none.ports, await till.charge()), "NO_CERTIFICATE");
  const dollarTill = await aTill({ terms: { currency: USD } });
  expectRefusal(await payCode(ports, await dollarTill.charge({ currency: USD })), "CURRENCY_MISMATCH");
  const expired = await holding([{ expiresAt: NOW + 10 }]);
  expired.clock.seconds = NOW + 11;
  expectRefusal(await payCode(expired.ports, await till.charge()), "CERTIFICATE_EXPIRED");
});

test("the certificate was valid when the request was made, too: one that is younger is passed over", async () => {
  const { ports, clock } = await holding([
    { issuedAt: NOW + 400, expiresAt: NOW + DAY },
    { certificateId: certificateId(2) },
  ]);
  clock.seconds = NOW + 400;
  const paid = await mustPay(ports, await till.charge({ expiresAt: NOW + 1_000 }));
  assert.equal(paymentIn(paid.codeText).unverified.certificateId, certificateId(2));
});

test("a voided request and a payment that was given back are not paid again", async () => {
  const { ports } = await holding();
  const giveBack = (paymentId: MessageId) =>
    applyOutcomes(ports, [{ paymentId, state: "released", code: "OVERDUE", sentence: "Given back.", takenMinor: 0n }]);
  const voided = await till.charge();
  const { requestId } = await mustReview(ports, voided);
  const paid = await mustPay(ports, voided);
  expectKind(await acceptVoid(ports, await till.voidOf(requestId)), "voided");
  expectRefusal(await payCode(ports, voided), "REQUEST_VOIDED");

  const released = await till.charge();
  await giveBack((await mustPay(ports, released)).paymentId);
  expectRefusal(await payCode(ports, released), "PAYMENT_RELEASED");
  assert.deepEqual(
    (await history(ports)).map(({ state }) => state),
    ["released", "shown"],
  );
  await giveBack(paid.paymentId);
  expectRefusal(await payCode(ports, voided), "REQUEST_VOIDED");
});

test("a payment of the history is shown again as it was", async () => {
  const { ports } = await holding();
  const paid = await mustPay(ports, await till.charge());
  // Without the key, which somebody may have to unlock.
  const away = { ...ports, signer: { ...ports.signer, sign: () => Promise.reject(new Error("the key is away")) } };
  assert.equal(expectKind(await showAgain(away, paid.paymentId), "shown").codeText, paid.codeText);
  expectRefusal(await showAgain(ports, messageId(9)), "PAYMENT_UNKNOWN");
});

test("nothing works before enrolment, nor with another key on this store", async () => {
  const { ports } = portsOn();
  await assert.rejects(reviewRequest(ports, await till.charge()), { name: "PayError", code: "NOT_ENROLLED" });
  const world = await holding();
  const stranger = { ...world.ports, signer: generateNodeSigner() };
  await assert.rejects(payCode(stranger, await till.charge()), (error: unknown) => {
    assert.ok(error instanceof PayError);
    return error.code === "WALLET_KEY_DIFFERS";
  });
});
