import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  type Payment,
  payment,
  signMessage,
  type TerminalId,
  terminalIdOf,
  userCertificate,
  type Verified,
} from "@cairn/messages";
import { type LedgerHead, SqliteIssuerStore } from "@cairn/stores";
import { keysForAudit } from "../src/cli/ledger/trusted-keys.ts";
import { openIssuerKeys } from "../src/keys/issuer-keys.ts";
import { systemRandom } from "../src/ports.ts";
import { auditBooks } from "../src/services/audit.ts";
import { recordHashOf } from "../src/services/intake.ts";
import { eventually, PASSPHRASE } from "./support/issuer.ts";
import { crypto } from "./support/values.ts";
import { makeWorld, type World } from "./support/world.ts";

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
/**
 * The last byte of a row of them is one of a signature, which no name of a message covers: it becomes another. The hash
 * of a record is made to fit.
 */
const unsignedIn =
  (table: string) =>
  (database: DatabaseSync): void => {
    database.exec(`UPDATE ${table} SET bytes = CAST(substr(bytes, 1, length(bytes) - 1)
      || CASE substr(bytes, -1) WHEN x'00' THEN x'01' ELSE x'00' END AS BLOB)`);
    if (table !== "inbox") return;
    const records = database.prepare("SELECT inbox_id, sender_id, bytes FROM inbox").all() as unknown as readonly {
      readonly inbox_id: number;
      readonly sender_id: TerminalId;
      readonly bytes: Uint8Array;
    }[];
    for (const { inbox_id, sender_id, bytes } of records)
      database
        .prepare("UPDATE inbox SET record_hash = ? WHERE inbox_id = ?")
        .run(recordHashOf(bytes, sender_id, crypto), inbox_id);
  };
/** Money that nobody brought: what the issuer calls cash has to be compared with what its bank says. */
const INVENTED = `INSERT INTO entries SELECT entry_id + 50, partition, kind, reference || 'x', currency, posted_at, postings, hash
    FROM entries WHERE kind = 'top-up';
  INSERT INTO account_entries SELECT ledger_account, entry_id + 50 FROM account_entries
    WHERE entry_id IN (SELECT entry_id FROM entries WHERE kind = 'top-up')`;

/** A settled payment of 10.00, and a void. */
async function trade({ wallet, terminal }: World) {
  await wallet.sync();
  const request = await terminal.request(1_000n);
  const payment = await wallet.pay(request);
  const unwanted = await terminal.request(300n);
  await terminal.client.upload([terminal.record(request, wallet.held(), payment), await terminal.voidRecord(unwanted)]);
  await eventually(async () => (await terminal.client.outcomes([payment.messageId])).payments[0]?.state === "settled");
  return payment;
}

type LookedFor = { readonly verified?: boolean; readonly expected?: readonly LedgerHead[] };
type Change = string | ((database: DatabaseSync) => void);

/** Changes the issuer's own database, and makes the chain and balances fit. */
function rewrite(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  for (const { name } of database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all())
    database.exec(`DROP TRIGGER ${name}`);
  database.exec(sql);
  fitToEntries(database);
  database.close();
}

