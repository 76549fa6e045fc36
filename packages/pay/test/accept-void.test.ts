import assert from "node:assert/strict";
import { test } from "node:test";
import { acceptVoid, history, walletStatus } from "../src/index.ts";
import { allPayments, expectKind, expectRefusal, mustPay, mustReview, paymentIn } from "./steps.ts";
import { aTill, DAY, holding, messageId, NOW, payeeCertificateId, payeeId } from "./world.ts";

const till = await aTill();

test("a void is kept, the counter stays where it is, and the next payment goes on from there", async () => {
  const { ports } = await holding();
  const code = await till.charge();
  const { requestId } = await mustReview(ports, code);
  const { paymentId } = await mustPay(ports, code);
  const result = expectKind(await acceptVoid(ports, await till.voidOf(requestId)), "voided");
  assert.deepEqual(result, { kind: "voided", paymentId, requestId, payeeName: "Harbour Kiosk", amountMinor: 1_250n });
  expectKind(await acceptVoid(ports, await till.voidOf(requestId)), "voided");
  assert.equal((await walletStatus(ports)).holdings[0]?.remainingMinor, 8_750n);
  const next = paymentIn((await mustPay(ports, await till.charge())).codeText).unverified;
  assert.deepEqual([next.sequence, next.spentMinor], [2, 2_500n]);
  assert.equal((await history(ports))[1]?.voided, true);
});

test("voids of other tills and of requests never paid are refused", async () => {
  const { ports } = await holding();
  const code = await till.charge();
  const { requestId } = await mustReview(ports, code);
  expectRefusal(await acceptVoid(ports, await till.voidOf(requestId)), "PAYMENT_UNKNOWN");
  await mustPay(ports, code);
  const ferry = await aTill({ payeeId: payeeId("FERRY"), payeeCertificateId: payeeCertificateId(2) });
  const sameKey = await aTill({
    signer: till.signer,
    payeeId: payeeId("FERRY"),
    payeeCertificateId: payeeCertificateId(4),
  });
  const late = await aTill({ signer: till.signer, expiresAt: NOW + 1 });
  expectRefusal(await acceptVoid(ports, await ferry.voidOf(requestId)), "PAYEE_CERTIFICATE_MISMATCH");
  expectRefusal(await acceptVoid(ports, await sameKey.voidOf(requestId)), "PAYEE_CERTIFICATE_MISMATCH");
  expectRefusal(await acceptVoid(ports, await till.voidOf(messageId(3))), "PAYMENT_UNKNOWN");
  expectRefusal(await acceptVoid(ports, await late.voidOf(requestId)), "PAYEE_CERTIFICATE_EXPIRED");
  expectRefusal(await acceptVoid(ports, code), "CODE_TYPE_UNEXPECTED");
  assert.equal((await allPayments(ports))[0]?.requestVoid, undefined);
});

test("nobody's void is believed by a trust list that has expired", async () => {
  const { ports, clock } = await holding();
  const code = await till.charge();
  const { requestId } = await mustReview(ports, code);
  await mustPay(ports, code);
  clock.seconds = NOW + 61 * DAY;
  expectRefusal(await acceptVoid(ports, await till.voidOf(requestId)), "TRUST_LIST_EXPIRED");
  assert.equal((await allPayments(ports))[0]?.requestVoid, undefined);
});
