import assert from "node:assert/strict";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { type IssuerStore, openPostgresIssuerStore, SqliteIssuerStore } from "@cairn/stores";
import { Client } from "pg";
import { hasPostgresServer, startPostgresServer } from "../../../scripts/postgres-server.ts";
import { keysForAudit } from "../src/cli/ledger/trusted-keys.ts";
import { auditBooks } from "../src/services/audit.ts";
import { eventually } from "./support/issuer.ts";
import { crypto, EUR, payeeId } from "./support/values.ts";
import { addTerminal, makeWorld, type World } from "./support/world.ts";

/** Each changes one row, as somebody with a shell would who knows what it is worth. `BYTES`: one byte of a signed message. */
const CHANGES: readonly (readonly [what: string, fault: RegExp, sql: string])[] = [
  [
    "amount of a payment",
    /Payment \w+ is not what its payer signed/,
    "UPDATE payments SET amount_minor = amount_minor + 1 WHERE state = 'pending'",
  ],
  [
    "running total",
    /not what its payer signed/,
    "UPDATE payments SET spent_minor = spent_minor + 1 WHERE state = 'settled'",
  ],
  ["place in the chain", /not what its payer signed/, "UPDATE payments SET sequence = 77 WHERE state = 'settled'"],
  ["predecessor", /not what its payer signed/, "UPDATE payments SET previous = $ID8 WHERE state = 'settled'"],
  [
    "request that it answers",
    /not what its payer signed/,
    "UPDATE payments SET request_hash = $ID16 WHERE state = 'settled'",
  ],
  ["kind", /not what its payer signed/, "UPDATE payments SET kind = 'open-payment' WHERE state = 'settled'"],
  [
    "record that a payment came in",
    /not what its payer signed/,
    "UPDATE payments SET inbox_id = (SELECT min(inbox_id) FROM inbox WHERE payment_id IS NULL), payment_id = $ID32 WHERE state = 'pending'",
  ],
  [
    "share of balance and credit",
    /another share/,
    "UPDATE payments SET funded_balance_minor = funded_balance_minor - 1, funded_credit_minor = funded_credit_minor + 1 WHERE state = 'settled'",
  ],
  ["payee of a settled payment", /no entry credits/, "UPDATE payments SET payee_id = 'THIEF' WHERE state = 'settled'"],
  [
    "payee of a held payment",
    /held for a payee that no record names/,
    "UPDATE payments SET payee_id = 'KIOSK' WHERE state = 'held'",
  ],
  [
    "what a payment took",
    /no entry credits/,
    "UPDATE payments SET taken_minor = taken_minor - 1, funded_balance_minor = funded_balance_minor - 1 WHERE state = 'settled'",
  ],
  [
    "record of the inbox",
    /Record \d+ of the inbox is not what was received/,
    "UPDATE inbox SET bytes = $BYTES WHERE brought_by = 'payer'",
  ],
  ["who brought a record", /is not what was received/, "UPDATE inbox SET sender_id = $ID8 WHERE brought_by = 'payer'"],
  ["hash of a record", /is not what was received/, "UPDATE inbox SET record_hash = $ID32 WHERE brought_by = 'payer'"],
  [
    "payment that a record names",
    /is not what was received/,
    "UPDATE inbox SET payment_id = $ID32 WHERE brought_by = 'payer'",
  ],
  [
    "limit of a certificate",
    /Certificate \w+ is not what the issuer signed/,
    "UPDATE certificates SET limit_minor = limit_minor * 2",
  ],
  ["cap of a certificate", /not what the issuer signed/, "UPDATE certificates SET per_payment_cap_minor = 99999999"],
  ["end of a certificate", /not what the issuer signed/, "UPDATE certificates SET expires_at = expires_at + 86400"],
  ["signed certificate", /not what the issuer signed/, "UPDATE certificates SET bytes = $BYTES"],
  ["closing", /A closing of certificate/, "UPDATE closings SET spent_minor = spent_minor - 1"],
  ["name of a closing", /A closing of certificate/, "UPDATE closings SET message_id = $ID32"],
  ["payee of a void", /The void of request/, "UPDATE request_voids SET payee_id = 'THIEF'"],
  ["signed void", /The void of request/, "UPDATE request_voids SET bytes = $BYTES"],
  [
    "what a certificate has settled",
    /settled and given back/,
    "UPDATE exposures SET settled_minor = settled_minor - 1 WHERE settled_minor > 0",
  ],
  ["balance", /The balance of/, "UPDATE balances SET minor = minor - 5 WHERE ledger_account LIKE 'wallet:%'"],
  ["currency of a balance", /balance/i, "UPDATE balances SET currency = 'USD' WHERE ledger_account LIKE 'clearing:%'"],
  ["kind of an entry", /not what was written/, "UPDATE entries SET kind = 'withdrawal' WHERE kind = 'top-up'"],
  [
    "reference of an entry",
    /not what was written/,
    "UPDATE entries SET reference = 'top-up:1:other' WHERE kind = 'top-up'",
  ],
  ["currency of an entry", /not what was written/, "UPDATE entries SET currency = 'USD' WHERE kind = 'top-up'"],
  ["time of an entry", /not what was written/, "UPDATE entries SET posted_at = posted_at - 1 WHERE kind = 'top-up'"],
  ["hash of an entry", /not what was written/, "UPDATE entries SET hash = $HASH WHERE kind = 'top-up'"],
];

