import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { SqliteWalletStore, WALLET_FILE } from "../src/index.ts";
import { added, aPayment, CERTIFICATE, closed, ENROLLED, ID, readAll, signed, writeAll } from "./wallet-records.ts";
import { walletStoreSuite } from "./wallet-store.suite.ts";

// Real processes, killed and side by side, are in packages/pay/test/processes.test.ts: there they pay.
const folder = await mkdtemp(join(tmpdir(), "cairn-wallet-store-"));
after(() => rm(folder, { recursive: true, force: true }));

let files = 0;
const freshFile = () => join(folder, `${++files}-${WALLET_FILE}`);

walletStoreSuite("sqlite", async () => new SqliteWalletStore(freshFile()));
walletStoreSuite("sqlite in memory", async () => new SqliteWalletStore(":memory:"));

async function anEnrolledFile(): Promise<string> {
  const file = freshFile();
  const store = new SqliteWalletStore(file);
  await writeAll(store, ENROLLED, CERTIFICATE);
  await store.close();
  return file;
}

test("a file opened again holds everything, and its counter goes on", async () => {
  const file = await anEnrolledFile();
  const first = new SqliteWalletStore(file);
  await writeAll(first, added(aPayment()), signed(), closed());
  const before = await readAll(first);
  await first.close();
  const second = new SqliteWalletStore(file);
  assert.deepEqual(await readAll(second), before);
  assert.equal(before.certificates[0]?.counter.sequence, 1);
  await second.close();
});

test("two stores on one file see each other's writes", async () => {
  const file = await anEnrolledFile();
  const [first, second] = [new SqliteWalletStore(file), new SqliteWalletStore(file)];
  await writeAll(first, added(aPayment()));
  assert.deepEqual(await readAll(second), await readAll(first));
  await assert.rejects(writeAll(second, added(aPayment())), { code: "WALLET_WRITE_REFUSED" });
  await Promise.all([first.close(), second.close()]);
});

test("durability is set as promised: WAL, and the disk is waited for with every commit", async () => {
  const file = await anEnrolledFile();
  const database = new DatabaseSync(file);
  assert.equal(database.prepare("PRAGMA journal_mode").get()?.journal_mode, "wal");
  assert.deepEqual(
    database
      .prepare("SELECT name FROM pragma_table_list WHERE schema = 'main' AND strict = 0 AND name NOT LIKE 'sqlite_%'")
      .all(),
    [],
  );
  database.close();
});

test("the file itself forbids what must never happen", async () => {
  const file = freshFile();
  const store = new SqliteWalletStore(file);
  await writeAll(store, ENROLLED, CERTIFICATE, added(aPayment()), signed(), { kind: "shown", paymentId: ID });
  const database = new DatabaseSync(file);
  for (const sql of [
    "UPDATE payments SET spent_minor = amount_minor + 1",
    "UPDATE payments SET sequence = 2",
    "UPDATE payments SET signed = x'00'",
    "UPDATE payments SET shown = 0",
    "DELETE FROM payments",
    "DELETE FROM certificates",
    "DELETE FROM identity",
    "UPDATE certificates SET certificate = x'00'",
    "INSERT INTO payments (payment_id, kind, certificate_id, sequence, amount_minor, spent_minor, prepared_at, draft) SELECT 'x', 'open-payment', certificate_id, 3, 1, 1251, 0, x'00' FROM payments",
  ]) {
    assert.throws(() => database.exec(sql), /stays as it is|last word|no record is deleted|one link/, sql);
  }
  database.exec("UPDATE certificates SET closing_draft = x'00'");
  assert.throws(
    () =>
      database.exec(
        "INSERT INTO payments (payment_id, kind, certificate_id, sequence, amount_minor, spent_minor, prepared_at, draft) SELECT 'x', 'open-payment', certificate_id, 2, 1, 1251, 0, x'00' FROM payments",
      ),
    /signs no more/,
  );
  database.close();
  await store.close();
});

test("a file of a newer version and a damaged row are refused with a code", async () => {
  const file = await anEnrolledFile();
  const database = new DatabaseSync(file);
  database.exec("UPDATE identity SET currency = 'euro'");
  const store = new SqliteWalletStore(file);
  await assert.rejects(readAll(store), { code: "WALLET_FILE_DAMAGED" });
  await store.close();
  database.exec("PRAGMA user_version = 99");
  assert.throws(() => new SqliteWalletStore(file), { code: "WALLET_FILE_TOO_NEW" });
  database.close();
});
