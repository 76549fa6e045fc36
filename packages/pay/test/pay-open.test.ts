import assert from "node:assert/strict";
import { test } from "node:test";
import { amount, areCompatible, decodeMessage, expectCode, readCode, userCertificate } from "@cairn/messages";
import { payOpen } from "../src/index.ts";
import { allPayments, expectKind, expectRefusal, mustPay, paymentIn } from "./steps.ts";
import { aTill, certificateId, crypto, DAY, EUR, holding, NOW, payeeId, USD } from "./world.ts";

const maximum = amount(800n, EUR);

test("an open payment reserves its maximum for a minute, unless told otherwise", async () => {
  const { ports } = await holding();
  const paid = expectKind(await payOpen(ports, { maximum }), "shown");
  const { unverified } = paymentIn(paid.codeText);
  assert.equal(paid.expiresAt, NOW + 60);
  assert.deepEqual(
    { ...unverified, previous: undefined, certificateId: undefined },
    {
      sequence: 1,
      amountMinor: 800n,
      spentMinor: 800n,
      issuedAt: NOW,
      expiresAt: NOW + 60,
      previous: undefined,
      certificateId: undefined,
    },
  );
  const bound = expectKind(
    await payOpen(ports, { maximum, audience: payeeId("FERRY"), validitySeconds: 300 }),
    "shown",
  );
  const second = paymentIn(bound.codeText).unverified;
  assert.ok("audience" in second && second.audience === "FERRY" && second.expiresAt === NOW + 300);
  assert.equal(second.sequence, 2);
  expectKind(await payOpen(ports, { maximum, validitySeconds: 1 }), "shown");
});

test("each call makes another one, at the same moment too, and they share the chain with two-way payments", async () => {
  const { ports } = await holding();
  const till = await aTill();
  const shown = await Promise.all([
    payOpen(ports, { maximum }),
    payOpen(ports, { maximum }),
    mustPay(ports, await till.charge()),
    payOpen(ports, { maximum }),
  ]);
  const ids = shown.map((each) => expectKind(each, "shown").paymentId);
  assert.equal(new Set(ids).size, 4);
  const payments = await allPayments(ports);
  assert.deepEqual(
    payments.map(({ sequence }) => sequence),
    [1, 2, 3, 4],
  );
  for (const [index, left] of payments.entries())
    for (const right of payments.slice(index + 1)) assert.ok(areCompatible(left, right));
});

test("refusals come before anything is written", async () => {
  const { ports } = await holding();
  expectRefusal(await payOpen(ports, { maximum: amount(0n, EUR) }), "AMOUNT_ZERO");
  expectRefusal(await payOpen(ports, { maximum, validitySeconds: 301 }), "PAYMENT_VALIDITY_TOO_LONG");
  expectRefusal(await payOpen(ports, { maximum: amount(6_001n, EUR) }), "AMOUNT_OVER_CERTIFICATE_CAP");
  expectRefusal(await payOpen(ports, { maximum: amount(1n, USD) }), "CURRENCY_MISMATCH");
  expectKind(await payOpen(ports, { maximum: amount(6_000n, EUR) }), "shown");
  expectRefusal(await payOpen(ports, { maximum: amount(4_001n, EUR) }), "LIMIT_EXCEEDED");
  for (const validitySeconds of [0, -1, 1.5, Number.NaN]) {
    await assert.rejects(payOpen(ports, { maximum, validitySeconds }), { code: "PAY_ARGUMENT_RANGE" });
  }
  assert.equal((await allPayments(ports)).length, 1);
});

test("the code carries the certificate that the payment was made under, also when it is not the first", async () => {
  const { ports, clock } = await holding([{ expiresAt: NOW + DAY }, { certificateId: certificateId(2) }]);
  clock.seconds = NOW + 2 * DAY;
  const { codeText } = expectKind(await payOpen(ports, { maximum }), "shown");
  const { certificate } = expectCode(readCode(codeText), "open-payment");
  assert.equal(decodeMessage(userCertificate, certificate, crypto).unverified.certificateId, certificateId(2));
});

test("of several that were interrupted, the one that is asked for again is shown", async () => {
  const { ports } = await holding();
  const away = { ...ports.signer, sign: () => Promise.reject(new Error("the key is away")) };
  for (const minor of [700n, 800n, 900n])
    await assert.rejects(payOpen({ ...ports, signer: away }, { maximum: amount(minor, EUR) }), /the key is away/);
  const { paymentId, codeText } = expectKind(await payOpen(ports, { maximum }), "shown");
  assert.deepEqual(
    [paymentId, paymentIn(codeText).unverified.amountMinor],
    [(await allPayments(ports))[1]?.paymentId, 800n],
  );
});
