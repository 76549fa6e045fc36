import assert from "node:assert/strict";
import { test } from "node:test";
import { areCompatible, follows, type TerminalId } from "@cairn/messages";
import type { PayeeWord, SettlementItem } from "@cairn/settle";
import fc from "fast-check";
import { aChain, anItem, aWord, messageId, payeeId, payersCopy, terminalId, World } from "./world.ts";

const LIMIT = 1_000n;
const TILLS = 6;
/** Two tills a payee. */
const tillWord = (till: number, changes: Partial<PayeeWord>): PayeeWord =>
  aWord({ terminalId: terminalId(till), payeeId: payeeId(till >> 1), ...changes });

type Batches = { readonly order: readonly number[]; readonly cuts: readonly number[] };
/** Any order, any repetition, cut into batches anywhere. Those not drawn never arrive. */
const batchesArbitrary = (count: number): fc.Arbitrary<Batches> =>
  fc.record({
    order: fc.array(fc.nat({ max: count - 1 }), { maxLength: count * 3, size: "max" }),
    cuts: fc
      .array(fc.boolean(), { minLength: count * 3, maxLength: count * 3 })
      .map((all) => all.flatMap((cut, at) => (cut ? [at] : []))),
  });

function settleInBatches(world: World, items: readonly SettlementItem[], { order, cuts }: Batches): void {
  let from = 0;
  for (const to of [...cuts.filter((cut) => cut < order.length), order.length]) {
    const batch = order.slice(from, to).flatMap((index) => items[index] ?? []);
    const { outcomes } = world.settle(batch);
    assert.equal(outcomes.length, batch.length);
    from = to;
  }
}

/** What must hold whatever was brought in. */
function assertBooks(world: World): void {
  for (const { postings } of world.entries)
    assert.equal(
      postings.reduce((sum, { minor }) => sum + minor, 0n),
      0n,
      "every entry sums to zero",
    );
  const references = world.entries.map((entry) => entry.reference);
  assert.equal(new Set(references).size, references.length, "nothing is posted twice");
  const { payments } = world.certificate();
  const taken = payments.reduce((sum, payment) => sum + payment.takenMinor, 0n);
  assert.equal(world.total("clearing"), -taken, "what the books say is what the payments say");
  for (const { state, takenMinor } of payments) assert.ok(state === "settled" || takenMinor === 0n);
  for (const funds of world.funds.values())
    assert.ok(funds.balanceMinor >= 0n && funds.creditAvailableMinor >= 0n, "no balance below zero");
}

const honestArbitrary = fc.integer({ min: 1, max: 12 }).chain((count) =>
  fc.record({
    amounts: fc.array(fc.bigInt({ min: 1n, max: 83n }), { minLength: count, maxLength: count }),
    tills: fc.array(fc.nat({ max: TILLS - 1 }), { minLength: count, maxLength: count }),
    /** For an open payment what is captured, in percent; otherwise the whole amount. */
    captures: fc.array(fc.option(fc.nat({ max: 100 }), { nil: undefined }), { minLength: count, maxLength: count }),
    balanceMinor: fc.bigInt({ min: 0n, max: LIMIT }),
    batches: batchesArbitrary(count * 3),
  }),
);

