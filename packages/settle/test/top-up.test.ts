import assert from "node:assert/strict";
import { test } from "node:test";
import { SettleError, topUpEntry } from "@cairn/settle";
import { EUR, NOW } from "./world.ts";

const input = { account: 7, currency: EUR, idempotencyKey: "salary", at: NOW };

test("a top-up repays used credit first and leaves the rest as balance", () => {
  const lines = (amountMinor: bigint, creditUsedMinor: bigint): [string, bigint][] =>
    topUpEntry({ ...input, amountMinor, creditUsedMinor }).postings.map(({ ledgerAccount, minor }) => [
      ledgerAccount.kind,
      minor,
    ]);
  assert.deepEqual(lines(100n, 0n), [
    ["cash", 100n],
    ["wallet", -100n],
  ]);
  assert.deepEqual(lines(100n, 30n), [
    ["cash", 100n],
    ["credit", -30n],
    ["wallet", -70n],
  ]);
  assert.deepEqual(lines(100n, 300n), [
    ["cash", 100n],
    ["credit", -100n],
  ]);
});

test("a top-up of nothing or less is misuse", () => {
  for (const amountMinor of [0n, -1n])
    assert.throws(
      () => topUpEntry({ ...input, amountMinor, creditUsedMinor: 0n }),
      (error) => error instanceof SettleError && error.code === "AMOUNT_INVALID",
    );
});