/** A second payment of 7.00 and what brought it, written into the books as if it had been settled. */
const writtenIn =
  ({
    forged,
    record,
    terminal,
    content,
  }: {
    readonly forged: Verified<Payment>;
    readonly record: Uint8Array;
    readonly terminal: World["terminal"];
    readonly content: Payment;
  }) =>
  (database: DatabaseSync): void => {
    const paymentKey = Number.parseInt(forged.messageId.slice(0, 13), 16);
    database
      .prepare(
        `INSERT INTO inbox SELECT inbox_id + 50, partition, ?, brought_by, sender_id, ?, ?, received_at, ?
          FROM inbox WHERE brought_by = 'terminal' AND payment_id IS NOT NULL`,
      )
      .run(
        recordHashOf(record, terminalIdOf(terminal.signer.publicKey, crypto), crypto),
        forged.messageId,
        paymentKey,
        record,
      );
    database
      .prepare(
        `INSERT INTO payments SELECT payment_number + 50, partition, certificate, inbox_id + 50, ?, kind, 2, 1700, 700, ?, ?,
            state, code, payee_id, terminal_id, 700, 700, 700, 0, 0, entry_id + 50, decided_at, NULL FROM payments`,
      )
      .run(forged.messageId, content.previous, content.requestHash);
    database
      .prepare(
        `INSERT INTO entries SELECT entry_id + 50, partition, kind, ?, currency, posted_at,
            replace(replace(postings, '"1000"', '"700"'), '"-1000"', '"-700"'), hash FROM entries WHERE kind = 'settlement'`,
      )
      .run(`settlement:${forged.messageId}`);
    database.exec("UPDATE exposures SET settled_minor = 1700 WHERE settled_minor = 1000");
  };

/** What an audit finds after a change to a copy of the issuer's database, its chain and balances made to fit. */
async function openTamperedBooks(t: TestContext, folder: string) {
  const keys = await keysForAudit({ data: folder }, crypto);
  t.after(() => keys.checker.close());
  return async (change: Change, { verified = false, expected }: LookedFor = {}) => {
    const copy = join(folder, "copy.sqlite");
    await copyFile(join(folder, "issuer.sqlite"), copy);
    const database = new DatabaseSync(copy, { enableForeignKeyConstraints: false });
    database.exec("PRAGMA ignore_check_constraints = ON");
    for (const { name } of database.prepare("SELECT name FROM sqlite_master WHERE type = 'trigger'").all())
      database.exec(`DROP TRIGGER ${name}`);
    if (typeof change === "string") database.exec(change);
    else change(database);
    fitToEntries(database);
    database.close();
    const store = new SqliteIssuerStore(copy);
    const { faults, signatures } = await auditBooks(store, crypto, { keys: verified ? keys : undefined, expected });
    const cash = (await store.trialBalance()).find(({ ledgerAccount }) => ledgerAccount === "cash")?.minor;
    await store.close();
    return { faults, cash, signatures };
  };
}

test("who writes the chain anew cannot pay more than was signed, or another payee; invented money shows beside the bank's", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  const { messageId } = await trade(world);
  await world.issuer.close();
  const after = await openTamperedBooks(t, world.folder);
  const [broughtMinor, signatures] = [3_000n, undefined];
  const asItWas = { faults: [], cash: broughtMinor, signatures };
  assert.deepEqual(await after(""), asItWas, "the insider's own arithmetic is the store's");
  const unnamed = [`Payment ${messageId} is paid to a payee, or with an amount, that no record names.`];
  for (const sql of [RICHER, ELSEWHERE]) assert.deepEqual((await after(sql)).faults, unnamed);
  assert.deepEqual(await after(INVENTED), { faults: [], cash: 2n * broughtMinor, signatures });
});

test("whole messages that were made up are found by their signatures, when these are verified, and only then", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  const { wallet, terminal } = world;
  await trade(world);
  // As the payer would sign it, but by another key.
  const asked = await terminal.request(700n);
  const { content } = await wallet.signPayment(asked);
  const forged = await signMessage(payment, content, { signer: generateNodeSigner(), crypto });
  const record = terminal.record(asked, wallet.held(), forged);
  await wallet.client.sync({ records: [await wallet.closingRecord({ sequence: 2, spentMinor: 1_700n })] });
  await world.issuer.close();
  const after = await openTamperedBooks(t, world.folder);

  const { faults, signatures } = await after("", { verified: true });
  assert.deepEqual(faults, []);
  // Two certificates, one of them again with its payment; the payee's certificate; payment, closing and void.
  assert.equal(signatures, 7);

  const madeUp = writtenIn({ forged, record, terminal, content });
  assert.deepEqual((await after(madeUp)).faults, [], "without the signatures it is not found");
  const unsigned = [`Payment ${forged.messageId} bears no valid signature of a device that the issuer certified.`];
  assert.deepEqual((await after(madeUp, { verified: true })).faults, unsigned);

  for (const [table, fault] of [
    ["certificates", /^Certificate \w+ bears no valid signature of the issuer/],
    ["closings", /^A closing of certificate \w+ bears no valid signature/],
    ["request_voids", /^The void of request \w+ bears no valid signature/],
    ["inbox", /^Payment \w+ bears no valid signature/],
  ] as const) {
    const unsigned = unsignedIn(table);
    assert.deepEqual((await after(unsigned)).faults, []);
    const found = (await after(unsigned, { verified: true })).faults;
    assert.ok(found.length > 0 && found.every((each) => fault.test(each)), `${table}: ${found.join(" ") || "nothing"}`);
  }
});

