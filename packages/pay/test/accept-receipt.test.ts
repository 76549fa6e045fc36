import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { amount } from "@cairn/messages";
import { acceptReceipt, history, payOpen } from "../src/index.ts";
import { allPayments, expectKind, expectRefusal, mustPay } from "./steps.ts";
import { aTill, certificateId, DAY, EUR, holding, messageId, NOW, payeeCertificateId, payeeId } from "./world.ts";

const till = await aTill();
const ferry = await aTill({ payeeId: payeeId("FERRY"), payeeCertificateId: payeeCertificateId(2) });

test("the payee's receipt is kept as proof; the same again changes nothing", async () => {
  const { ports } = await holding();
  const { paymentId } = await mustPay(ports, await till.charge());
  const receipt = await till.receiptFor(paymentId, 1_250n);
  const result = expectKind(await acceptReceipt(ports, receipt), "receipted");
  assert.deepEqual(result, { kind: "receipted", paymentId, payeeName: "Harbour Kiosk", takenMinor: 1_250n });
  const [kept] = await allPayments(ports);
  // Signed again the bytes differ, but it says the same.
  assert.deepEqual(await acceptReceipt(ports, await till.receiptFor(paymentId, 1_250n)), result);
  assert.deepEqual(await allPayments(ports), [kept]);
  assert.equal((await history(ports))[0]?.state, "receipted");
});

test("a till whose certificate was renewed still gives its receipts", async () => {
  const { ports } = await holding();
  const { paymentId } = await mustPay(ports, await till.charge());
  const renewed = await aTill({ signer: till.signer, payeeCertificateId: payeeCertificateId(9) });
  expectKind(await acceptReceipt(ports, await renewed.receiptFor(paymentId, 1_250n)), "receipted");
});

test("receipts of others, for other amounts and for nothing of ours are refused", async () => {
  const { ports } = await holding();
  const { paymentId } = await mustPay(ports, await till.charge());
  const stranger = generateNodeSigner();
  const secondTill = await aTill({ payeeCertificateId: payeeCertificateId(3) });
  const sameKey = await aTill({
    signer: till.signer,
    payeeId: payeeId("FERRY"),
    payeeCertificateId: payeeCertificateId(4),
  });
  const late = await aTill({ signer: till.signer, expiresAt: NOW + 1 });
  const cases = [
    [await till.charge(), "CODE_TYPE_UNEXPECTED"],
    [await till.receiptFor(messageId(5), 1_250n), "PAYMENT_UNKNOWN"],
    [await till.receiptFor(paymentId, 1_250n, { signer: stranger }), "SIGNATURE_INVALID"],
    [await ferry.receiptFor(paymentId, 1_250n), "RECEIPT_MISMATCH"],
    [await secondTill.receiptFor(paymentId, 1_250n), "RECEIPT_MISMATCH"],
    [await sameKey.receiptFor(paymentId, 1_250n), "RECEIPT_MISMATCH"],
    [await till.receiptFor(paymentId, 1_249n), "RECEIPT_MISMATCH"],
    [await till.receiptFor(paymentId, 1_251n), "RECEIPT_MISMATCH"],
    [
      await till.receiptFor(paymentId, 1_250n, { payeeCertificateId: payeeCertificateId(8) }),
      "PAYEE_CERTIFICATE_MISMATCH",
    ],
    [await late.receiptFor(paymentId, 1_250n), "PAYEE_CERTIFICATE_EXPIRED"],
  ] as const;
  for (const [code, expected] of cases) expectRefusal(await acceptReceipt(ports, code), expected);
  assert.equal((await allPayments(ports))[0]?.receipt, undefined);
});

test("an open payment takes the receipt of any payee, up to the maximum, and only one", async () => {
  const { ports } = await holding();
  const { paymentId } = expectKind(await payOpen(ports, { maximum: amount(800n, EUR) }), "shown");
  expectRefusal(await acceptReceipt(ports, await ferry.receiptFor(paymentId, 801n)), "CAPTURE_OVER_MAXIMUM");
  expectRefusal(
    await acceptReceipt(ports, await ferry.receiptFor(paymentId, 640n, { issuedAt: NOW + 121 })),
    "PAYMENT_EXPIRED",
  );
  for (const _ of ["once", "again"]) {
    const { takenMinor } = expectKind(await acceptReceipt(ports, await ferry.receiptFor(paymentId, 640n)), "receipted");
    assert.equal(takenMinor, 640n);
  }
  expectRefusal(await acceptReceipt(ports, await ferry.receiptFor(paymentId, 641n)), "RECEIPT_MISMATCH");
  expectRefusal(await acceptReceipt(ports, await till.receiptFor(paymentId, 640n)), "RECEIPT_MISMATCH");
  const [entry] = await history(ports);
  assert.deepEqual([entry?.payee?.name, entry?.takenMinor, entry?.amount.minor], ["Harbour Kiosk", 640n, 800n]);
});

test("an open payment for one payee takes no other's receipt", async () => {
  const { ports } = await holding();
  const wish = { maximum: amount(800n, EUR), audience: payeeId("FERRY") };
  const { paymentId } = expectKind(await payOpen(ports, wish), "shown");
  expectRefusal(await acceptReceipt(ports, await till.receiptFor(paymentId, 640n)), "AUDIENCE_MISMATCH");
  expectKind(await acceptReceipt(ports, await ferry.receiptFor(paymentId, 640n)), "receipted");
});

test("an open payment is judged by the certificate that it was made under", async () => {
  const world = await holding([{ expiresAt: NOW + DAY }, { certificateId: certificateId(2) }]);
  const { ports, clock } = world;
  clock.seconds = NOW + 2 * DAY;
  const { paymentId } = expectKind(await payOpen(ports, { maximum: amount(800n, EUR) }), "shown");
  const receipt = await ferry.receiptFor(paymentId, 640n, { issuedAt: clock.seconds + 5 });
  expectKind(await acceptReceipt(ports, receipt), "receipted");
});

test("nobody's receipt is believed by a trust list that has expired", async () => {
  const { ports, clock } = await holding();
  const { paymentId } = await mustPay(ports, await till.charge());
  clock.seconds = NOW + 61 * DAY;
  expectRefusal(await acceptReceipt(ports, await till.receiptFor(paymentId, 1_250n)), "TRUST_LIST_EXPIRED");
  assert.equal((await allPayments(ports))[0]?.receipt, undefined);
});
