import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { copyFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { SqliteIssuerStore } from "@cairn/stores";
import { auditBooks } from "../src/services/audit.ts";
import { eventually } from "./support/issuer.ts";
import { crypto } from "./support/values.ts";
import { makeWorld } from "./support/world.ts";

/**
 * The insider of docs/security/threat-model.md who knows how the books are kept: the chain of the entries needs no key,
 * so whoever may write works it out anew, the balances with it. What is left to find are the messages.
 */
type Entry = {
  readonly entry_id: number;
  readonly partition: number;
  readonly kind: string;
  readonly reference: string;
  readonly currency: string;
  readonly posted_at: number;
  readonly postings: string;
};

/** Makes every hash, head and balance fit the entries as they are. */
function fitToEntries(database: DatabaseSync): void {
  const hashes = new Map<number, Buffer>();
  const all = database.prepare("SELECT * FROM entries ORDER BY entry_id").all() as unknown as readonly Entry[];
  for (const { entry_id, partition, kind, reference, currency, posted_at, postings } of all) {
    const said = `[${entry_id},"${kind}",${JSON.stringify(reference)},"${currency}",${posted_at},${postings}]`;
    const before = hashes.get(partition) ?? Buffer.alloc(32);
    const hash = createHash("sha256").update(before).update(said).digest();
    hashes.set(partition, hash);
    database.prepare("UPDATE entries SET hash = ? WHERE entry_id = ?").run(hash, entry_id);
    database
      .prepare("UPDATE ledger_heads SET entry_id = ?, hash = ? WHERE partition = ?")
      .run(entry_id, hash, partition);
  }
  database.exec(`DELETE FROM balances; INSERT INTO balances
    SELECT e.partition, p.value ->> 0, e.currency, sum(CAST(p.value ->> 1 AS INTEGER))
      FROM entries e, json_each(e.postings) p GROUP BY 1, 2, 3`);
}

const RICHER = `UPDATE entries SET postings = replace(postings, '"-1000"', '"-1500"') WHERE kind = 'settlement';
  UPDATE entries SET postings = replace(postings, '"1000"', '"1500"') WHERE kind = 'settlement';
  UPDATE payments SET taken_minor = 1500, funded_balance_minor = 1500;
  UPDATE exposures SET settled_minor = 1500, released_minor = -500`;
const ELSEWHERE = `UPDATE entries SET postings = replace(postings, 'clearing:KIOSK', 'clearing:THIEF') WHERE kind = 'settlement';
  UPDATE payments SET payee_id = 'THIEF'`;
/** Money that nobody brought: what the issuer calls cash has to be compared with what its bank says. */
const INVENTED = `INSERT INTO entries SELECT entry_id + 50, partition, kind, reference || 'x', currency, posted_at, postings, hash
    FROM entries WHERE kind = 'top-up';
  INSERT INTO account_entries SELECT ledger_account, entry_id + 50 FROM account_entries
    WHERE entry_id IN (SELECT entry_id FROM entries WHERE kind = 'top-up')`;

test("who writes the chain anew cannot pay more than was signed, or another payee; invented money shows beside the bank's", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  const { wallet, terminal, issuer, folder } = world;
  await wallet.sync();
  const request = await terminal.request(1_000n);
  const payment = await wallet.pay(request);
  await terminal.client.upload([terminal.record(request, wallet.held(), payment)]);
  await eventually(async () => (await terminal.client.outcomes([payment.messageId])).payments[0]?.state === "settled");
  await issuer.close();

  const after = async (sql: string) => {
    const copy = join(folder, "copy.sqlite");
    await copyFile(join(folder, "issuer.sqlite"), copy);
    const database = new DatabaseSync(copy, { enableForeignKeyConstraints: false });
    database.exec("PRAGMA ignore_check_constraints = ON");
    for (const { name } of database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all())
      database.exec(`DROP TRIGGER ${name}`);
    database.exec(sql);
    fitToEntries(database);
    database.close();
    const store = new SqliteIssuerStore(copy);
    const { faults } = await auditBooks(store, crypto);
    const cash = (await store.trialBalance()).find(({ ledgerAccount }) => ledgerAccount === "cash")?.minor;
    await store.close();
    return { faults, cash };
  };
  const broughtMinor = 3_000n;
  assert.deepEqual(await after(""), { faults: [], cash: broughtMinor }, "the insider's own arithmetic is the store's");
  const unnamed = [`Payment ${payment.messageId} is paid to a payee, or with an amount, that no record names.`];
  for (const sql of [RICHER, ELSEWHERE]) assert.deepEqual((await after(sql)).faults, unnamed);
  assert.deepEqual(await after(INVENTED), { faults: [], cash: 2n * broughtMinor });
});
