import assert from "node:assert/strict";
import { test } from "node:test";
import { chainHashOf } from "@cairn/messages";
import { decideReview, type Review, reviewedItem } from "@cairn/settle";
import {
  anItem,
  aWord,
  certificateId,
  DAY,
  messageId,
  NOW,
  POLICY,
  payeeId,
  payersCopy,
  terminalId,
  World,
} from "./world.ts";

/** A person's word on a payment that is held because it came too late. */
const LATE = NOW + 9 * DAY;
const review: Review = { certificateId: certificateId(1), paymentId: messageId(1), decision: "release" };
const context = { now: LATE, policy: POLICY };

function held(): World {
  const world = new World();
  world.one(anItem({ receivedAt: LATE }), LATE);
  assert.equal(world.payment(1)?.state, "held");
  return world;
}

test("a payment that is released is paid as it was claimed, and posted", () => {
  const world = held();
  const { outcomes, entries, payments, exposures } = decideReview(world, review, context);
  const funding = { balanceMinor: 1_000n, creditMinor: 0n, reserveMinor: 0n };
  const [outcome] = outcomes;
  assert.ok(outcome !== undefined && outcomes.length === 1);
  const { sentence, ...rest } = outcome;
  assert.deepEqual(rest, {
    paymentId: messageId(1),
    state: "settled",
    code: undefined,
    takenMinor: 1_000n,
    funding,
    repeated: false,
  });
  assert.match(sentence, /^[A-Z].*\.$/);
  assert.deepEqual(
    entries.map(({ reference, postedAt, postings }) => [reference, postedAt, postings.map(({ minor }) => minor)]),
    [[`settlement:${messageId(1)}`, LATE, [1_000n, -1_000n]]],
  );
  assert.deepEqual(exposures, [{ certificateId: certificateId(1), settledMinor: 1_000n, releasedMinor: 0n }]);
  const [change] = payments;
  assert.ok(change !== undefined && payments.length === 1);
  assert.deepEqual([change.addedBy, change.entry], [undefined, 0], "the store is told which entry pays it");
  const { state, code, takenMinor } = change.payment;
  assert.deepEqual([state, code, takenMinor, change.payment.funding], ["settled", undefined, 1_000n, funding]);
  assert.deepEqual(
    { ...change.payment, state: "held", code: "UPLOAD_TOO_LATE", takenMinor: 0n, funding: undefined },
    {
      ...world.payment(1),
    },
  );
});

test("a payment that is rejected is refused for good, and nothing is posted", () => {
  const world = held();
  const { outcomes, entries, payments } = decideReview(world, { ...review, decision: "reject" }, context);
  assert.deepEqual(
    outcomes.map(({ state, code, takenMinor, repeated }) => [state, code, takenMinor, repeated]),
    [["refused", "REJECTED_IN_REVIEW", 0n, false]],
  );
  assert.deepEqual(entries, []);
  assert.deepEqual(
    payments.map(({ payment }) => [payment.state, payment.code]),
    [["refused", "REJECTED_IN_REVIEW"]],
  );
});

test("a person's no stands: the same claim is not held again, another payee's is looked at", () => {
  const world = new World();
  const item = anItem({ kind: "open-payment", receivedAt: LATE });
  world.one(item, LATE);
  const [rejected] = decideReview(world, { ...review, decision: "reject" }, context).payments;
  assert.ok(rejected !== undefined);
  world.change({ payments: [rejected.payment] });
  for (const again of [item, payersCopy(item)]) {
    const outcome = world.one(again, LATE);
    assert.deepEqual([outcome.state, outcome.code, outcome.repeated], ["refused", "REJECTED_IN_REVIEW", true]);
    assert.deepEqual(world.payment(1), rejected.payment);
  }
  const other = aWord({ payeeId: payeeId(2), terminalId: terminalId(2) });
  const another = world.one({ ...item, payeeWord: other }, LATE);
  assert.deepEqual([another.state, another.code, another.repeated], ["held", "UPLOAD_TOO_LATE", false]);
  assert.deepEqual(
    world.payment(1)?.sideClaims.map(({ state, code, terminalId: till }) => [state, code, till]),
    [["refused", "REJECTED_IN_REVIEW", terminalId(1)]],
  );
});

test("what is not held stays as it is, and the answer says how it stands", () => {
  const settled = new World();
  settled.one(anItem());
  const pending = new World();
  pending.one(payersCopy(anItem()));
  for (const [world, state, takenMinor] of [
    [settled, "settled", 1_000n],
    [pending, "pending", 0n],
  ] as const) {
    const { outcomes, entries, payments } = decideReview(world, review, context);
    assert.deepEqual(
      outcomes.map((outcome) => [outcome.state, outcome.takenMinor, outcome.repeated]),
      [[state, takenMinor, true]],
    );
    assert.deepEqual([entries, payments], [[], []]);
  }
});

test("of a payment or certificate that nobody knows there is nothing to say", () => {
  for (const unknown of [{ paymentId: messageId(2) }, { certificateId: certificateId(2) }]) {
    const { outcomes, entries, payments } = decideReview(held(), { ...review, ...unknown }, context);
    assert.deepEqual([outcomes, entries, payments], [[], [], []]);
  }
});

test("the item that stands for a review names the payment and brings no word", () => {
  assert.deepEqual(reviewedItem(review, LATE), {
    inboxId: 0,
    paymentId: messageId(1),
    kind: "payment",
    certificateId: certificateId(1),
    sequence: 0,
    spentMinor: 0n,
    amountMinor: 0n,
    previous: chainHashOf(messageId(1)),
    requestHash: undefined,
    receivedAt: LATE,
    broughtBy: "payer",
    payeeWord: undefined,
    voided: false,
    refusal: undefined,
  });
});
