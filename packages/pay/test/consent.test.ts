import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { consentTo, pay } from "../src/index.ts";
import { allPayments, expectKind, expectRefusal, mustReview } from "./steps.ts";
import { aTill, holding, messageId, payeeId } from "./world.ts";

const kiosk = await aTill();

test("whatever differs between what was agreed to and what is to be paid, nothing is signed", async () => {
  const { ports } = await holding();
  const reviews = await Promise.all(
    [450n, 450n, 451n, 1n].map(async (amountMinor) => mustReview(ports, await kiosk.charge({ amountMinor }))),
  );
  const different = {
    requestId: fc.nat(1_000).map(messageId),
    payeeId: fc.stringMatching(/^[A-Z0-9-]{1,16}$/).map(payeeId),
    amountMinor: fc.bigInt({ min: 0n, max: 100_000n }),
  };
  // Often one thing alone: whoever forgets to compare it is found by nothing else.
  const { requestId, payeeId: payee, amountMinor } = different;
  const changed = fc.oneof(
    fc.record({ requestId }),
    fc.record({ payeeId: payee }),
    fc.record({ amountMinor }),
    fc.record(different, { requiredKeys: [] }),
  );
  const review = fc.constantFrom(...reviews);
  const pair = fc.oneof(
    review.map((same) => [same, same] as const),
    fc.tuple(review, review),
  );
  await fc.assert(
    fc.asyncProperty(pair, changed, async ([shown, swapped], changes) => {
      const consent = { ...consentTo(shown), ...changes };
      const truth = consentTo(swapped);
      const isSame =
        consent.requestId === truth.requestId &&
        consent.payeeId === truth.payeeId &&
        consent.amountMinor === truth.amountMinor;
      fc.pre(!isSame);
      expectRefusal(await pay(ports, { review: swapped, consent }), "CONSENT_MISMATCH");
      assert.deepEqual(await allPayments(ports), []);
    }),
    { numRuns: 300 },
  );
  const [first] = reviews;
  assert.ok(first !== undefined);
  expectKind(await pay(ports, { review: first, consent: consentTo(first) }), "shown");
});
