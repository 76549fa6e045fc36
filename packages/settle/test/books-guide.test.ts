import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { ENTRY_KINDS, type LedgerAccount } from "@cairn/settle";

/** Every kind of ledger account: the compiler sees to it that none is left out. */
const ACCOUNTS: Readonly<Record<LedgerAccount["kind"], true>> = {
  wallet: true,
  credit: true,
  clearing: true,
  sweeping: true,
  payee: true,
  payouts: true,
  fees: true,
  transit: true,
  "loss-reserve": true,
  cash: true,
};

test("the guide to the books has a row for every ledger account and every kind of entry", async () => {
  const guide = await readFile(new URL("../../../docs/guides/books.md", import.meta.url), "utf8");
  const firstCells = guide.split("\n").flatMap((line) => (line.startsWith("| `") ? [line.split("|")[1] ?? ""] : []));
  const named = new Set(firstCells.flatMap((cell) => [...cell.matchAll(/`([a-z-]+)[:`]/g)].map(([, name]) => name)));
  for (const name of [...ENTRY_KINDS, ...Object.keys(ACCOUNTS)]) assert.ok(named.has(name), `${name} has no row`);
});
