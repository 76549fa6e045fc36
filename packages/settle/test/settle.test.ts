import assert from "node:assert/strict";
import { test } from "node:test";
import {
  aChain,
  anItem,
  aWord,
  certificateId,
  DAY,
  messageId,
  NOW,
  POLICY,
  payeeId,
  payersCopy,
  REFUSED,
  requestHash,
  terminalId,
  World,
} from "./world.ts";

const LATE = NOW + DAY + POLICY.uploadDeadlineSeconds + 1;

test("a payee's payment is settled, credited in full and taken from the balance", () => {
  const world = new World({ balanceMinor: 5_000n });
  const outcome = world.one(anItem());
  assert.deepEqual(
    { ...outcome },
    {
      paymentId: messageId(1),
      state: "settled",
      code: undefined,
      sentence: "Paid.",
      takenMinor: 1_000n,
      funding: { balanceMinor: 1_000n, creditMinor: 0n, reserveMinor: 0n },
      repeated: false,
    },
  );
  assert.deepEqual(world.entries, [
    {
      reference: `settlement:${messageId(1)}`,
      kind: "settlement",
      currency: "EUR",
      postedAt: NOW,
      postings: [
        { ledgerAccount: { kind: "wallet", account: 7 }, minor: 1_000n },
        { ledgerAccount: { kind: "clearing", payeeId: "SHOP-1" }, minor: -1_000n },
      ],
    },
  ]);
});

test("balance comes before credit, credit before the reserve, and a batch uses each unit once", () => {
  const world = new World({ balanceMinor: 1_500n, creditMinor: 1_000n });
  const { outcomes } = world.settle(aChain([1_000n, 1_000n, 1_000n]));
  assert.deepEqual(
    outcomes.map((outcome) => outcome.funding),
    [
      { balanceMinor: 1_000n, creditMinor: 0n, reserveMinor: 0n },
      { balanceMinor: 500n, creditMinor: 500n, reserveMinor: 0n },
      { balanceMinor: 0n, creditMinor: 500n, reserveMinor: 500n },
    ],
  );
});

test("the same payment again, in one batch or another, changes nothing and gets the same answer", () => {
  const world = new World();
  const first = world.settle([anItem(), anItem()]);
  const second = world.settle([anItem()]);
  assert.deepEqual(first.outcomes[1], { ...first.outcomes[0], repeated: true });
  assert.deepEqual(second.outcomes[0], { ...first.outcomes[0], repeated: true });
  assert.deepEqual([second.entries, second.payments, second.sideClaims, second.exposures], [[], [], [], []]);
  assert.equal(world.entries.length, 1);
});

test("what is not conforming is refused with the rules' own code, and again when repeated", () => {
  const world = new World();
  const item = anItem({ refusal: REFUSED });
  assert.deepEqual([world.one(item).state, world.one(item).code], ["refused", "PAYMENT_CLOCK_DIFFERS"]);
  assert.equal(world.one(item).repeated, true);
  assert.equal(world.entries.length, 0);
});

test("a certificate that nobody knows pays nothing", () => {
  const outcome = new World().one(anItem({ certificateId: certificateId(9) }));
  assert.deepEqual([outcome.state, outcome.code], ["refused", "CERTIFICATE_UNKNOWN"]);
});

test("a payer's copy is pending until the payee's word is there", () => {
  const world = new World();
  assert.equal(world.one(payersCopy(anItem())).state, "pending");
  assert.equal(world.one(payersCopy(anItem())).repeated, true);
  assert.equal(world.entries.length, 0);
  assert.equal(world.one(anItem()).state, "settled");
  assert.equal(world.one(payersCopy(anItem())).state, "settled");
  assert.equal(world.entries.length, 1);
});

test("a payer's copy with the payee's receipt settles, and the terminal's upload later is a repeat", () => {
  const world = new World();
  assert.equal(world.one(payersCopy(anItem(), { payeeWord: aWord({ acceptedAt: NOW + 5 }) })).state, "settled");
  const again = world.one(anItem());
  assert.deepEqual([again.state, again.repeated], ["settled", true]);
});

test("a capture below the maximum takes what was captured and gives the rest back", () => {
  const world = new World();
  const item = anItem({ kind: "open-payment", amountMinor: 1_000n, payeeWord: aWord({ takenMinor: 400n }) });
  const { outcomes, exposures } = world.settle([item]);
  assert.equal(outcomes[0]?.takenMinor, 400n);
  assert.deepEqual(exposures, [{ certificateId: certificateId(1), settledMinor: 400n, releasedMinor: 600n }]);
});

test("a capture of nothing settles without an entry", () => {
  const world = new World();
  const item = anItem({ kind: "open-payment", payeeWord: aWord({ takenMinor: 0n }) });
  assert.equal(world.one(item).state, "settled");
  assert.equal(world.entries.length, 0);
});

test("an open payment captured by two is credited to the first; the second is held as evidence", () => {
  const world = new World();
  const first = anItem({ kind: "open-payment", payeeWord: aWord({ takenMinor: 400n }) });
  const second = { ...first, payeeWord: aWord({ terminalId: terminalId(2), payeeId: payeeId(2), takenMinor: 300n }) };
  const otherAmount = { ...first, payeeWord: aWord({ takenMinor: 500n }) };
  world.settle([first, second, otherAmount]);
  for (const later of [second, otherAmount]) {
    const outcome = world.one(later);
    assert.deepEqual(
      [outcome.state, outcome.code, outcome.repeated],
      ["held", "OPEN_PAYMENT_CAPTURED_ELSEWHERE", true],
    );
  }
  assert.equal(world.payment(1)?.state, "settled");
  assert.equal(world.payment(1)?.sideClaims.length, 2);
  assert.equal(world.total("clearing"), -400n);
  assert.equal(world.certificate().conflict, undefined);
});

