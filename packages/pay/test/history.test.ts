import assert from "node:assert/strict";
import { test } from "node:test";
import { amount } from "@cairn/messages";
import { acceptReceipt, applyOutcomes, history, type OfferedOutcome, payOpen, walletStatus } from "../src/index.ts";
import { expectKind, mustPay } from "./steps.ts";
import { Crash, watch } from "./watched.ts";
import { aTill, certificateId, DAY, EUR, holding, NOW } from "./world.ts";

const till = await aTill();

test("a payment's state goes from prepared to the server's last word", async () => {
  const { ports } = await holding();
  const code = await till.charge();
  const state = async () => (await history(ports))[0]?.state;
  const interrupted = watch(ports, { crash: { at: 2, when: "after" } });
  await assert.rejects(mustPay(interrupted.ports, code), Crash);
  assert.equal(await state(), "prepared");
  const { paymentId } = await mustPay(ports, code);
  assert.equal(await state(), "shown");
  const hear = (said: OfferedOutcome["state"], takenMinor = 0n) =>
    applyOutcomes(ports, [{ paymentId, state: said, code: null, sentence: "So it is.", takenMinor }]);
  await hear("unknown");
  assert.equal(await state(), "shown");
  await hear("received");
  assert.equal(await state(), "pending");
  await acceptReceipt(ports, await till.receiptFor(paymentId, 1_250n));
  assert.equal(await state(), "receipted");
  await hear("held");
  assert.equal(await state(), "held");
  await hear("settled", 1_250n);
  assert.equal(await state(), "settled");
  await hear("pending");
  assert.equal(await state(), "settled");
});

test("what was taken is the receipt's word until the server has had its own", async () => {
  const { ports } = await holding();
  const { paymentId } = expectKind(await payOpen(ports, { maximum: amount(800n, EUR) }), "shown");
  const taken = async () => {
    const [entry] = await history(ports);
    return [entry?.takenMinor, entry?.hasReceipt];
  };
  const hear = (state: OfferedOutcome["state"], takenMinor: bigint) =>
    applyOutcomes(ports, [{ paymentId, state, code: null, sentence: "So it is.", takenMinor }]);
  assert.deepEqual(await taken(), [undefined, false]);
  await hear("received", 0n);
  assert.deepEqual(await taken(), [undefined, false]);
  expectKind(await acceptReceipt(ports, await till.receiptFor(paymentId, 640n)), "receipted");
  assert.deepEqual(await taken(), [640n, true]);
  await hear("settled", 600n);
  assert.deepEqual(await taken(), [600n, true]);
});

test("the history says who, how much, for what, newest first", async () => {
  const { ports } = await holding();
  const paid = await mustPay(ports, await till.charge());
  const open = expectKind(await payOpen(ports, { maximum: amount(800n, EUR) }), "shown");
  const [newest, oldest] = await history(ports);
  assert.deepEqual(newest, {
    paymentId: open.paymentId,
    kind: "open-payment",
    state: "shown",
    amount: amount(800n, EUR),
    takenMinor: undefined,
    payee: undefined,
    orderReference: undefined,
    requestId: undefined,
    certificateId: certificateId(1),
    sequence: 2,
    preparedAt: NOW,
    hasReceipt: false,
    voided: false,
    outcome: undefined,
  });
  assert.equal(oldest?.paymentId, paid.paymentId);
  assert.deepEqual(oldest?.payee, { payeeId: "KIOSK", name: "Harbour Kiosk" });
  assert.equal(oldest?.orderReference, "A-1");
});

test("the status names each certificate's rest and state", async () => {
  const { ports, clock } = await holding([
    { certificateId: certificateId(1), expiresAt: NOW + 10 },
    { certificateId: certificateId(2) },
    { certificateId: certificateId(3), issuedAt: NOW + 5 },
  ]);
  await mustPay(ports, await till.charge());
  clock.seconds = NOW + 11;
  const { holdings } = await walletStatus(ports);
  assert.deepEqual(
    holdings.map(({ state, spentMinor, remainingMinor }) => [state, spentMinor, remainingMinor]),
    [
      ["expired", 1_250n, 8_750n],
      ["usable", 0n, 10_000n],
      ["usable", 0n, 10_000n],
    ],
  );
  clock.seconds = NOW + 8 * DAY;
  assert.ok((await walletStatus(ports)).holdings.every(({ state }) => state === "expired"));
});
