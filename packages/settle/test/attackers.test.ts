import assert from "node:assert/strict";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import fc from "fast-check";
import { anItem, aWord, DAY, messageId, NOW, payeeId, requestHash, terminalId, World } from "./world.ts";

/** Attackers of docs/security/threat-model.md, against the decisions of settlement. */
const LIMIT = 50_000n;
const CEILING = 20_000n;
const TILLS = 3;

const aForgery = fc.record({
  sequence: fc.integer({ min: 1, max: 8 }),
  spentMinor: fc.bigInt({ min: 1n, max: LIMIT }),
  amountMinor: fc.bigInt({ min: 1n, max: LIMIT }),
  till: fc.integer({ min: 1, max: TILLS }),
  backSeconds: fc.integer({ min: 0, max: 3 * DAY }),
  arrivesAfter: fc.integer({ min: 0, max: 10 * DAY }),
});

test("after a revocation, thief and tills in league that date everything back get no more than the bound known before", () => {
  fc.assert(
    fc.property(fc.array(aForgery, { maxLength: 12 }), (forgeries) => {
      const world = new World({
        balanceMinor: 0n,
        certificates: [{ limitMinor: LIMIT, issuedAt: NOW - DAY, expiresAt: NOW + DAY, revokedAt: NOW }],
      });
      const tillsPaid = new Set<number>();
      forgeries.forEach(({ sequence, spentMinor, amountMinor, till, backSeconds, arrivesAfter }, index) => {
        const takenMinor = amountMinor < spentMinor ? amountMinor : spentMinor;
        const outcome = world.one(
          anItem({
            paymentId: messageId(index + 1),
            sequence,
            spentMinor,
            amountMinor: takenMinor,
            requestHash: requestHash(index + 1),
            receivedAt: NOW + arrivesAfter,
            payeeWord: aWord({
              payeeId: payeeId(till),
              terminalId: terminalId(till),
              perCertificateCapMinor: CEILING,
              acceptedAt: NOW - backSeconds,
              takenMinor,
            }),
          }),
          NOW + arrivesAfter,
        );
        if (outcome.takenMinor > 0n) tillsPaid.add(till);
      });
      const lossMinor = world.total("loss-reserve");
      const terminalsBoundMinor = LIMIT * BigInt(Math.max(1, tillsPaid.size));
      assert.ok(lossMinor <= terminalsBoundMinor, `${lossMinor} of ${terminalsBoundMinor}`);
      assert.ok(lossMinor <= LIMIT + CEILING * BigInt(TILLS));
      if (lossMinor > LIMIT) assert.ok(world.certificate().conflict !== undefined, "a loss above one limit has proof");
    }),
    { numRuns: 500 },
  );
});

test("a payment dated back before the revocation arrives too late once the deadline has passed", () => {
  const world = new World({ certificates: [{ expiresAt: NOW + DAY, revokedAt: NOW }] });
  const item = anItem({ receivedAt: NOW + 9 * DAY, payeeWord: aWord({ acceptedAt: NOW - 1 }) });
  const { state, code } = world.one(item, NOW + 9 * DAY);
  assert.deepEqual([state, code], ["held", "UPLOAD_TOO_LATE"]);
});

test("two payments whose shortened hashes collide: the chain looks sound, the running totals still tell", () => {
  const world = new World();
  // The first 8 bytes are what a successor names: these two have them in common and are two payments.
  const honest = messageId(7);
  const colliding = `${honest.slice(0, 16)}${"1".repeat(48)}` as MessageId;
  const first = anItem({ paymentId: honest, sequence: 1, spentMinor: 1_000n });
  const twin = anItem({
    paymentId: colliding,
    sequence: 1,
    spentMinor: 1_000n,
    payeeWord: aWord({ terminalId: terminalId(2), payeeId: payeeId(2) }),
  });
  assert.equal(world.one(first).state, "settled");
  const { conflicts } = world.settle([twin]);
  assert.deepEqual(
    conflicts.map(({ first: left, second: right, kind }) => [left, right, kind]),
    [[honest, colliding, "two-payments"]],
  );
});
