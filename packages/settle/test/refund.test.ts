import assert from "node:assert/strict";
import { test } from "node:test";
import { refundEntry, refundOutReference, refundReference, refundShares } from "@cairn/settle";
import fc from "fast-check";
import { ACCOUNT, EUR, messageId, NOW, payeeId } from "./world.ts";

const funding = { balanceMinor: 500n, creditMinor: 300n, reserveMinor: 200n };

test("a refund goes back in the reverse order of the funding, each part where the one before ended", () => {
  const shares = (refundedMinor: bigint, amountMinor: bigint, creditUsedMinor = 1_000n) => {
    const given = refundShares({ funding, refundedMinor, amountMinor, creditUsedMinor });
    return [given.reserveMinor, given.creditMinor, given.balanceMinor];
  };
  assert.deepEqual(shares(0n, 1_000n), [200n, 300n, 500n]);
  assert.deepEqual(shares(0n, 150n), [150n, 0n, 0n]);
  assert.deepEqual(shares(0n, 200n), [200n, 0n, 0n]);
  assert.deepEqual(shares(150n, 100n), [50n, 50n, 0n]);
  assert.deepEqual(shares(200n, 300n), [0n, 300n, 0n]);
  assert.deepEqual(shares(450n, 100n), [0n, 50n, 50n]);
  assert.deepEqual(shares(500n, 500n), [0n, 0n, 500n]);
  // Credit that was repaid meanwhile is no debt any more: its share is balance.
  assert.deepEqual(shares(0n, 1_000n, 100n), [200n, 100n, 700n]);
  assert.deepEqual(shares(0n, 1_000n, 0n), [200n, 0n, 800n]);
});

test("many small refunds give back to each what one large one would", () => {
  const part = fc.bigInt({ min: 0n, max: 500n });
  fc.assert(
    fc.property(part, part, part, fc.array(fc.bigInt({ min: 1n, max: 300n })), (balance, credit, reserve, cuts) => {
      const paid = { balanceMinor: balance, creditMinor: credit, reserveMinor: reserve };
      let refundedMinor = 0n;
      const sums = { reserveMinor: 0n, creditMinor: 0n, balanceMinor: 0n };
      for (const cut of [...cuts, 1_500n]) {
        const leftMinor = balance + credit + reserve - refundedMinor;
        const amountMinor = cut < leftMinor ? cut : leftMinor;
        const shares = refundShares({ funding: paid, refundedMinor, amountMinor, creditUsedMinor: 10_000n });
        sums.reserveMinor += shares.reserveMinor;
        sums.creditMinor += shares.creditMinor;
        sums.balanceMinor += shares.balanceMinor;
        refundedMinor += amountMinor;
      }
      assert.deepEqual(sums, { reserveMinor: reserve, creditMinor: credit, balanceMinor: balance });
    }),
  );
});

test("a refund is one balanced entry from where the payee's money comes, with nothing posted of zero", () => {
  const from = { kind: "payee", payeeId: payeeId(1) } as const;
  const input = { paymentId: messageId(1), idempotencyKey: "till-3", account: ACCOUNT, currency: EUR, from, at: NOW };
  const shares = { reserveMinor: 200n, creditMinor: 300n, balanceMinor: 500n };
  assert.deepEqual(refundEntry({ ...input, shares }), {
    kind: "refund",
    reference: `refund:${messageId(1)}:till-3`,
    currency: EUR,
    postings: [
      { ledgerAccount: from, minor: 1_000n },
      { ledgerAccount: { kind: "loss-reserve" }, minor: -200n },
      { ledgerAccount: { kind: "credit", account: ACCOUNT }, minor: -300n },
      { ledgerAccount: { kind: "wallet", account: ACCOUNT }, minor: -500n },
    ],
    postedAt: NOW,
  });
  assert.deepEqual(refundEntry({ ...input, shares: { ...shares, reserveMinor: 0n, creditMinor: 0n } }).postings, [
    { ledgerAccount: from, minor: 500n },
    { ledgerAccount: { kind: "wallet", account: ACCOUNT }, minor: -500n },
  ]);
});

test("a refund on its way to another partition has a reference of its own", () => {
  assert.equal(refundReference(messageId(1), "a"), `refund:${messageId(1)}:a`);
  assert.equal(refundOutReference(messageId(1), "a"), `refund-out:${messageId(1)}:a`);
});