test("an invented top-up bears no seal of the issuer, which finds it; what was there before sealing began is held by its chain", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  const file = join(world.folder, "issuer.sqlite");
  await trade(world);
  const { faults, sealed } = await world.operator.verifyBooks();
  assert.deepEqual([faults, sealed], [[], 1], "a new issuer's entries are sealed from the first");
  await world.issuer.close();
  rewrite(file, INVENTED);

  const again = await world.restart();
  const unsealed = (await again.operator.verifyBooks()).faults;
  assert.equal(unsealed.length, 1);
  assert.match(unsealed[0] ?? "", /^Entry 51 bears no seal of the issuer/);

  // Whoever begins anew says that what there is counts; from then on it must stay as it is.
  assert.equal(await again.operator.sealEntries(), 1);
  assert.ok(again.logged.some((line) => line.includes("sealing of entries begins")));
  await again.operator.topUp(world.account, { amountMinor: 5n, idempotencyKey: "after" });
  const begun = await again.operator.verifyBooks();
  assert.deepEqual([begun.faults, begun.sealed], [[], 2]);
  await again.issuer.close();
  rewrite(file, "UPDATE entries SET reference = 'top-up:1:y' WHERE entry_id = 51");
  const last = await again.restart();
  const rewritten = (await last.operator.verifyBooks()).faults;
  assert.equal(rewritten.length, 1);
  assert.match(rewritten[0] ?? "", /^Entry 51, the newest of partition \d+ when sealing began, is not what it was/);
});

test("a top-up that was made larger afterwards, or of another day, is not the one that was sealed", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  const file = join(world.folder, "issuer.sqlite");
  await world.issuer.close();
  for (const change of ["postings = replace(postings, '3000', '9000')", "posted_at = posted_at - 86400"]) {
    const before = join(world.folder, "before.sqlite");
    await copyFile(file, before);
    rewrite(file, `UPDATE entries SET ${change} WHERE kind = 'top-up'`);
    const again = await world.restart();
    const { faults } = await again.operator.verifyBooks();
    assert.equal(faults.length, 1, change);
    assert.match(faults[0] ?? "", /^Entry \d+ bears no seal of the issuer/);
    await again.issuer.close();
    await copyFile(before, file);
  }
});

test("a payment under another certificate of an issued id is found without any key, though its signatures are the issuer's own", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  const { wallet, terminal, folder, clock } = world;
  await trade(world);
  const asked = await terminal.request(700n);
  const { content } = await wallet.signPayment(asked);
  const options = { dataFolder: folder, passphrase: PASSPHRASE, mayCreate: false, random: systemRandom, crypto };
  const { signer } = (await openIssuerKeys({ ...options, now: clock.now })).active(clock.now);
  const device = generateNodeSigner();
  const certificate = await signMessage(
    userCertificate,
    { ...wallet.held().content, deviceKey: device.publicKey },
    { signer, crypto },
  );
  const forged = await signMessage(payment, content, { signer: device, crypto });
  const record = terminal.record(asked, certificate, forged);
  await world.issuer.close();
  const after = await openTamperedBooks(t, folder);
  const another = [`Payment ${forged.messageId} is paid under a certificate that is not the one that was issued.`];
  const change = writtenIn({ forged, record, terminal, content });
  assert.deepEqual((await after(change)).faults, another);
  assert.deepEqual((await after(change, { verified: true })).faults, another);
});

