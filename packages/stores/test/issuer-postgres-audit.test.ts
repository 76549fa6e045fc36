import assert from "node:assert/strict";
import { test } from "node:test";
import { openPostgresIssuerStore } from "@cairn/stores";
import { Client } from "pg";
import { aPayment, openPayer, payersCopy, settleItems } from "./issuer-fixture.ts";
import { connectionString, newSchema, noPostgres } from "./postgres-for-tests.ts";

const skip = noPostgres ?? false;

/** A store with settled payments in a schema of its own, and a connection that may do anything to it. */
async function openFilled() {
  const schema = newSchema();
  const server = await connectionString();
  const store = await openPostgresIssuerStore({ connectionString: server, schema });
  const payer = await openPayer(store);
  await settleItems(store, payer, [aPayment(payer, 1), aPayment(payer, 2), payersCopy(aPayment(payer, 3))]);
  assert.deepEqual(await store.verifyBooks(), { entries: 3, faults: [] });
  const client = new Client({ connectionString: server, options: `-c search_path=${schema}` });
  await client.connect();
  return { store, client };
}

const CHANGES: readonly (readonly [string, RegExp, string])[] = [
  ["an amount of a posting", /sums to/, "UPDATE entries SET minors[1] = minors[1] + 1 WHERE kind = 'top-up'"],
  [
    "both amounts of an entry",
    /not what was written/,
    "UPDATE entries SET minors = ARRAY[2 * minors[1], 2 * minors[2]] WHERE kind = 'settlement'",
  ],
  [
    "the payee of an entry",
    /not what was written/,
    "UPDATE entries SET ledger_accounts[2] = 'clearing:SHOP-9' WHERE kind = 'settlement'",
  ],
  [
    "the time of an entry",
    /not what was written/,
    "UPDATE entries SET posted_at = posted_at + 1 WHERE kind = 'top-up'",
  ],
  ["an entry taken out", /is missing/, "DELETE FROM entries WHERE kind = 'top-up'"],
  [
    "the last entry cut off",
    /newest entry/,
    "DELETE FROM entries WHERE entry_id = (SELECT max(entry_id) FROM entries)",
  ],
  ["a balance", /The balance of/, "UPDATE balances SET minor = minor - 5 WHERE ledger_account LIKE 'wallet:%'"],
  ["a balance taken out", /balance is missing/, "DELETE FROM balances WHERE ledger_account = 'cash'"],
  [
    "a payment settled by hand",
    /no entry credits/,
    `UPDATE payments SET state = 'settled', taken_minor = 1000, entry_id = 99, funded_balance_minor = 1000, funded_credit_minor = 0,
      funded_reserve_minor = 0 WHERE state = 'pending'`,
  ],
  [
    "a settled payment taken back",
    /settles a payment that is not settled/,
    "UPDATE payments SET state = 'held', taken_minor = 0, entry_id = NULL, funded_balance_minor = NULL, funded_credit_minor = NULL, funded_reserve_minor = NULL WHERE state = 'settled'",
  ],
  ["what a certificate has settled", /settled and given back/, "UPDATE exposures SET settled_minor = 0"],
  ["the head", /newest entry/, "UPDATE partitions SET head_hash = decode('00', 'hex') WHERE head_hash IS NOT NULL"],
  [
    "an account's list of entries",
    /missing among those/,
    "DELETE FROM account_entries WHERE ledger_account LIKE 'wallet:%'",
  ],
  [
    "an entry in a list not its own",
    /does not name it/,
    "UPDATE account_entries SET ledger_account = 'wallet:99' WHERE ledger_account LIKE 'wallet:%'",
  ],
  ["a record that nobody answers", /neither waits nor is answered/, "UPDATE payments SET inbox_id = inbox_id + 99"],
];

test("PostgreSQL: whatever is changed behind the store's back is found by reading the books", { skip }, async (t) => {
  const { store, client } = await openFilled();
  // As a replica would: without the triggers that keep what was written. Each change is undone after the look.
  await client.query("SET session_replication_role = replica");
  for (const [what, fault, sql] of CHANGES)
    await t.test(what, async () => {
      await client.query("CREATE SCHEMA IF NOT EXISTS kept");
      const tables = ["entries", "balances", "payments", "exposures", "partitions", "account_entries", "inbox_answers"];
      for (const table of tables) await client.query(`CREATE TABLE kept.${table} AS SELECT * FROM ${table}`);
      const { rowCount } = await client.query(sql);
      assert.ok((rowCount ?? 0) > 0, "something was changed");
      const { faults } = await store.verifyBooks();
      for (const table of tables)
        await client.query(
          `DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM kept.${table}; DROP TABLE kept.${table}`,
        );
      assert.ok(
        faults.some((each) => fault.test(each)),
        `found: ${faults.join(" ") || "nothing"}`,
      );
      assert.deepEqual((await store.verifyBooks()).faults, []);
    });
  await client.query("DROP SCHEMA kept");
  await client.end();
  await store.close();
});

test("PostgreSQL: the database itself forbids what must never happen", { skip }, async () => {
  const { store, client } = await openFilled();
  for (const sql of [
    "UPDATE balances SET minor = 1 WHERE ledger_account LIKE 'wallet:%'",
    "UPDATE balances SET minor = 1 WHERE ledger_account LIKE 'clearing:%'",
    "UPDATE entries SET posted_at = 7",
    "DELETE FROM entries",
    "UPDATE inbox SET received_at = 7",
    "DELETE FROM inbox",
    "DELETE FROM payments",
    "UPDATE payments SET code = 'X' WHERE state = 'settled'",
    "INSERT INTO entries SELECT 999999, posted_at, partition, kind, currency, reference, hash, ledger_accounts, minors FROM entries WHERE kind = 'top-up'",
  ])
    await assert.rejects(client.query(sql), /violates check|violates unique|stays as it is/, sql);
  assert.deepEqual((await store.verifyBooks()).faults, []);
  await client.end();
  await store.close();
});
