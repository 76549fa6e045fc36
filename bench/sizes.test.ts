import assert from "node:assert/strict";
import { test } from "node:test";
import { sizes } from "./sizes.ts";

/** Budgets of the specification (docs/spec/messages.md, "Sizes"): what keeps a payment in a code that any phone reads. */
const BUDGETS = { certificate: 180, payment: 150, certificateAndPayment: 320, request: 340, qrVersion: 13 };

test("typical messages stay within their byte budgets", async (t) => {
  const measured = await sizes();
  for (const [name, budget] of Object.entries(BUDGETS)) {
    const size = measured[name] ?? Number.POSITIVE_INFINITY;
    t.diagnostic(`${name}: ${size} of at most ${budget}`);
    assert.ok(size <= budget, `${name} takes ${size}, more than ${budget}`);
  }
});