test("an honest chain in any order, with gaps and repeats, is never a conflict, paid once each, without the reserve", () => {
  fc.assert(
    fc.property(honestArbitrary, ({ amounts, tills, captures, balanceMinor, batches }) => {
      const accepted = aChain(amounts).map((item, index) => {
        const percent = captures[index];
        const takenMinor = percent === undefined ? item.amountMinor : (item.amountMinor * BigInt(percent)) / 100n;
        const payeeWord = tillWord(tills[index] ?? 0, { takenMinor });
        return percent === undefined
          ? { ...item, payeeWord }
          : { ...item, payeeWord, kind: "open-payment" as const, requestHash: undefined };
      });
      const copies = accepted.map((item) => payersCopy(item));
      const receipts = accepted.map((item) => payersCopy(item, { payeeWord: item.payeeWord }));
      const items = [...accepted, ...copies, ...receipts];
      const world = new World({
        balanceMinor,
        creditMinor: LIMIT - balanceMinor,
        certificates: [{ limitMinor: LIMIT }],
      });
      settleInBatches(world, items, batches);
      assertBooks(world);
      assert.equal(world.certificate().conflict, undefined);
      assert.equal(world.total("loss-reserve"), 0n);
      accepted.forEach((item, index) => {
        const worded = [index, index + 2 * accepted.length].some((arrived) => batches.order.includes(arrived));
        const known = worded || batches.order.includes(index + accepted.length);
        const payment = world.payment(index + 1);
        assert.equal(payment?.state, worded ? "settled" : known ? "pending" : undefined);
        assert.equal(payment?.takenMinor ?? 0n, worded ? item.payeeWord.takenMinor : 0n);
      });
    }),
    { numRuns: 300 },
  );
});

type Signed = {
  readonly till: number;
  readonly sequence: number;
  readonly spentMinor: bigint;
  readonly amountMinor: bigint;
};

/** Whatever somebody with the device's key can sign: any sequence number, any running total within the limit. */
const liarArbitrary: fc.Arbitrary<Signed> = fc
  .record({
    till: fc.nat({ max: TILLS - 1 }),
    sequence: fc.integer({ min: 1, max: 12 }),
    amountMinor: fc.bigInt({ min: 1n, max: LIMIT }),
    aboveMinor: fc.bigInt({ min: 0n, max: LIMIT }),
  })
  .map(({ aboveMinor, amountMinor, ...rest }) => {
    const spentMinor = amountMinor + aboveMinor;
    return { ...rest, amountMinor, spentMinor: spentMinor > LIMIT ? LIMIT : spentMinor };
  });

/** Clones: honest software that starts from the same state and pays on by itself. */
const clonesArbitrary: fc.Arbitrary<Signed[]> = fc
  .array(
    fc.record({
      clone: fc.nat({ max: 2 }),
      till: fc.nat({ max: TILLS - 1 }),
      amountMinor: fc.bigInt({ min: 1n, max: LIMIT / 2n }),
    }),
    { minLength: 1, maxLength: 20 },
  )
  .map((steps) => {
    const counters = [0, 1, 2].map(() => ({ sequence: 0, spentMinor: 0n }));
    return steps.flatMap(({ clone, till, amountMinor }) => {
      const counter = counters[clone];
      if (counter === undefined || counter.spentMinor + amountMinor > LIMIT) return [];
      counter.sequence++;
      counter.spentMinor += amountMinor;
      return [{ till, amountMinor, ...counter }];
    });
  });

const attackArbitrary = fc
  .oneof(fc.array(liarArbitrary, { minLength: 1, maxLength: 20 }), clonesArbitrary)
  .chain((signed) =>
    fc.record({
      signed: fc.constant(signed),
      /** Tills from here on check nothing and upload anything. */
      firstEvilTill: fc.integer({ min: 0, max: TILLS }),
      ceilings: fc.array(fc.bigInt({ min: 0n, max: 2n * LIMIT }), { minLength: TILLS / 2, maxLength: TILLS / 2 }),
      copies: fc.array(fc.boolean(), { minLength: signed.length, maxLength: signed.length }),
      closing: fc.option(fc.record({ sequence: fc.nat({ max: 12 }), spentMinor: fc.bigInt({ min: 0n, max: LIMIT }) }), {
        nil: undefined,
      }),
      batches: batchesArbitrary(Math.max(1, signed.length * 2)),
    }),
  );

