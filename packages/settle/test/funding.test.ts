import assert from "node:assert/strict";
import { test } from "node:test";
import { fund, payerAccounts, settlementEntry } from "../src/funding.ts";
import { EUR, messageId, NOW, payeeId } from "./world.ts";

/** Where the money of one payment comes from, to the last posting. */
function postingsOf(takenMinor: bigint, balanceMinor: bigint, creditAvailableMinor: bigint) {
  const entry = settlementEntry({
    paymentId: messageId(1),
    accounts: payerAccounts(7),
    clearing: { kind: "clearing", payeeId: payeeId(1) },
    currency: EUR,
    takenMinor,
    funding: fund({ balanceMinor, creditAvailableMinor }, takenMinor),
    at: NOW,
  });
  return entry.postings.map(({ ledgerAccount, minor }) => [ledgerAccount, minor]);
}

test("balance pays first, then credit, then the loss reserve; what pays nothing is not in the entry", () => {
  const wallet = { kind: "wallet", account: 7 };
  const credit = { kind: "credit", account: 7 };
  const reserve = { kind: "loss-reserve" };
  const payee = [{ kind: "clearing", payeeId: payeeId(1) }, -100n];
  for (const [balance, available, expected] of [
    [100n, 50n, [[wallet, 100n]]],
    [
      60n,
      40n,
      [
        [wallet, 60n],
        [credit, 40n],
      ],
    ],
    [
      60n,
      30n,
      [
        [wallet, 60n],
        [credit, 30n],
        [reserve, 10n],
      ],
    ],
    [
      0n,
      99n,
      [
        [credit, 99n],
        [reserve, 1n],
      ],
    ],
    [0n, 0n, [[reserve, 100n]]],
  ] as const)
    assert.deepEqual(postingsOf(100n, balance, available), [...expected, payee], `${balance}, ${available}`);
});