type Dialect = {
  readonly id: (bytes: number) => string;
  /** The column's bytes with another one in the middle of what was signed: never the one that was there by chance. */
  readonly bytes: string;
  /** With another last byte, which is one of the signature. */
  readonly unsigned: string;
  readonly hash: string;
  /** What a look at the books finds after the change; undone after it. */
  readonly faultsAfter: (sql: string, keys?: Keys) => Promise<readonly string[]>;
};

async function tamperWithEach(t: TestContext, dialect: Dialect, keys: Keys): Promise<void> {
  await t.test("signature alone, of a payment", async () => {
    const sql = `UPDATE inbox SET bytes = ${dialect.unsigned}
      WHERE inbox_id IN (SELECT inbox_id FROM payments WHERE state = 'settled')`;
    const unlikeReceived = await dialect.faultsAfter(sql);
    assert.equal(unlikeReceived.length, 2, "the record is not what was received, whoever signed it");
    for (const fault of unlikeReceived) assert.match(fault, /^Record \d+ of the inbox/);
    const faults = (await dialect.faultsAfter(sql, keys)).filter((fault) => !unlikeReceived.includes(fault));
    assert.equal(faults.length, 2);
    for (const fault of faults) assert.match(fault, /^Payment \w+ bears no valid signature of a device/);
  });
  for (const [what, fault, sql] of CHANGES)
    await t.test(what, async () => {
      const statement = sql
        .replace(/\$ID(\d+)/, (_, size) => dialect.id(Number(size)))
        .replace("$BYTES", dialect.bytes)
        .replace("$HASH", dialect.hash);
      const faults = await dialect.faultsAfter(statement);
      assert.ok(
        faults.some((each) => fault.test(each)),
        `found: ${faults.join(" ") || "nothing"}`,
      );
    });
}

type Keys = Awaited<ReturnType<typeof keysForAudit>>;

async function openKeys(t: TestContext, { folder }: World): Promise<Keys> {
  const keys = await keysForAudit({ data: folder }, crypto);
  t.after(() => keys.checker.close());
  return keys;
}

async function assertSound(store: IssuerStore, keys: Keys): Promise<void> {
  const { faults, heads, ...read } = await auditBooks(store, crypto);
  assert.deepEqual(faults, []);
  const [head] = heads;
  assert.ok(head !== undefined);
  const other = { ...head, hash: "00".repeat(32) };
  assert.deepEqual((await auditBooks(store, crypto, { expected: heads })).faults, []);
  assert.equal((await auditBooks(store, crypto, { expected: [other] })).faults.length, 1);
  const notLookedAt = { signatures: undefined, sealed: undefined };
  assert.deepEqual(read, {
    ...{ entries: 3, records: 5, payments: 4, certificates: 1, closings: 1, voids: 1 },
    ...notLookedAt,
  });
  const verified = await auditBooks(store, crypto, { keys });
  assert.deepEqual(verified.faults, []);
  // The payer's certificate, again with its payments; two tills' certificates; four payments, the one that is held once
  // more as such; the closing; the void.
  assert.equal(verified.signatures, 11);
}

