import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { MessageId } from "@cairn/messages";
import { SqliteIssuerStore } from "@cairn/stores";
import { LAYOUT } from "../src/issuer/layout.ts";
import { leadingBits } from "../src/issuer/leading-bits.ts";
import { keyOf } from "../src/issuer/payment-key.ts";
import { MIGRATIONS } from "../src/issuer/sqlite/schema.ts";
import {
  aPayment,
  aRecord,
  aWord,
  enrolTerminal,
  issue,
  messageId,
  NOW,
  openPayer,
  payeeId,
  payersCopy,
  settleItems,
  someBytes,
  terminalId,
} from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-issuer-store-"));
  try {
    await work(join(folder, "issuer.sqlite"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Changes rows behind the store's back, triggers and checks out of the way: somebody with the file and a shell. */
function tamper(path: string, sql: string): void {
  const database = new DatabaseSync(path, { enableForeignKeyConstraints: false });
  const triggers = database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all();
  database.exec("PRAGMA ignore_check_constraints = ON");
  for (const { name } of triggers) database.exec(`DROP TRIGGER ${name}`);
  database.exec(sql);
  database.close();
}

test("what was written is there after closing and opening, and numbers go on where they were", () =>
  inFolder(async (path) => {
    const store = new SqliteIssuerStore(path);
    await enrolTerminal(store, 1, 1);
    const payer = await openPayer(store);
    await settleItems(store, payer, [aPayment(payer, 1), payersCopy(aPayment(payer, 2))]);
    await store.revokeCertificate(payer.certificate, NOW, "lost");
    await store.receive([aRecord(payer, { paymentId: aPayment(payer, 3).paymentId })]);
    await store.useNonce("used", NOW + 9, NOW);
    const look = async (from: SqliteIssuerStore) => ({
      accounts: await from.accounts(),
      certificates: await from.certificatesOf(payer.account),
      outcomes: await from.outcomesOfCertificate(payer.certificate),
      waiting: await from.takeBatch(10),
      entries: await from.entries({ limit: 10 }),
      revoked: await from.revokedIndices(),
      terminal: await from.terminal(terminalId(1)),
      books: await from.verifyBooks(),
    });
    const before = await look(store);
    await store.close();

    const reopened = new SqliteIssuerStore(path);
    assert.deepEqual(await look(reopened), before);
    assert.deepEqual(before.books, { entries: 2, faults: [] });
    assert.equal(await reopened.useNonce("used", NOW + 9, NOW), false);
    const second = await openPayer(reopened);
    assert.equal(second.account, payer.account + 1);
    assert.equal((await reopened.certificate(second.certificate))?.statusIndex, 1);
    assert.equal((await reopened.certificate(await issue(reopened, payer.account)))?.serial, 2);
    await reopened.receive([aRecord(payer)]);
    assert.equal(new Set((await reopened.takeBatch(10))?.records.map((record) => record.inboxId)).size, 2);
    await settleItems(reopened, second, [aPayment(second, 1)]);
    assert.deepEqual((await reopened.verifyBooks()).faults, []);
    await reopened.close();
    await reopened.close();
  }));

test("a second store on the same file is refused while the first is open", () =>
  inFolder(async (path) => {
    const store = new SqliteIssuerStore(path);
    assert.throws(() => new SqliteIssuerStore(path), rejectsWith("STORE_IN_USE"));
    await symlink(path, `${path}.link`);
    assert.throws(() => new SqliteIssuerStore(`${path}.link`), rejectsWith("STORE_IN_USE"), "by another name, too");
    await store.close();
    await new SqliteIssuerStore(path).close();
  }));

test("a file may have any name", () =>
  inFolder(async (path) => {
    const named = join(dirname(path), "50 % of #1? é&vfs=none.sqlite");
    const store = new SqliteIssuerStore(named);
    await openPayer(store);
    await store.close();
    assert.ok((await stat(named)).size > 0);
    const reopened = new SqliteIssuerStore(named);
    assert.equal((await reopened.accounts()).length, 1);
    await reopened.close();
  }));

test("another process is refused as well, until the first one ends, however it ends", () =>
  inFolder(async (path) => {
    let refused = 0;
    await settleUntilKilled(path, 1, () => {
      assert.throws(() => new SqliteIssuerStore(path), rejectsWith("STORE_IN_USE"));
      // Nor does any other program read or write behind its back.
      const stranger = new DatabaseSync(path);
      assert.throws(() => stranger.prepare("SELECT count(*) FROM accounts").get(), /locked/);
      assert.throws(() => stranger.exec("DELETE FROM nonces"), /locked/);
      stranger.close();
      refused++;
    });
    assert.equal(refused, 1);
    await new SqliteIssuerStore(path).close();
  }));

test("a database of a newer version is left alone", () =>
  inFolder(async (path) => {
    await new SqliteIssuerStore(path).close();
    tamper(path, "PRAGMA user_version = 99");
    assert.throws(() => new SqliteIssuerStore(path), rejectsWith("STORE_TOO_NEW"));
    tamper(path, `PRAGMA user_version = 1; PRAGMA application_id = ${0x43_52_4e_ff}`);
    assert.throws(() => new SqliteIssuerStore(path), rejectsWith("STORE_TOO_NEW"));
  }));

test("a database of an earlier version is brought to this one, step by step, which is told", () =>
  inFolder(async (path) => {
    const told: string[] = [];
    const progress = (line: string): void => void told.push(line);
    await new SqliteIssuerStore(path, { progress }).close();
    assert.deepEqual(told, [], "nothing of a new one");
    tamper(
      path,
      `DROP INDEX payments_of_certificate; CREATE INDEX payments_of_certificate ON payments (certificate);
      DROP TABLE payment_index_pages; DROP TABLE payment_index_segments; DROP TABLE payment_index_runs;
      CREATE INDEX inbox_by_payment ON inbox (payment_key);
      PRAGMA user_version = 2`,
    );
    await new SqliteIssuerStore(path, { progress }).close();
    assert.match(told[0] ?? "", /^Bringing the database to this version, step 3 of \d/);
    const steps = told.length;
    await new SqliteIssuerStore(path, { progress }).close();
    assert.equal(told.length, steps, "once");
  }));

test("a database of an earlier build, whose tables no migration leads from, is left alone and says so", async () => {
  for (const migrations of [1, 2, 5])
    await inFolder(async (path) => {
      // As the builds before layouts were marked left it, whichever migrations they had made.
      tamper(
        path,
        `PRAGMA journal_mode = WAL; CREATE TABLE accounts (account INTEGER PRIMARY KEY) STRICT; PRAGMA user_version = ${migrations}`,
      );
      const before = await readFile(path);
      assert.throws(() => new SqliteIssuerStore(path), rejectsWith("STORE_TOO_OLD"));
      assert.deepEqual(await readFile(path), before);
    });
});

test("a file of the first shapes is brought to the newest: its rows stay, a wrong state is still none", () =>
  inFolder(async (path) => {
    const old = new DatabaseSync(path);
    for (const migration of MIGRATIONS.slice(0, 3)) old.exec(String(migration));
    old.exec(`PRAGMA application_id = ${0x43_52_4e_00 + LAYOUT}; PRAGMA user_version = 3`);
    const insert = (number: number, state: string, bytes = "x'00'"): string =>
      `INSERT INTO payments VALUES (${number}, 1, 2, ${number}, 'id-${number}', 'payment', 1, 10, 10, 'previous', NULL, '${state}', NULL,
        NULL, NULL, NULL, 0, NULL, NULL, NULL, NULL, 5, ${bytes})`;
    const states = ["pending", "refused", "held", "released"];
    for (const [number, state] of states.entries()) old.exec(insert(number + 1, state));
    old.close();
    await new SqliteIssuerStore(path).close();
    const now = new DatabaseSync(path);
    const rows = now.prepare("SELECT state FROM payments ORDER BY payment_number").all();
    assert.deepEqual(
      rows.map(({ state }) => state),
      states,
    );
    // The signed message is kept in the record alone.
    for (const [number, state] of states.entries()) now.exec(insert(number + 11, state, "NULL"));
    for (const state of ["", "paid", "Settled"])
      assert.throws(() => now.exec(insert(21, state)), /CHECK constraint failed/);
    assert.deepEqual(now.prepare("PRAGMA integrity_check").all().map(Object.values), [["ok"]]);
    now.close();
  }));

test("a request that was voided before the file was opened anew is voided still", () =>
  inFolder(async (path) => {
    const first = new SqliteIssuerStore(path);
    const payer = await openPayer(first);
    const { requestHash } = aPayment(payer, 1);
    if (requestHash === undefined) throw new Error("The payment answers no request.");
    await first.recordVoid({
      requestHash,
      payeeId: payeeId(1),
      terminalId: terminalId(1),
      bytes: someBytes(1),
      receivedAt: NOW,
    });
    await first.close();
    const second = new SqliteIssuerStore(path);
    const outcomes = await settleItems(second, payer, [aPayment(payer, 1), aPayment(payer, 2)]);
    assert.deepEqual(
      outcomes.map(({ state }) => state),
      ["refused", "settled"],
    );
    await second.close();
  }));

test("the number that hexadecimal text begins with is what parsing it gives", () => {
  for (let number = 0; number < 0x10000; number += 7) {
    const text = `00${number.toString(16).padStart(4, "0")}9af`;
    assert.equal(leadingBits(text, 7), Number.parseInt(text.slice(0, 7), 16));
    assert.equal(leadingBits(text, 3, 4), Number.parseInt(text.slice(4, 7), 16));
  }
  for (const id of ["ffffffffffffffff", "0123456789abcdef", "fedcba9876543210"])
    assert.equal(keyOf(id), Number.parseInt(id.slice(0, 13), 16));
});

test("whatever is changed behind the store's back is found by reading the books", async (context) => {
  const changes: readonly (readonly [string, RegExp, string])[] = [
    [
      "an amount of a posting",
      /sums to/,
      "UPDATE entries SET postings = replace(postings, '-1000', '-1001') WHERE entry_id = 2",
    ],
    [
      "both amounts of an entry",
      /not what was written/,
      "UPDATE entries SET postings = replace(postings, '1000', '2000') WHERE entry_id = 2; UPDATE balances SET minor = minor - 1000",
    ],
    [
      "the payee of an entry",
      /not what was written/,
      "UPDATE entries SET postings = replace(postings, 'clearing:SHOP-1', 'clearing:SHOP-9') WHERE entry_id = 2",
    ],
    ["the time of an entry", /not what was written/, "UPDATE entries SET posted_at = posted_at + 1 WHERE entry_id = 1"],
    ["an entry taken out", /is missing/, "DELETE FROM entries WHERE entry_id = 2"],
    ["the last entry cut off", /newest entry/, "DELETE FROM entries WHERE entry_id = 3"],
    ["postings that are none", /cannot be read/, "UPDATE entries SET postings = 'nothing' WHERE entry_id = 2"],
    ["an entry taken out of an account's list", /missing from the list/, "DELETE FROM account_entries"],
    ["an entry put into an account's list", /no posting to it/, "INSERT INTO account_entries VALUES ('wallet:99', 2)"],
    [
      "a payment settled twice",
      /another entry settles/,
      "INSERT INTO entries SELECT 99, partition, kind, reference, currency, posted_at, postings, hash FROM entries WHERE entry_id = 2",
    ],
    [
      "a payment written twice",
      /more than once/,
      `INSERT INTO payments SELECT payment_number + 9, partition, certificate, inbox_id, payment_id, kind, sequence, spent_minor,
        amount_minor, previous, request_hash, state, code, payee_id, terminal_id, claimed_minor, taken_minor,
        funded_balance_minor, funded_credit_minor, funded_reserve_minor, entry_id, decided_at, bytes FROM payments LIMIT 1`,
    ],
    ["the certificate of a payment", /no certificate of its partition/, "UPDATE payments SET certificate = 99"],
    ["a balance", /The balance of/, "UPDATE balances SET minor = minor - 5 WHERE ledger_account LIKE 'wallet:%'"],
    ["a balance taken out", /balance is missing/, "DELETE FROM balances WHERE ledger_account = 'cash'"],
    [
      "a payment settled by hand",
      /no entry credits/,
      "UPDATE payments SET state = 'settled', taken_minor = 1000, entry_id = 99 WHERE state = 'pending'",
    ],
    [
      "a settled payment taken back",
      /settles a payment that is not settled/,
      "UPDATE payments SET state = 'held', taken_minor = 0, entry_id = NULL WHERE state = 'settled'",
    ],
    ["what a payment took", /no entry credits/, "UPDATE payments SET taken_minor = 1 WHERE state = 'settled'"],
    ["what a certificate has settled", /settled and given back/, "UPDATE exposures SET settled_minor = 0"],
    ["the head", /newest entry/, "UPDATE ledger_heads SET hash = zeroblob(32)"],
  ];
  for (const [what, fault, sql] of changes) {
    await context.test(what, () =>
      inFolder(async (path) => {
        const store = new SqliteIssuerStore(path);
        const payer = await openPayer(store);
        await settleItems(store, payer, [aPayment(payer, 1), aPayment(payer, 2), payersCopy(aPayment(payer, 3))]);
        assert.deepEqual((await store.verifyBooks()).faults, []);
        await store.close();
        tamper(path, sql);
        const reopened = new SqliteIssuerStore(path);
        const { faults } = await reopened.verifyBooks();
        assert.ok(
          faults.some((each) => fault.test(each)),
          `found: ${faults.join(" ") || "nothing"}`,
        );
        await reopened.close();
      }),
    );
  }
});

test("the database itself forbids what must never happen", () =>
  inFolder(async (path) => {
    const store = new SqliteIssuerStore(path);
    const payer = await openPayer(store);
    await settleItems(store, payer, [aPayment(payer, 1)]);
    await store.close();
    const database = new DatabaseSync(path);
    for (const sql of [
      "UPDATE balances SET minor = 1 WHERE ledger_account LIKE 'wallet:%'",
      "UPDATE balances SET minor = 1 WHERE ledger_account LIKE 'clearing:%'",
      "UPDATE entries SET posted_at = 7",
      "DELETE FROM entries",
      "DELETE FROM inbox",
      "DELETE FROM payments",
      "UPDATE payments SET state = 'held', taken_minor = 0, entry_id = NULL, funded_balance_minor = NULL",
      `INSERT INTO entries SELECT 99, partition, kind, reference, currency, posted_at, postings, hash FROM entries
        WHERE kind <> 'settlement' LIMIT 1`,
    ])
      assert.throws(
        () => database.exec(sql),
        /CHECK|UNIQUE|no entry|no posting|no record|no payment|never changes/,
        sql,
      );
    database.close();
  }));

const ROUNDS = 6;

test("killed in the middle of batches, again and again, it has every batch that it told of, whole, and sound books", () =>
  inFolder(async (path) => {
    const told: MessageId[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      // After a number of batches that differs from round to round, then at once: most likely inside the next one.
      told.push(...(await settleUntilKilled(path, 1 + ((round * 3) % 5))));
      const store = new SqliteIssuerStore(path);
      const { faults } = await store.verifyBooks();
      assert.deepEqual(faults, []);
      const outcomes = await store.outcomes(told);
      assert.equal(outcomes.length, told.length, "everything told of is there");
      assert.ok(outcomes.every(({ state }) => state === "settled"));
      for (const { account, balanceMinor } of await store.accounts()) {
        const [certificate] = await store.certificatesOf(account);
        if (certificate === undefined) continue;
        const payments = await store.outcomesOfCertificate(certificate.certificateId);
        assert.equal(payments.length % 40, 0, "a batch is there as a whole or not at all");
        assert.equal(balanceMinor, 3_000_000n - certificate.settledMinor);
      }
      const left = await store.takeBatch(1_000);
      assert.equal((left?.records.length ?? 0) % 40, 0, "what was received is there as a whole or not at all");
      await store.close();
    }
    assert.ok(told.length >= ROUNDS * 40);
  }));

/** Gives the ids of the payments of which the child said that they are settled. `look` runs while it still does. */
async function settleUntilKilled(path: string, batches: number, look = (): void => undefined): Promise<MessageId[]> {
  const child = spawn(process.execPath, [fileURLToPath(new URL("issuer-settler.child.ts", import.meta.url)), path], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const exited = once(child, "exit");
  const told: MessageId[] = [];
  let lines = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    const { settled }: { settled: MessageId[] } = JSON.parse(line);
    told.push(...settled);
    if (++lines !== batches) continue;
    try {
      look();
    } finally {
      child.kill("SIGKILL");
    }
  }
  await exited;
  assert.ok(lines >= batches, "the child was killed, it did not fail by itself");
  return told;
}

test("claims beside a payment survive a restart and are known in the next batch", () =>
  inFolder(async (path) => {
    const store = new SqliteIssuerStore(path);
    const payer = await openPayer(store);
    const captured = (till: number) =>
      aPayment(payer, 1, {
        kind: "open-payment",
        requestHash: undefined,
        payeeWord: aWord({ terminalId: terminalId(till), payeeId: payeeId(till), takenMinor: 300n }),
      });
    await settleItems(store, payer, [captured(1), captured(2)]);
    await store.close();
    const reopened = new SqliteIssuerStore(path);
    const [again] = await settleItems(reopened, payer, [captured(2)]);
    assert.deepEqual([again?.code, again?.repeated], ["OPEN_PAYMENT_CAPTURED_ELSEWHERE", true]);
    assert.equal((await reopened.heldPayments()).length, 1);
    await reopened.close();
  }));

test("of what is written together, what fails is undone alone, and nobody else's writes are lost or doubled", () =>
  inFolder(async (path) => {
    const store = new SqliteIssuerStore(path);
    const payer = await openPayer(store);
    const { partition } = payer;
    await store.receive([aRecord(payer, { recordHash: "11".repeat(32) })]);
    const records = (await store.takeBatch(10, {}))?.records ?? [];
    const failing = store.settle({
      partition,
      records,
      items: [],
      rejected: [],
      at: NOW,
      decide: () => {
        throw new RangeError("not today");
      },
    });
    const received = store.receive([aRecord(payer, { recordHash: "22".repeat(32), paymentId: messageId(22) })]);
    const used = store.useNonce("33".repeat(24), NOW + 60, NOW);
    await assert.rejects(failing, /not today/);
    await received;
    assert.equal(await used, true);
    assert.equal(await store.useNonce("33".repeat(24), NOW + 60, NOW), false);
    assert.equal(await store.waitingRecords(), 2);
    await store.close();
    const reopened = new SqliteIssuerStore(path);
    assert.equal(await reopened.waitingRecords(), 2);
    await reopened.close();
  }));
