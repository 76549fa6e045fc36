import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type FeePolicy,
  feeOf,
  payoutEntries,
  payoutOutcomeEntry,
  receivedEntry,
  SettleError,
  sweepArrival,
  sweepEntry,
} from "@cairn/settle";
import { ACCOUNT, EUR, NOW, payeeId } from "./world.ts";

const SHOP = payeeId(1);
const about = { payeeId: SHOP, currency: EUR, at: NOW };
const FREE: FeePolicy = { basisPoints: 0, fixedMinor: 0n, minimumMinor: 0n, maximumMinor: undefined };

test("a fee is share plus fixed part, rounded half up, within its bounds and the payout itself", () => {
  const expected: readonly (readonly [bigint, Partial<FeePolicy>, bigint])[] = [
    [10_000n, {}, 0n],
    [10_000n, { basisPoints: 125 }, 125n],
    [10_000n, { basisPoints: 125, fixedMinor: 20n }, 145n],
    // 1.25 % of 0.39 and of 0.40: 0.4875 and 0.5 cents.
    [39n, { basisPoints: 125 }, 0n],
    [40n, { basisPoints: 125 }, 1n],
    [10_000n, { basisPoints: 125, minimumMinor: 200n }, 200n],
    [10_000n, { basisPoints: 125, maximumMinor: 100n }, 100n],
    [10_000n, { basisPoints: 125, minimumMinor: 10n, maximumMinor: 300n }, 125n],
    [30n, { fixedMinor: 50n }, 30n],
    [30n, { minimumMinor: 50n, maximumMinor: 40n }, 30n],
  ];
  for (const [grossMinor, changes, feeMinor] of expected)
    assert.equal(
      feeOf(grossMinor, { ...FREE, ...changes }),
      feeMinor,
      `${grossMinor} ${JSON.stringify(changes, String)}`,
    );
});

test("a payee's clearing is swept at home at once, and from elsewhere in two halves", () => {
  const sweep = { ...about, home: 2, number: 5, amountMinor: 900n };
  const out = { ledgerAccount: { kind: "clearing", payeeId: SHOP }, minor: 900n };
  const home = { ledgerAccount: { kind: "payee", payeeId: SHOP }, minor: -900n };
  const dated = { currency: EUR, postedAt: NOW };
  assert.deepEqual(sweepEntry({ ...sweep, from: 2 }), {
    ...dated,
    kind: "sweep",
    reference: "sweep:SHOP-1:2:EUR:5",
    postings: [out, home],
  });
  const onItsWay = { kind: "sweeping", payeeId: SHOP, from: 3 };
  assert.deepEqual(sweepEntry({ ...sweep, from: 3 }), {
    ...dated,
    kind: "sweep-out",
    reference: "sweep-out:SHOP-1:3:EUR:5",
    postings: [out, { ledgerAccount: onItsWay, minor: -900n }],
  });
  assert.deepEqual(sweepArrival({ ...about, from: 3, arrivedMinor: 1_234n, amountMinor: 900n }), {
    ...dated,
    kind: "sweep-in",
    reference: "sweep-in:SHOP-1:3:EUR:1234",
    postings: [{ ledgerAccount: onItsWay, minor: 900n }, home],
  });
});

test("fee and payout leave the payee's account, each under its own reference, and nothing is posted of zero", () => {
  const batch = { ...about, batchId: "2026-11" };
  const entry = (kind: string, to: string, minor: bigint) => ({
    kind,
    reference: `${kind}:2026-11:SHOP-1`,
    currency: EUR,
    postedAt: NOW,
    postings: [
      { ledgerAccount: { kind: "payee", payeeId: SHOP }, minor },
      { ledgerAccount: { kind: to }, minor: -minor },
    ],
  });
  const [fee, payout] = [entry("fee", "fees", 25n), entry("payout", "payouts", 975n)];
  assert.deepEqual(payoutEntries({ ...batch, netMinor: 975n, feeMinor: 25n }), [fee, payout]);
  assert.deepEqual(payoutEntries({ ...batch, netMinor: 975n, feeMinor: 0n }), [payout]);
  assert.deepEqual(payoutEntries({ ...batch, netMinor: 0n, feeMinor: 25n }), [fee]);
});

test("a payout that the bank made ends in cash; one that it returned comes back with the fee", () => {
  const outcome = (state: "paid" | "returned", feeMinor: bigint) =>
    payoutOutcomeEntry({ ...about, batchId: "2026-11", netMinor: 975n, feeMinor, state });
  const from = { ledgerAccount: { kind: "payouts" }, minor: 975n };
  const dated = { currency: EUR, postedAt: NOW };
  assert.deepEqual(outcome("paid", 25n), {
    ...dated,
    kind: "payout-paid",
    reference: "payout-paid:2026-11:SHOP-1",
    postings: [from, { ledgerAccount: { kind: "cash" }, minor: -975n }],
  });
  const payee = { kind: "payee", payeeId: SHOP };
  assert.deepEqual(outcome("returned", 25n), {
    ...dated,
    kind: "payout-returned",
    reference: "payout-returned:2026-11:SHOP-1",
    postings: [from, { ledgerAccount: { kind: "fees" }, minor: 25n }, { ledgerAccount: payee, minor: -1_000n }],
  });
  assert.deepEqual(outcome("returned", 0n).postings, [from, { ledgerAccount: payee, minor: -975n }]);
});

test("what a person was paid repays used credit first, the rest is balance", () => {
  const input = { ...about, account: ACCOUNT, number: 4 };
  const from = { ledgerAccount: { kind: "payee", payeeId: SHOP }, minor: 900n };
  const credit = { kind: "credit", account: ACCOUNT };
  const wallet = { kind: "wallet", account: ACCOUNT };
  assert.deepEqual(receivedEntry({ ...input, amountMinor: 900n, creditUsedMinor: 300n }), {
    entry: {
      kind: "received",
      reference: "received:SHOP-1:EUR:4",
      currency: EUR,
      postings: [from, { ledgerAccount: credit, minor: -300n }, { ledgerAccount: wallet, minor: -600n }],
      postedAt: NOW,
    },
    repaidMinor: 300n,
  });
  const all = receivedEntry({ ...input, amountMinor: 900n, creditUsedMinor: 2_000n });
  assert.equal(all.repaidMinor, 900n);
  assert.deepEqual(all.entry.postings, [from, { ledgerAccount: credit, minor: -900n }]);
  const none = receivedEntry({ ...input, amountMinor: 900n, creditUsedMinor: 0n });
  assert.deepEqual(none.entry.postings, [from, { ledgerAccount: wallet, minor: -900n }]);
  for (const amountMinor of [0n, -1n])
    assert.throws(
      () => receivedEntry({ ...input, amountMinor, creditUsedMinor: 0n }),
      (error) => error instanceof SettleError && error.code === "AMOUNT_INVALID",
    );
});
