import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { KnownPayments } from "../src/known-payments.ts";
import type { KnownPayment } from "../src/model.ts";
import { anItem, messageId, requestHash } from "./world.ts";

const STATES = ["pending", "settled", "refused", "held", "released"] as const;

function aPayment(number: number, sequence: number, state: KnownPayment["state"]): KnownPayment {
  const { kind, spentMinor, amountMinor, previous } = anItem({});
  const paid = state === "settled" ? amountMinor : 0n;
  return {
    paymentId: messageId(number),
    kind,
    sequence,
    spentMinor,
    amountMinor,
    previous,
    requestHash: requestHash(number % 3),
    state,
    code: undefined,
    claim: undefined,
    takenMinor: paid,
    funding: undefined,
    sideClaims: [],
  };
}

test("what is found in an index is what a look at each payment finds, whatever came in whatever order", () => {
  const payments = fc.array(
    fc.record({ number: fc.nat(30), state: fc.constantFrom(...STATES) }).map(({ number, state }) =>
      // Several ids share a number, as those of two phones with one key do.
      aPayment(number, 1 + (number % 10), state),
    ),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(payments, fc.nat(40), (put, first) => {
      const given = put
        .slice(0, first)
        .filter(({ paymentId }, at, all) => at === all.findLastIndex((each) => each.paymentId === paymentId));
      const index = new KnownPayments(given);
      const plain = new Map(given.map((payment) => [payment.paymentId, payment]));
      const paid = new Set(given.filter(({ state }) => state === "settled").map((payment) => payment.requestHash));
      for (const payment of put.slice(first)) {
        index.put(payment);
        plain.set(payment.paymentId, payment);
        if (payment.state === "settled") paid.add(payment.requestHash);
      }
      const sequences = [...plain.values()].map(({ sequence }) => sequence);
      assert.deepEqual(
        index.list.map(({ sequence }) => sequence),
        sequences.toSorted((a, b) => a - b),
      );
      assert.equal(index.list.length, plain.size);
      for (let number = 0; number <= 31; number++)
        assert.equal(index.find(messageId(number), 1 + (number % 10)), plain.get(messageId(number)));
      for (let sequence = 0; sequence <= 12; sequence++) {
        const lower = sequences.filter((each) => each < sequence);
        const others = sequences.filter((each) => each >= sequence);
        assert.equal(index.before(sequence)?.sequence, lower.length === 0 ? undefined : Math.max(...lower));
        assert.equal(index.from(sequence)?.sequence, others.length === 0 ? undefined : Math.min(...others));
      }
      for (let number = 0; number < 4; number++)
        assert.equal(index.isPaid(requestHash(number)), paid.has(requestHash(number)));
    }),
    { numRuns: 300 },
  );
});
