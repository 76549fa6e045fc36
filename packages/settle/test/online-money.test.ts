import assert from "node:assert/strict";
import { test } from "node:test";
import { currency } from "@cairn/messages";
import {
  decideOnlinePayment,
  decideTransfer,
  decideWithdrawal,
  type OnlineFunds,
  type OnlineRefusal,
  type Ordered,
  SettleError,
  spendable,
  transferArrival,
} from "@cairn/settle";
import { ACCOUNT, EUR, NOW, payeeId } from "./world.ts";

const USD = currency("USD");
const SHOP = { payeeId: payeeId(1), currency: EUR };
const OTHER = { account: 8, currency: EUR };

/** Balance 100.00, of a credit line of 50.00 20.00 used, nothing held. */
function funds(changes: Partial<OnlineFunds> = {}): OnlineFunds {
  return {
    account: ACCOUNT,
    currency: EUR,
    status: "active",
    balanceMinor: 10_000n,
    creditLineMinor: 5_000n,
    creditUsedMinor: 2_000n,
    overdueMinor: 0n,
    heldMinor: 0n,
    ...changes,
  };
}
const order = (amountMinor: bigint, changes: Partial<OnlineFunds> = {}) => ({
  funds: funds(changes),
  amountMinor,
  idempotencyKey: "rent",
  at: NOW,
});
const refusalOf = (ordered: Ordered): OnlineRefusal | undefined => ("refusal" in ordered ? ordered.refusal : undefined);

test("what can be spent is what is not held, with credit what of the line is free", () => {
  const expected: readonly (readonly [Partial<OnlineFunds>, bigint, bigint])[] = [
    [{}, 10_000n, 13_000n],
    [{ creditUsedMinor: 5_000n }, 10_000n, 10_000n],
    // The line was lowered after it was used: nothing of it is free, and nothing is taken off the balance.
    [{ creditLineMinor: 1_000n }, 10_000n, 10_000n],
    [{ heldMinor: 4_000n }, 6_000n, 9_000n],
    [{ heldMinor: 10_000n }, 0n, 3_000n],
    [{ heldMinor: 11_000n }, 0n, 2_000n],
    [{ heldMinor: 13_000n }, 0n, 0n],
    [{ heldMinor: 20_000n }, 0n, 0n],
    [{ overdueMinor: 1n }, 10_000n, 10_000n],
    [{ overdueMinor: 1n, heldMinor: 11_000n }, 0n, 0n],
  ];
  for (const [changes, balanceMinor, withCreditMinor] of expected)
    assert.deepEqual(spendable(funds(changes)), { balanceMinor, withCreditMinor }, JSON.stringify(changes, String));
});

test("a withdrawal comes out of the balance alone, to the last cent that is not held", () => {
  assert.deepEqual(decideWithdrawal(order(6_000n, { heldMinor: 4_000n })), {
    entry: {
      kind: "withdrawal",
      reference: "withdrawal:7:rent",
      currency: EUR,
      postings: [
        { ledgerAccount: { kind: "wallet", account: ACCOUNT }, minor: 6_000n },
        { ledgerAccount: { kind: "cash" }, minor: -6_000n },
      ],
      postedAt: NOW,
    },
  });
  assert.equal(refusalOf(decideWithdrawal(order(6_001n, { heldMinor: 4_000n }))), "FUNDS_INSUFFICIENT");
  assert.equal(refusalOf(decideWithdrawal(order(1n, { status: "frozen" }))), "ACCOUNT_FROZEN");
});