test("a refused or held capture does not stand in the way of another payee's sound one", () => {
  for (const [bad, state, code] of [
    [{ refusal: REFUSED }, "refused", "PAYMENT_CLOCK_DIFFERS"],
    [{ receivedAt: LATE }, "held", "UPLOAD_TOO_LATE"],
  ] as const) {
    const world = new World();
    const item = anItem({ kind: "open-payment", ...bad });
    const sound = { ...item, refusal: undefined, receivedAt: NOW, payeeWord: aWord({ terminalId: terminalId(2) }) };
    assert.equal(world.one(item).code, code);
    assert.equal(world.one(sound).state, "settled");
    assert.deepEqual(
      world.payment(1)?.sideClaims.map((claim) => [claim.terminalId, claim.state, claim.code]),
      [[terminalId(1), state, code]],
    );
  }
});

test("a payment with the payee's void goes back to the payer, and the payee's acceptance is refused", () => {
  const world = new World();
  const item = anItem({ requestHash: requestHash(1) });
  const { outcomes, exposures } = world.settle([payersCopy(item, { voided: true })]);
  assert.deepEqual([outcomes[0]?.state, outcomes[0]?.code], ["released", "REQUEST_VOIDED"]);
  assert.deepEqual(exposures, [{ certificateId: certificateId(1), settledMinor: 0n, releasedMinor: 1_000n }]);
  const accepted = world.one(item);
  assert.deepEqual([accepted.state, accepted.code], ["refused", "REQUEST_VOIDED"]);
  assert.equal(world.payment(1)?.state, "released");
  assert.equal(world.one(payersCopy(item)).state, "released");
});

test("a terminal that uploads an acceptance of a request that it voided is refused, whoever comes first", () => {
  const world = new World();
  world.voidedRequests.add(requestHash(1));
  const item = anItem({ requestHash: requestHash(1) });
  assert.deepEqual([world.one(item).state, world.one(item).code], ["refused", "REQUEST_VOIDED"]);
  assert.equal(world.one(payersCopy(item)).state, "released");
  assert.equal(world.entries.length, 0);
});

test("a pending, refused or held payment is given back when its void turns up", () => {
  for (const before of [
    payersCopy(anItem({ requestHash: requestHash(1) })),
    anItem({ requestHash: requestHash(1), refusal: REFUSED }),
    anItem({ requestHash: requestHash(1), receivedAt: LATE }),
  ]) {
    const world = new World();
    world.one(before);
    assert.equal(world.one(payersCopy(before, { voided: true })).state, "released");
  }
});

test("a void of a payment that was settled leaves it settled and asks for a review", () => {
  const world = new World();
  const item = anItem({ requestHash: requestHash(1) });
  world.one(item);
  assert.equal(world.one(payersCopy(item, { voided: true })).state, "settled");
  world.one(payersCopy(item, { voided: true }));
  assert.deepEqual(
    world.payment(1)?.sideClaims.map((claim) => [claim.state, claim.code]),
    [["held", "VOIDED_AFTER_SETTLEMENT"]],
  );
});

test("an upload after expiry and deadline is held; the last second is still in time", () => {
  assert.equal(new World().one(anItem({ receivedAt: LATE - 1 })).state, "settled");
  const late = new World().one(anItem({ receivedAt: LATE }));
  assert.deepEqual([late.state, late.code, late.takenMinor], ["held", "UPLOAD_TOO_LATE", 0n]);
});

test("a payment that was given back after the deadline and is uploaded later is held, not paid", () => {
  const world = new World();
  world.one(payersCopy(anItem()));
  const pending = world.payment(1);
  assert.ok(pending !== undefined);
  world.change({ payments: [{ ...pending, state: "released", code: "NOT_UPLOADED_IN_TIME" }] });
  const { outcomes, exposures } = world.settle([anItem({ receivedAt: LATE })]);
  assert.deepEqual([outcomes[0]?.state, outcomes[0]?.code], ["held", "UPLOAD_TOO_LATE"]);
  assert.deepEqual(exposures, [{ certificateId: certificateId(1), settledMinor: 0n, releasedMinor: -1_000n }]);
});

test("an upload that came in time is paid even when its turn comes after the release", () => {
  const world = new World();
  world.one(payersCopy(anItem()));
  const pending = world.payment(1);
  assert.ok(pending !== undefined);
  world.change({ payments: [{ ...pending, state: "released", code: "NOT_UPLOADED_IN_TIME" }] });
  assert.equal(world.one(anItem({ receivedAt: LATE - 1 }), LATE).state, "settled");
});

test("after a revocation a terminal is paid for as long as its lists may be old, and no longer", () => {
  const revoked = { revokedAt: NOW - 3 * DAY };
  assert.equal(new World({ certificates: [revoked] }).one(anItem()).state, "settled");
  const world = new World({ certificates: [revoked] });
  const item = anItem({ payeeWord: aWord({ acceptedAt: NOW + 1 }) });
  assert.deepEqual([world.one(item).state, world.one(item).code], ["refused", "CERTIFICATE_REVOKED"]);
  // The request bears an earlier time than the receipt that came first: that is when the payee accepted.
  assert.equal(world.one(anItem()).state, "settled");
});

test("two payments for one request are not both paid without a look", () => {
  const world = new World();
  const [first, second] = aChain([1_000n, 1_000n]);
  assert.ok(first !== undefined && second !== undefined);
  world.one(first);
  const outcome = world.one({ ...second, requestHash: requestHash(1) });
  assert.deepEqual([outcome.state, outcome.code], ["held", "REQUEST_PAID_TWICE"]);
});