/** Settled payments of balance and credit, one that waits for its payee, one that is held, a void and a closing. */
async function trade(world: World): Promise<void> {
  const { wallet, terminal, operator, clock } = world;
  await wallet.sync();
  await operator.createPayee({ payeeId: payeeId("THIEF"), name: "Thief", currency: EUR });
  const other = await addTerminal(world, payeeId("THIEF"));
  for (const amountMinor of [2_000n, 1_500n]) {
    const shown = await terminal.request(amountMinor);
    const paid = await wallet.pay(shown);
    await terminal.client.upload([terminal.record(shown, wallet.held(), paid)]);
    await eventually(async () => (await terminal.client.outcomes([paid.messageId])).payments[0]?.state === "settled");
  }
  const asked = await terminal.request(100n);
  const waiting = await wallet.pay(asked);
  await wallet.client.sync({ records: [wallet.record(waiting, { request: asked })] });
  const late = await other.request(200n);
  const held = await wallet.pay(late);
  clock.now += 90 * 86_400;
  await other.client.upload([other.record(late, wallet.held(), held)]);
  await eventually(async () => (await operator.heldPayments()).length === 1);
  const unwanted = await terminal.request(300n);
  await terminal.client.upload([await terminal.voidRecord(unwanted)]);
  await wallet.client.sync({ records: [await wallet.closingRecord()] });
}

/** In SQLite's words: a byte that is not the one there. */
const otherByte = (at: string): string => `CASE substr(bytes, ${at}, 1) WHEN x'00' THEN x'01' ELSE x'00' END`;

test("SQLite: whoever changes one row that decides about money is found by ledger verify", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  await trade(world);
  await world.issuer.close();
  const file = join(world.folder, "issuer.sqlite");
  const copy = join(world.folder, "copy.sqlite");
  const original = new SqliteIssuerStore(file);
  const keys = await openKeys(t, world);
  await assertSound(original, keys);
  await original.close();
  await tamperWithEach(
    t,
    {
      id: (bytes) => `'${"ab".repeat(bytes)}'`,
      unsigned: `CAST(substr(bytes, 1, length(bytes) - 1) || ${otherByte("length(bytes)")} AS BLOB)`,
      bytes: `CAST(substr(bytes, 1, 59) || ${otherByte("60")} || substr(bytes, 61) AS BLOB)`,
      hash: "zeroblob(32)",
      faultsAfter: async (sql, keys) => {
        await copyFile(file, copy);
        const database = new DatabaseSync(copy, { enableForeignKeyConstraints: false });
        database.exec("PRAGMA ignore_check_constraints = ON");
        for (const { name } of database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all())
          database.exec(`DROP TRIGGER ${name}`);
        assert.ok(Number(database.prepare(sql).run().changes) > 0, "something was changed");
        database.close();
        const store = new SqliteIssuerStore(copy);
        const { faults } = await auditBooks(store, crypto, { keys });
        await store.close();
        return faults;
      },
    },
    keys,
  );
});

const skip = hasPostgresServer() ? false : "no PostgreSQL server for this platform";
test("PostgreSQL: the same", { skip }, async (t) => {
  const server = await startPostgresServer({ settings: { fsync: "off" } });
  const store = await openPostgresIssuerStore({ connectionString: server.connectionString });
  const client = new Client({ connectionString: server.connectionString, options: "-c search_path=cairn" });
  await client.connect();
  try {
    const world = await makeWorld(t, { store, housekeepingIntervalMs: 3_600_000 });
    await trade(world);
    const keys = await openKeys(t, world);
    await assertSound(store, keys);
    // As a replica would: without the triggers that keep what was written.
    await client.query("SET session_replication_role = replica");
    const { rows: checks } = await client.query<{ name: string; relation: string }>(
      "SELECT conname AS name, conrelid::regclass::text AS relation FROM pg_constraint WHERE contype = 'c' AND connamespace = 'cairn'::regnamespace",
    );
    for (const { name, relation } of checks) await client.query(`ALTER TABLE ${relation} DROP CONSTRAINT ${name}`);
    await tamperWithEach(
      t,
      {
        id: (bytes) => `'\\x${"ab".repeat(bytes)}'::bytea`,
        unsigned: "set_byte(bytes, length(bytes) - 1, get_byte(bytes, length(bytes) - 1) # 1)",
        bytes: "set_byte(bytes, 59, get_byte(bytes, 59) # 1)",
        hash: "decode(repeat('ab', 32), 'hex')",
        faultsAfter: async (sql, keys) => {
          const table = /UPDATE (\w+)/.exec(sql)?.[1] ?? "";
          await client.query(`CREATE TABLE public.kept AS SELECT * FROM ${table}`);
          try {
            assert.ok(((await client.query(sql)).rowCount ?? 0) > 0, "something was changed");
            return (await auditBooks(store, crypto, { keys })).faults;
          } finally {
            await client.query(
              `DELETE FROM ${table}; INSERT INTO ${table} SELECT * FROM public.kept; DROP TABLE public.kept`,
            );
          }
        },
      },
      keys,
    );
    await assertSound(store, keys);
    await world.issuer.close();
  } finally {
    await client.end();
    await server.stop();
  }
});