test("a transfer goes to another account of the same currency, at once or by way of transit", () => {
  const transfer = (amountMinor: bigint, changes: Partial<OnlineFunds> = {}, to = OTHER) =>
    decideTransfer({ ...order(amountMinor, changes), to, transit: undefined });
  const from = { ledgerAccount: { kind: "wallet", account: ACCOUNT }, minor: 10_000n };
  const about = { reference: "transfer:7:rent", currency: EUR, postedAt: NOW };
  assert.deepEqual(transfer(10_000n), {
    entry: {
      ...about,
      kind: "transfer",
      postings: [from, { ledgerAccount: { kind: "wallet", account: OTHER.account }, minor: -10_000n }],
    },
  });
  const transit = { from: 1, to: 3 };
  const onItsWay = { kind: "transit", ...transit };
  assert.deepEqual(decideTransfer({ ...order(10_000n), to: OTHER, transit }), {
    entry: { ...about, kind: "transfer-out", postings: [from, { ledgerAccount: onItsWay, minor: -10_000n }] },
  });
  const arrival = { from: ACCOUNT, to: OTHER.account, currency: EUR, amountMinor: 10_000n, transit, at: NOW };
  assert.deepEqual(transferArrival({ ...arrival, idempotencyKey: "rent" }), {
    kind: "transfer-in",
    reference: "transfer-in:7:rent",
    currency: EUR,
    postedAt: NOW,
    postings: [
      { ledgerAccount: onItsWay, minor: 10_000n },
      { ledgerAccount: { kind: "wallet", account: OTHER.account }, minor: -10_000n },
    ],
  });
  assert.equal(refusalOf(transfer(10_001n)), "FUNDS_INSUFFICIENT");
  assert.equal(refusalOf(transfer(1n, { status: "frozen" })), "ACCOUNT_FROZEN");
  assert.equal(refusalOf(transfer(1n, {}, { account: 8, currency: USD })), "CURRENCY_DIFFERS");
  assert.equal(refusalOf(transfer(1n, {}, { account: ACCOUNT, currency: EUR })), "SAME_ACCOUNT");
});

test("an online payment takes the balance first, then the credit line, and never the loss reserve", () => {
  const pay = (amountMinor: bigint, changes: Partial<OnlineFunds> = {}) =>
    decideOnlinePayment({ ...order(amountMinor, changes), payee: SHOP });
  const postings = (ordered: Ordered): unknown =>
    "entry" in ordered
      ? ordered.entry.postings.map(({ ledgerAccount, minor }) => [ledgerAccount.kind, minor])
      : ordered.refusal;
  assert.deepEqual(pay(13_000n), {
    entry: {
      kind: "online-payment",
      reference: "online-payment:7:rent",
      currency: EUR,
      postings: [
        { ledgerAccount: { kind: "wallet", account: ACCOUNT }, minor: 10_000n },
        { ledgerAccount: { kind: "credit", account: ACCOUNT }, minor: 3_000n },
        { ledgerAccount: { kind: "clearing", payeeId: SHOP.payeeId }, minor: -13_000n },
      ],
      postedAt: NOW,
    },
  });
  const ofBalance = [
    ["wallet", 10_000n],
    ["clearing", -10_000n],
  ];
  assert.deepEqual(postings(pay(10_000n)), ofBalance);
  assert.deepEqual(postings(pay(10_000n, { creditLineMinor: 1_000n })), ofBalance);
  assert.deepEqual(postings(pay(500n, { balanceMinor: 0n })), [
    ["credit", 500n],
    ["clearing", -500n],
  ]);
  assert.equal(refusalOf(pay(13_001n)), "FUNDS_INSUFFICIENT");
  assert.equal(refusalOf(pay(10_001n, { overdueMinor: 1n })), "FUNDS_INSUFFICIENT");
  assert.equal(refusalOf(pay(1n, { status: "frozen" })), "ACCOUNT_FROZEN");
  const foreign = { ...SHOP, currency: USD };
  assert.equal(refusalOf(decideOnlinePayment({ ...order(1n), payee: foreign })), "CURRENCY_DIFFERS");
});

test("nothing and less than nothing is no order: it would take money out of the account that was to get it", () => {
  for (const amountMinor of [0n, -1n, -10_000n])
    for (const decide of [
      () => decideWithdrawal(order(amountMinor)),
      () => decideTransfer({ ...order(amountMinor), to: OTHER, transit: undefined }),
      () => decideTransfer({ ...order(amountMinor), to: OTHER, transit: { from: 1, to: 2 } }),
      () => decideOnlinePayment({ ...order(amountMinor), payee: SHOP }),
    ])
      assert.throws(decide, (error) => error instanceof SettleError && error.code === "AMOUNT_INVALID");
});