test("with clones, an extracted key and evil tills the loss is bounded and bears a proof, and honest tills are paid", () => {
  fc.assert(
    fc.property(attackArbitrary, ({ signed, firstEvilTill, ceilings, copies, closing, batches }) => {
      const journals = new Map<TerminalId, SettlementItem>();
      const accepted: SettlementItem[] = [];
      const offered: SettlementItem[] = [];
      signed.forEach(({ till, ...position }, index) => {
        const perCertificateCapMinor = ceilings[till >> 1] ?? 0n;
        const item = anItem({
          ...position,
          paymentId: messageId(index + 1),
          payeeWord: tillWord(till, { takenMinor: position.amountMinor, perCertificateCapMinor }),
        });
        const newest = journals.get(terminalId(till));
        const isEvil = till >= firstEvilTill;
        if (!isEvil && newest !== undefined && !follows(newest, item)) return;
        if (!isEvil) {
          journals.set(terminalId(till), item);
          accepted.push(item);
        }
        offered.push(item);
        if (copies[index] === true) offered.push(payersCopy(item));
      });
      const world = new World({
        balanceMinor: LIMIT,
        certificates: [
          {
            limitMinor: LIMIT,
            closing: closing === undefined ? undefined : { ...closing, messageId: messageId(999) },
          },
        ],
      });
      settleInBatches(world, offered, batches);
      assertBooks(world);

      const credited = world.certificate().payments.filter((payment) => payment.state === "settled");
      const byTill = Map.groupBy(credited, (payment) => payment.claim?.terminalId);
      for (const [, payments] of byTill) {
        for (const left of payments)
          for (const right of payments) assert.ok(left === right || areCompatible(left, right));
        const sum = payments.reduce((total, payment) => total + payment.takenMinor, 0n);
        assert.ok(sum <= LIMIT, "one till is never credited more than the limit");
      }
      const loss = world.total("loss-reserve");
      const deceived = BigInt(Math.max(1, byTill.size));
      assert.ok(loss <= (deceived - 1n) * LIMIT, "loss within (tills deceived - 1) x limit");
      const payees = new Set(credited.map((payment) => payment.claim?.payeeId));
      const sumOfCeilings = ceilings.reduce(
        (sum, ceiling, index) => (payees.has(payeeId(index)) ? sum + ceiling : sum),
        0n,
      );
      assert.ok(loss <= sumOfCeilings, "loss within the sum of the payees' ceilings");
      assert.ok(loss === 0n || world.certificate().conflict !== undefined, "no loss without a proof");

      for (const item of accepted) {
        const payment = world.certificate().payments.find((known) => known.paymentId === item.paymentId);
        if (payment?.claim === undefined) continue;
        assert.ok(
          payment.state === "settled" || (payment.state === "held" && payment.code === "PAYEE_CEILING_REACHED"),
          `an honest till's payment is paid, or held for the ceiling alone, not ${payment.state} ${payment.code}`,
        );
      }
    }),
    { numRuns: 600 },
  );
});

test("a payer's own copies, whatever they say, never keep an honest payee from being paid", () => {
  fc.assert(
    fc.property(
      fc.array(fc.bigInt({ min: 1n, max: 83n }), { minLength: 1, maxLength: 12 }),
      fc.array(fc.nat({ max: TILLS - 1 }), { minLength: 12, maxLength: 12 }),
      fc.array(liarArbitrary, { maxLength: 12 }),
      fc.infiniteStream(fc.nat()),
      (amounts, tills, lies, random) => {
        const accepted = aChain(amounts).map((item, index) => ({
          ...item,
          payeeWord: tillWord(tills[index] ?? 0, { takenMinor: item.amountMinor, perCertificateCapMinor: 0n }),
        }));
        const pushed = lies.map(({ till: _, ...position }, index) =>
          payersCopy(anItem({ ...position, paymentId: messageId(500 + index) })),
        );
        const items = [...accepted, ...accepted.map((item) => payersCopy(item)), ...pushed]
          .map((item) => ({ item, rank: random.next().value as number }))
          .sort((left, right) => left.rank - right.rank);
        const world = new World({ balanceMinor: LIMIT, certificates: [{ limitMinor: LIMIT }] });
        for (const { item } of items) world.settle([item]);
        assertBooks(world);
        for (const item of accepted) assert.equal(world.payment(accepted.indexOf(item) + 1)?.state, "settled");
        assert.equal(world.total("loss-reserve"), 0n);
      },
    ),
    { numRuns: 300 },
  );
});
