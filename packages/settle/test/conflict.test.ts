import assert from "node:assert/strict";
import { test } from "node:test";
import { type ChainHash, chainHashOf } from "@cairn/messages";
import { judgeClosing, type SettlementItem } from "@cairn/settle";
import {
  aChain,
  anItem,
  aWord,
  certificateId,
  messageId,
  NOW,
  payeeId,
  payersCopy,
  REFUSED,
  terminalId,
  World,
} from "./world.ts";

const otherTill = aWord({ payeeId: payeeId(2), terminalId: terminalId(2) });
/** Contradicts the first payment of a chain: the same sequence number, another payment. */
const fork = (changes: Partial<SettlementItem> = {}): SettlementItem =>
  anItem({ paymentId: messageId(100), payeeWord: otherTill, ...changes });

test("two payments that no honest device can have signed prove a conflict, once, with both named", () => {
  const world = new World();
  const { conflicts, outcomes } = world.settle([anItem(), fork(), fork({ paymentId: messageId(101) })]);
  assert.deepEqual(conflicts, [
    {
      certificateId: certificateId(1),
      first: messageId(1),
      second: messageId(100),
      kind: "two-payments",
      provenAt: NOW,
    },
  ]);
  assert.equal(world.certificate().revokedAt, NOW);
  assert.deepEqual(
    outcomes.map((outcome) => outcome.state),
    ["settled", "settled", "held"],
  );
});

test("every genuine signature counts as proof: pending and refused payments too", () => {
  for (const known of [payersCopy(anItem()), anItem({ refusal: REFUSED })]) {
    const world = new World();
    world.one(known);
    assert.equal(world.settle([fork()]).conflicts.length, 1);
  }
});

test("a sequence number far away does not hide an overspend", () => {
  const world = new World();
  const { conflicts } = world.settle([
    anItem({ sequence: 5, amountMinor: 30_000n, spentMinor: 30_000n }),
    fork({ sequence: 9, amountMinor: 30_000n, spentMinor: 40_000n }),
  ]);
  assert.equal(conflicts[0]?.kind, "two-payments");
});

test("neighbours must hang together: another predecessor or another sum proves a second chain", () => {
  const [first, second] = aChain([1_000n, 1_000n]);
  assert.ok(first !== undefined && second !== undefined);
  for (const forged of [
    { ...second, previous: chainHashOf(messageId(77)) as ChainHash },
    { ...second, spentMinor: 2_500n },
  ]) {
    for (const items of [
      [first, forged],
      [forged, first],
    ]) {
      const world = new World();
      const { conflicts, outcomes } = world.settle(items);
      assert.equal(conflicts[0]?.kind, "broken-chain");
      // Both leave room for each other, so both are paid.
      assert.deepEqual(
        outcomes.map((outcome) => outcome.state),
        ["settled", "settled"],
      );
    }
  }
});

test("the terminal that should have refused the pair is not paid for the second one", () => {
  const world = new World();
  world.one(anItem());
  const outcome = world.one(fork({ payeeWord: aWord() }));
  assert.deepEqual([outcome.state, outcome.code], ["held", "SEQUENCE_CONFLICT"]);
  // Another till of the same payee could not have seen the first one.
  const otherTillOfPayee = fork({ paymentId: messageId(101), payeeWord: aWord({ terminalId: terminalId(3) }) });
  assert.equal(world.one(otherTillOfPayee).state, "settled");
});

test("in conflict a payee is paid up to its ceiling for the certificate; one more unit is held", () => {
  const world = new World();
  world.one(anItem());
  const ceiling = { ...otherTill, perCertificateCapMinor: 1_500n };
  assert.equal(world.one(fork({ payeeWord: ceiling })).state, "settled");
  const atCeiling = fork({
    paymentId: messageId(101),
    amountMinor: 500n,
    payeeWord: { ...ceiling, terminalId: terminalId(3), takenMinor: 500n },
  });
  const above = { ...atCeiling, payeeWord: { ...ceiling, terminalId: terminalId(3), takenMinor: 501n } };
  assert.deepEqual([world.one(above).state, world.one(above).code], ["held", "PAYEE_CEILING_REACHED"]);
  assert.equal(world.one({ ...atCeiling, paymentId: messageId(102) }).state, "settled");
});

test("a payment that contradicts nothing credited is paid above the ceiling, whatever the payer's copies say", () => {
  const world = new World();
  world.one(payersCopy(fork()));
  const outcome = world.one(anItem({ payeeWord: aWord({ perCertificateCapMinor: 0n }) }));
  assert.equal(outcome.state, "settled");
  assert.notEqual(world.certificate().conflict, undefined);
});

const closing = { sequence: 1, spentMinor: 1_000n, messageId: messageId(50) };

test("a payment beyond the closing proves a conflict and is paid up to the ceiling", () => {
  const [, second] = aChain([1_000n, 1_000n]);
  assert.ok(second !== undefined);
  for (const [cap, state] of [
    [1_000n, "settled"],
    [999n, "held"],
  ] as const) {
    const world = new World({ certificates: [{ closing }] });
    const { conflicts, outcomes } = world.settle([{ ...second, payeeWord: aWord({ perCertificateCapMinor: cap }) }]);
    assert.deepEqual(conflicts[0], {
      certificateId: certificateId(1),
      first: messageId(50),
      second: messageId(2),
      kind: "payment-beyond-closing",
      provenAt: NOW,
    });
    assert.equal(outcomes[0]?.state, state);
  }
});

test("once the device is proven cloned, a payment that its closing covers is still paid above the ceiling", () => {
  const [first, second] = aChain([1_000n, 1_000n]);
  assert.ok(first !== undefined && second !== undefined);
  const world = new World({ certificates: [{ closing }] });
  world.one({ ...second, payeeWord: aWord({ perCertificateCapMinor: 0n }) });
  assert.notEqual(world.certificate().conflict, undefined);
  assert.equal(world.one({ ...first, payeeWord: aWord({ perCertificateCapMinor: 0n }) }).state, "settled");
});

test("payments up to the closing are settled as ever", () => {
  const world = new World({ certificates: [{ closing }] });
  const { conflicts, outcomes } = world.settle([anItem()]);
  assert.deepEqual([conflicts.length, outcomes[0]?.state], [0, "settled"]);
});

test("the first closing counts, the same facts again change nothing, other facts prove a conflict", () => {
  const open = new World().certificate();
  assert.deepEqual(judgeClosing(open, closing, NOW), { answer: "recorded", conflict: undefined });
  const closed = new World({ certificates: [{ closing }] }).certificate();
  assert.deepEqual(judgeClosing(closed, { ...closing, messageId: messageId(51) }, NOW), {
    answer: "repeated",
    conflict: undefined,
  });
  const differs = judgeClosing(closed, { sequence: 2, spentMinor: 1_000n, messageId: messageId(51) }, NOW);
  assert.deepEqual(differs, {
    answer: "differs",
    conflict: {
      certificateId: certificateId(1),
      first: messageId(50),
      second: messageId(51),
      kind: "two-closings",
      provenAt: NOW,
    },
  });
});

test("a closing that comes after a payment beyond it proves the conflict as well", () => {
  const world = new World();
  world.settle(aChain([1_000n, 1_000n]));
  const { answer, conflict } = judgeClosing(world.certificate(), closing, NOW);
  assert.deepEqual([answer, conflict?.kind, conflict?.second], ["recorded", "payment-beyond-closing", messageId(2)]);
  world.change({ conflict });
  assert.equal(judgeClosing(world.certificate(), closing, NOW).conflict, undefined);
});
