import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { copyFile, mkdtemp, open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { before, test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { rebuildPaymentIndex, SqliteIssuerStore } from "@cairn/stores";
import { aRecord, openPayer } from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";

const RECORDS = 3_000;
const FILE_PAGE_BYTES = 4_096;
const paymentId = (number: number): MessageId =>
  // Spread over all keys, as hashes are.
  ((number * 0x9e37_79b9_7f4a) % 2 ** 52).toString(16).padStart(13, "0").padEnd(64, "0") as MessageId;

const folder = await mkdtemp(join(tmpdir(), "cairn-rebuild-"));
const original = join(folder, "original.sqlite");
const copy = join(folder, "copy.sqlite");
process.once("exit", () => void spawnSync("rm", ["-rf", folder]));

/** Some of each: runs that were merged, one that grows, and records that are in none yet. */
before(async () => {
  const store = new SqliteIssuerStore(original, {
    indexSizes: { portionEntries: 700, mergedRuns: 2, recordsAStep: 200 },
  });
  const payer = await openPayer(store);
  for (let first = 1; first <= RECORDS; first += 100)
    await store.receive(
      Array.from({ length: 100 }, (_, index) =>
        aRecord(payer, { paymentId: paymentId(first + index), recordHash: recordHash(first + index) }),
      ),
    );
  await store.close();
});

const recordHash = (number: number): string => number.toString(16).padStart(64, "f");

/** Overwrites the page of the file that a table's tree begins with. */
async function tearTable(file: string, table: string): Promise<void> {
  const database = new DatabaseSync(file);
  const row = database.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?").get(table);
  database.close();
  const torn = await open(file, "r+");
  await torn.write(
    Buffer.alloc(FILE_PAGE_BYTES, 0xa5),
    0,
    FILE_PAGE_BYTES,
    (Number(row?.rootpage) - 1) * FILE_PAGE_BYTES,
  );
  await torn.close();
}

const execute = (sql: string) => async (file: string) => {
  const database = new DatabaseSync(file);
  assert.ok(Number(database.prepare(sql).run().changes) > 0, "something was changed");
  database.close();
};

const LARGEST = "(SELECT first_page FROM payment_index_segments ORDER BY length(first_keys) DESC LIMIT 1)";
const DAMAGES: readonly (readonly [string, RegExp, (file: string) => Promise<void>])[] = [
  ["a page that is gone", /cannot be read/, execute(`DELETE FROM payment_index_pages WHERE page = ${LARGEST}`)],
  [
    "the key of an entry",
    /payment index does not find \d+ records, of which the first is \d+/,
    execute(
      `UPDATE payment_index_pages SET entries = CAST(substr(entries, 1, 12) || x'ffffffff' || substr(entries, 17) AS BLOB)
        WHERE page = ${LARGEST}`,
    ),
  ],
  [
    "the number of a record",
    /does not find 1 records/,
    execute(
      `UPDATE payment_index_pages SET entries = CAST(substr(entries, 1, 20) || x'ffffff00' || substr(entries, 25) AS BLOB)
        WHERE page = ${LARGEST}`,
    ),
  ],
  [
    "a page cut off in an entry",
    /cannot be read/,
    execute(`UPDATE payment_index_pages SET entries = CAST(substr(entries, 1, 50) AS BLOB) WHERE page = ${LARGEST}`),
  ],
  [
    "a page cut off behind an entry",
    /does not find \d+ records/,
    execute(`UPDATE payment_index_pages SET entries = CAST(substr(entries, 1, 48) AS BLOB) WHERE page = ${LARGEST}`),
  ],
  [
    "a filter",
    /does not go with its filter/,
    execute("UPDATE payment_index_segments SET filter = zeroblob(length(filter))"),
  ],
  [
    "the first key of a page",
    /does not begin as was written down/,
    execute(`UPDATE payment_index_segments SET first_keys = CAST(x'0000000000000040' || substr(first_keys, 9) AS BLOB)
      WHERE first_page = ${LARGEST}`),
  ],
  [
    "a run that is gone",
    /does not find \d+ records/,
    execute(
      "DELETE FROM payment_index_runs WHERE run = (SELECT min(run) FROM payment_index_runs WHERE state = 'whole')",
    ),
  ],
  ["a torn page of the file, under the entries", /cannot be read/, (file) => tearTable(file, "payment_index_pages")],
];

async function faultsOf(file: string): Promise<readonly string[]> {
  const store = new SqliteIssuerStore(file);
  const { faults } = await store.verifyBooks();
  await store.close();
  return faults;
}

/** Each record is found, once, and known again. */
async function assertWhole(file: string): Promise<void> {
  assert.deepEqual(await faultsOf(file), []);
  const store = new SqliteIssuerStore(file);
  for (let number = 1; number <= RECORDS; number += 83) {
    const found = await store.evidence(paymentId(number));
    assert.equal(found.length, 1, `record ${number}`);
  }
  const account = await store.accounts();
  const partition = (await store.evidence(paymentId(1)))[0]?.partition ?? 0;
  assert.ok(account.length > 0);
  await store.receive([aRecord({ partition }, { paymentId: paymentId(5), recordHash: recordHash(5) })]);
  assert.equal(await store.waitingRecords(), RECORDS, "a repetition");
  await store.close();
}

test("an index as it was written agrees with the inbox", async () => {
  assert.deepEqual(await faultsOf(original), []);
});

for (const [what, fault, damage] of DAMAGES)
  test(`${what}: the audit finds it, and the index is written anew`, async () => {
    await copyFile(original, copy);
    await damage(copy);
    const faults = await faultsOf(copy);
    assert.match(faults.join("\n"), fault);
    for (const each of faults) assert.match(each, /^The payment index/);
    const told: string[] = [];
    assert.deepEqual(rebuildPaymentIndex(copy, { progress: (line) => told.push(line) }), { records: RECORDS });
    assert.ok(told.some((line) => line.startsWith(`${RECORDS} records`)));
    await assertWhole(copy);
  });

for (const table of ["payment_index_segments", "payment_index_runs"])
  test(`a file that cannot be opened for what is torn in ${table} says so, and can be again`, async () => {
    await copyFile(original, copy);
    await tearTable(copy, table);
    assert.throws(() => new SqliteIssuerStore(copy), rejectsWith("STORE_DAMAGED"));
    rebuildPaymentIndex(copy);
    await assertWhole(copy);
  });

test("killed while it writes, the file is as it was, and the index is written at the next try", async () => {
  await copyFile(original, copy);
  await tearTable(copy, "payment_index_pages");
  const child = spawnSync(
    process.execPath,
    [
      "--input-type=module",
      "-e",
      `import { rebuildPaymentIndex } from "@cairn/stores";
      rebuildPaymentIndex(process.argv[1], { progress: () => process.kill(process.pid, "SIGKILL") });`,
      copy,
    ],
    { cwd: import.meta.dirname, encoding: "utf8" },
  );
  assert.equal(child.signal, "SIGKILL", child.stderr);
  assert.match((await faultsOf(copy)).join("\n"), /^The payment index/);
  rebuildPaymentIndex(copy);
  await assertWhole(copy);
});

test("a file that a server has open is left alone", async () => {
  await copyFile(original, copy);
  const store = new SqliteIssuerStore(copy);
  assert.throws(() => rebuildPaymentIndex(copy), rejectsWith("STORE_IN_USE"));
  await store.close();
});

test("while the books are read others write, and what they wrote is no fault", async () => {
  await copyFile(original, copy);
  const store = new SqliteIssuerStore(copy, { indexSizes: { portionEntries: 700, mergedRuns: 2, recordsAStep: 50 } });
  const [account] = await store.accounts();
  assert.ok(account !== undefined);
  const partition = (await store.evidence(paymentId(1)))[0]?.partition ?? 0;
  let isRead = false;
  let written = 0;
  const writing = (async () => {
    while (!isRead) {
      const number = RECORDS + ++written;
      await Promise.all([
        store.topUp({ account: account.account, amountMinor: 7n, idempotencyKey: `${number}`, at: 1_800_000_001 }),
        store.receive([aRecord({ partition }, { paymentId: paymentId(number), recordHash: recordHash(number) })]),
      ]);
    }
  })();
  const { faults } = await store.verifyBooks();
  isRead = true;
  await writing;
  assert.deepEqual(faults, []);
  assert.ok(written > 0);
  await store.close();
});
