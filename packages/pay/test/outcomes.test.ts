import assert from "node:assert/strict";
import { test } from "node:test";
import { applyOutcomes, mergeOutcome, type OfferedOutcome, type PaymentOutcome } from "../src/index.ts";
import { outcomeWrites } from "../src/outcomes.ts";
import { allPayments, mustPay } from "./steps.ts";
import { aTill, holding, messageId, NOW } from "./world.ts";

const till = await aTill();
const outcome = (state: PaymentOutcome["state"]): PaymentOutcome => ({
  state,
  code: undefined,
  sentence: "So it is.",
  takenMinor: 0n,
  heardAt: 1,
});

test("the last word stays, and pending never comes after another one", () => {
  const states = ["pending", "settled", "refused", "held", "released"] as const;
  for (const held of states) {
    assert.equal(mergeOutcome(undefined, outcome(held)).state, held);
    for (const offered of states) {
      const final = held === "settled" || held === "refused";
      const stale = offered === "pending" && held !== "pending";
      const [before, after] = [outcome(held), outcome(offered)];
      // Of two that say the same the newer is kept: it was heard later.
      assert.equal(mergeOutcome(before, after), final || stale ? before : after);
    }
  }
});

test("an answer is kept as it was given, and one that says nothing or is of a stranger's payment is passed over", async () => {
  const { ports, clock } = await holding();
  const { paymentId } = await mustPay(ports, await till.charge());
  const said = (changes: Partial<OfferedOutcome>): OfferedOutcome => {
    return { paymentId, state: "received", code: null, sentence: "So it is.", takenMinor: 0n, ...changes };
  };
  const kept = async () => (await allPayments(ports)).map((payment) => payment.outcome);
  await applyOutcomes(ports, [said({ paymentId: messageId(77), state: "settled" }), said({ state: "unknown" })]);
  assert.deepEqual(await kept(), [undefined]);
  await applyOutcomes(ports, [said({})]);
  const received = { state: "pending", code: undefined, sentence: "So it is.", takenMinor: 0n, heardAt: NOW };
  assert.deepEqual(await kept(), [received]);
  await applyOutcomes(ports, [said({ state: "unknown" })]);
  assert.deepEqual(await kept(), [received]);
  clock.seconds = NOW + 9;
  await applyOutcomes(ports, [said({ state: "pending" })]);
  assert.deepEqual(await kept(), [{ ...received, heardAt: NOW + 9 }]);
  await applyOutcomes(ports, [said({ state: "held", code: "UPLOAD_TOO_LATE", takenMinor: 1n })]);
  assert.deepEqual(await kept(), [
    { ...received, state: "held", code: "UPLOAD_TOO_LATE", takenMinor: 1n, heardAt: NOW + 9 },
  ]);
});

test("what leaves an answer as it was is not written again", async () => {
  const { ports } = await holding();
  const { paymentId } = await mustPay(ports, await till.charge());
  const settled: OfferedOutcome = { paymentId, state: "settled", code: null, sentence: "Paid.", takenMinor: 1_250n };
  assert.equal(outcomeWrites(await allPayments(ports), [settled], NOW).length, 1);
  await applyOutcomes(ports, [settled]);
  for (const state of ["settled", "pending", "unknown"] as const)
    assert.deepEqual(outcomeWrites(await allPayments(ports), [{ ...settled, state }], NOW + 9), []);
});
