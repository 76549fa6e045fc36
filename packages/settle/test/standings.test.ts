import assert from "node:assert/strict";
import { test } from "node:test";
import { chainHashOf } from "@cairn/messages";
import {
  decideReview,
  judgeClosing,
  outcomeSentence,
  SettleError,
  settlementReference,
  topUpEntry,
  topUpReference,
} from "@cairn/settle";
import {
  ACCOUNT,
  aChain,
  anItem,
  aWord,
  certificateId,
  DAY,
  EUR,
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

/** How standings follow one another, and what a store is told of it: found wanting by mutating the code. */
const LATE = NOW + 9 * DAY;
const otherTill = aWord({ payeeId: payeeId(2), terminalId: terminalId(2) });

test("a pending payment takes the standing of the first word that comes, good or bad", () => {
  for (const [word, at, expected] of [
    [anItem({ receivedAt: LATE }), LATE, ["held", "UPLOAD_TOO_LATE"]],
    [anItem({ refusal: REFUSED }), NOW, ["refused", REFUSED.code]],
  ] as const) {
    const world = new World();
    world.one(payersCopy(anItem()));
    assert.equal(world.payment(1)?.state, "pending");
    world.one(word, at);
    assert.deepEqual([world.payment(1)?.state, world.payment(1)?.code], expected);
    assert.deepEqual(world.payment(1)?.sideClaims, []);
  }
});

test("what was given back stays given back when a word comes that is refused; one that is held is for a person", () => {
  const released = () => {
    const world = new World();
    world.one(payersCopy(anItem({ kind: "open-payment" })));
    const payments = world.certificate().payments.map((payment) => {
      return { ...payment, state: "released", code: "NOT_UPLOADED_IN_TIME" } as const;
    });
    world.change({ payments });
    return world;
  };
  const refused = released();
  const outcome = refused.one(anItem({ kind: "open-payment", refusal: REFUSED }), LATE);
  assert.deepEqual([outcome.state, outcome.code], ["refused", REFUSED.code]);
  assert.equal(refused.payment(1)?.state, "released");
  assert.deepEqual(
    refused.payment(1)?.sideClaims.map(({ state, code }) => [state, code]),
    [["refused", REFUSED.code]],
  );
  const held = released();
  held.one(anItem({ kind: "open-payment", receivedAt: LATE }), LATE);
  assert.equal(held.payment(1)?.state, "held");
});

test("a second payee's held word is kept beside a held payment as held", () => {
  const world = new World();
  const open = { kind: "open-payment", receivedAt: LATE } as const;
  world.one(anItem(open), LATE);
  const second = world.one(anItem({ ...open, payeeWord: otherTill }), LATE);
  assert.deepEqual([second.state, second.code, second.repeated], ["held", "UPLOAD_TOO_LATE", false]);
  const beside = { state: "held", code: "UPLOAD_TOO_LATE", terminalId: terminalId(2) };
  const [kept] = world.payment(1)?.sideClaims ?? [];
  assert.deepEqual({ state: kept?.state, code: kept?.code, terminalId: kept?.terminalId }, beside);
});

test("a payer who brings receipt and void is told that the payment was given back, again and again", () => {
  const world = new World();
  const brought = payersCopy(anItem({ requestHash: requestHash(1), voided: true }), { payeeWord: aWord() });
  const first = world.one(brought);
  assert.deepEqual([first.state, first.code, first.repeated], ["released", "REQUEST_VOIDED", false]);
  const second = world.one(brought);
  assert.deepEqual([second.state, second.code, second.repeated], ["released", "REQUEST_VOIDED", true]);
  assert.deepEqual(world.payment(1)?.sideClaims, []);
});

test("once a batch has proven a conflict, what is accepted long after is refused in the same batch", () => {
  const world = new World();
  const { outcomes, conflicts } = world.settle([
    anItem(),
    anItem({ paymentId: messageId(2) }),
    anItem({
      paymentId: messageId(3),
      sequence: 2,
      spentMinor: 2_000n,
      payeeWord: aWord({ acceptedAt: NOW + 3 * DAY + 1 }),
    }),
  ]);
  assert.equal(conflicts.length, 1);
  assert.equal(outcomes[2]?.code, "CERTIFICATE_REVOKED");
  const [proof] = conflicts;
  assert.equal(proof?.provenAt, NOW);
});

test("a request is paid when the first payment for it was refused in the same batch, and only once", () => {
  const refused = anItem({ requestHash: requestHash(1), refusal: REFUSED });
  const paid = anItem({ paymentId: messageId(2), sequence: 2, spentMinor: 2_000n, requestHash: requestHash(1) });
  const twice = anItem({ paymentId: messageId(3), sequence: 3, spentMinor: 3_000n, requestHash: requestHash(1) });
  const links = [paid, twice].map((item, index) => ({ ...item, previous: chainHashOf(messageId(index + 1)) }));
  const { outcomes } = new World().settle([refused, ...links]);
  assert.deepEqual(
    outcomes.map(({ state, code }) => [state, code]),
    [
      ["refused", REFUSED.code],
      ["settled", undefined],
      ["held", "REQUEST_PAID_TWICE"],
    ],
  );
});

test("a store is told what a batch adds to the exposure, and which item a payment was first known from", () => {
  const world = new World();
  const open = anItem({ kind: "open-payment", payeeWord: aWord({ takenMinor: 400n }) });
  const next = anItem({ paymentId: messageId(2), sequence: 2, spentMinor: 2_000n });
  const copy = payersCopy(next, { inboxId: 2 });
  const { exposures, payments } = world.settle([open, copy, { ...next, inboxId: 3 }]);
  assert.deepEqual(exposures, [{ certificateId: certificateId(1), settledMinor: 1_400n, releasedMinor: 600n }]);
  assert.deepEqual(
    payments.map(({ payment, addedBy }) => [payment.paymentId, payment.state, addedBy?.inboxId]),
    [
      [messageId(1), "settled", 1],
      [messageId(2), "settled", 2],
    ],
  );
  const whole = new World().settle([anItem()]);
  assert.deepEqual(whole.exposures, [{ certificateId: certificateId(1), settledMinor: 1_000n, releasedMinor: 0n }]);
  const later = new World();
  later.one(payersCopy(anItem()));
  const [change] = later.settle([anItem()]).payments;
  assert.deepEqual([change?.payment.state, change?.addedBy], ["settled", undefined]);
  assert.deepEqual(new World().settle([payersCopy(anItem())]).exposures, []);
});

test("a store is told which of a batch's entries pays which payment, and that a capture of nothing is paid by none", () => {
  const world = new World();
  const pending = payersCopy(anItem());
  const nothing = { kind: "open-payment", payeeWord: aWord({ takenMinor: 0n }) } as const;
  const { entries, payments, outcomes } = world.settle([
    pending,
    anItem({ paymentId: messageId(2), sequence: 2, spentMinor: 2_000n }),
    anItem({ paymentId: messageId(3), sequence: 3, spentMinor: 3_000n, ...nothing }),
    anItem({ paymentId: messageId(4), sequence: 4, spentMinor: 4_000n }),
  ]);
  assert.deepEqual(
    payments.map(({ entry }) => (entry === undefined ? undefined : entries[entry]?.reference)),
    [undefined, settlementReference(messageId(2)), undefined, settlementReference(messageId(4))],
  );
  const none = { balanceMinor: 0n, creditMinor: 0n, reserveMinor: 0n };
  assert.deepEqual([outcomes[2]?.funding, payments[2]?.payment.funding], [none, none]);
});

test("a payment that a batch learns of from its payer and pays a moment later keeps the entry that pays it", () => {
  const item = anItem({ paymentId: messageId(2), sequence: 2, spentMinor: 2_000n });
  const { entries, payments } = new World().settle([anItem(), payersCopy(item), item]);
  const paying = payments.map(({ entry }) => (entry === undefined ? undefined : entries[entry]?.reference));
  assert.deepEqual(paying, [settlementReference(messageId(1)), settlementReference(messageId(2))]);
});

test("what was refused or held is nothing that a payee was credited for, in the same batch or before it", () => {
  for (const isOneBatch of [true, false])
    for (const notPaid of [{ refusal: REFUSED }, { receivedAt: LATE }]) {
      const world = new World();
      const first = anItem(notPaid);
      const second = anItem({ paymentId: messageId(2) });
      const { outcomes } = isOneBatch
        ? world.settle([first, second])
        : { outcomes: [first, second].map((each) => world.one(each)) };
      assert.ok(world.certificate().conflict !== undefined, "both are of one number");
      assert.deepEqual([outcomes[1]?.state, outcomes[1]?.code], ["settled", undefined]);
    }
});

test("of a certificate in conflict, and for a person's word, all payments must be there: some of them are not enough", () => {
  const missing = (error: unknown) => error instanceof SettleError && error.code === "HISTORY_MISSING";
  const world = new World();
  const chain = aChain([1_000n, 1_000n]);
  world.settle(chain.slice(0, 1));
  world.change({ isBrief: true });
  const [next] = world.settle(chain.slice(1)).outcomes;
  assert.equal(next?.state, "settled", "what contradicts nothing needs no more");
  assert.throws(() => world.one(anItem({ paymentId: messageId(3) })), missing);
  const review = { certificateId: certificateId(1), paymentId: messageId(1), decision: "release" } as const;
  assert.throws(() => decideReview(world, review, { now: NOW, policy: POLICY }), missing);
});

test("a payer's word that its request was voided counts, whatever other requests the store knows to be voided", () => {
  for (const others of [[], [requestHash(2), requestHash(3)]]) {
    const world = new World();
    for (const other of others) world.voidedRequests.add(other);
    const item = anItem({ requestHash: requestHash(1) });
    assert.equal(world.one(payersCopy(item, { voided: true })).state, "released");
    assert.equal(world.one(item).code, "REQUEST_VOIDED");
  }
});

test("without the account's funds nothing is decided: the state must be complete", () => {
  const world = new World();
  world.funds.delete(ACCOUNT);
  assert.throws(
    () => world.one(anItem()),
    (error) => error instanceof SettleError && error.code === "FUNDS_MISSING" && error.message.includes("funds"),
  );
});

test("a closing of the same number with another total differs", () => {
  const closing = { sequence: 2, spentMinor: 1_500n, messageId: messageId(50) };
  const closed = new World({ certificates: [{ closing }] }).certificate();
  const other = judgeClosing(closed, { ...closing, spentMinor: 1_400n, messageId: messageId(51) }, NOW);
  assert.deepEqual([other.answer, other.conflict?.kind], ["differs", "two-closings"]);
});

test("each state has a sentence of its own, and a cancelled request one for each side", () => {
  const states = ["pending", "settled", "refused", "held", "released"] as const;
  const sentences = states.map((state) => outcomeSentence(state, undefined));
  assert.equal(new Set(sentences).size, states.length);
  for (const sentence of sentences) assert.match(sentence, /^[A-Z].*\.$/);
  assert.notEqual(outcomeSentence("released", "REQUEST_VOIDED"), outcomeSentence("refused", "REQUEST_VOIDED"));
  assert.notEqual(outcomeSentence("released", "NOT_UPLOADED_IN_TIME"), outcomeSentence("released", "REQUEST_VOIDED"));
});

test("references name what is posted, so that nothing is posted twice under another one", () => {
  assert.equal(settlementReference(messageId(1)), `settlement:${messageId(1)}`);
  assert.equal(topUpReference(7, "salary"), "top-up:7:salary");
  const input = { account: 7, currency: EUR, idempotencyKey: "salary", at: NOW, amountMinor: 5n, creditUsedMinor: 0n };
  const { reference, kind, postedAt } = topUpEntry(input);
  assert.deepEqual([reference, kind, postedAt], ["top-up:7:salary", "top-up", NOW]);
});