test("newest entries that were cut off with their seals are found by whoever kept an earlier audit, of a file and of the running issuer", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  const { account, folder } = world;
  await trade(world);
  await world.operator.topUp(account, { amountMinor: 77n, idempotencyKey: "newest" });
  const { heads, faults } = await world.operator.verifyBooks();
  assert.deepEqual(faults, []);
  assert.deepEqual(
    heads.map(({ entryId }) => entryId),
    [3],
  );
  assert.deepEqual(await world.operator.missingHeads(heads), []);
  await world.issuer.close();
  const newest = "entry_id = (SELECT max(entry_id) FROM entries)";
  const cutOff = `DELETE FROM operation_records WHERE kind = 'entry-seal' AND id = (SELECT reference FROM entries WHERE ${newest});
    DELETE FROM account_entries WHERE ${newest}; DELETE FROM entries WHERE ${newest}`;
  const after = await openTamperedBooks(t, folder);
  const missing = [
    `Entry 3, the newest of partition ${heads[0]?.partition} in an earlier audit, is not what it was, or was cut off.`,
  ];
  assert.deepEqual((await after("", { expected: heads })).faults, []);
  assert.deepEqual((await after(cutOff)).faults, [], "by itself nothing shows it");
  assert.deepEqual((await after(cutOff, { expected: heads })).faults, missing);

  // What an operator types, of the copy as it is now.
  const kept = join(folder, "earlier.json");
  await writeFile(kept, JSON.stringify({ ok: true, heads }));
  const expecting = verifyByCommand("--file", join(folder, "copy.sqlite"), "--expect", kept);
  assert.deepEqual([expecting.status, expecting.said.faults], [1, missing]);
  const unreadable = verifyByCommand("--file", join(folder, "copy.sqlite"), "--expect", join(folder, "none.json"));
  assert.deepEqual([unreadable.status, unreadable.said.code], [2, "EXPECTED_UNREADABLE"]);

  await copyFile(join(folder, "copy.sqlite"), join(folder, "issuer.sqlite"));
  const again = await world.restart();
  assert.deepEqual((await again.operator.verifyBooks()).faults, []);
  assert.deepEqual(await again.operator.missingHeads(heads), heads);
});

test("a key that has left the trust list is one line of a file's audit, and known again with the older list", async (t) => {
  const world = await makeWorld(t, { housekeepingIntervalMs: 3_600_000 });
  const { folder, operator } = world;
  await trade(world);
  const older = join(folder, "older-list");
  await copyFile(join(folder, "keys", "trust-list"), older);
  const [key] = (await operator.keys()).keys;
  assert.ok(key !== undefined);
  await operator.withdrawKey(key.keyId);
  await world.issuer.close();
  const file = ["--file", join(folder, "issuer.sqlite"), "--data", folder, "--signatures"];
  const newest = verifyByCommand(...file);
  assert.equal(newest.status, 1);
  assert.equal(newest.said.faults.length, 1, newest.said.faults.join("\n"));
  assert.match(
    newest.said.faults[0],
    new RegExp(`^Signatures that cannot be verified, \\d+ of them, are by key ${key.keyId}, which is in no trust list`),
  );
  const both = verifyByCommand(...file, "--trust-list", join(folder, "keys", "trust-list"), older);
  assert.deepEqual([both.status, both.said.faults], [0, []]);
});

function verifyByCommand(...options: readonly string[]) {
  const main = fileURLToPath(new URL("../../cairn/src/main.ts", import.meta.url));
  const { status, stdout } = spawnSync(process.execPath, [main, "ledger", "verify", "--json", ...options], {
    encoding: "utf8",
  });
  return { status, said: JSON.parse(stdout) };
}
