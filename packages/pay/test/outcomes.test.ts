import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeOutcome, type PaymentOutcome } from "../src/index.ts";

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
      assert.equal(mergeOutcome(outcome(held), outcome(offered)).state, final || stale ? held : offered);
    }
  }
});
