import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  backUpPostgres,
  type IssuerStore,
  openPostgresIssuerStore,
  restorePostgres,
  SqliteIssuerStore,
} from "@cairn/stores";
import {
  aPayment,
  aRecord,
  enrolTerminal,
  NOW,
  openPayer,
  type Payer,
  payersCopy,
  settleItems,
} from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";
import { connectionString, newSchema, noPostgres } from "./postgres-for-tests.ts";

/** Payments settled while a copy is made, at most: more would only make each of them slower. */
const MEANWHILE = 60;

const skip = noPostgres ?? false;

/** A store with something in every table, and a payer. */
async function fill(store: IssuerStore): Promise<Payer> {
  await enrolTerminal(store, 1, 1);
  const payer = await openPayer(store, { balanceMinor: 1_500n, lineMinor: 500n });
  const clone = { ...aPayment(payer, 1), paymentId: aPayment(payer, 40).paymentId };
  await settleItems(store, payer, [aPayment(payer, 1), payersCopy(aPayment(payer, 2)), clone]);
  await store.receive([aRecord(payer, { paymentId: aPayment(payer, 3).paymentId })]);
  await store.useNonce("nonce", NOW + 9, NOW);
  return payer;
}

/** Everything that can be seen from outside. */
async function everything(store: IssuerStore, payer: Payer) {
  return {
    accounts: await store.accounts(),
    payees: await store.payees(),
    certificates: await store.certificatesOf(payer.account),
    outcomes: await store.outcomesOfCertificate(payer.certificate),
    evidence: await store.evidence(aPayment(payer, 3).paymentId),
    conflicts: await store.conflicts(),
    held: await store.heldPayments(),
    entries: await store.entries({ limit: 100 }),
    trial: await store.trialBalance(),
    revoked: await store.revokedIndices(),
    books: await store.verifyBooks(),
  };
}

/** Goes on with a restored store as if nothing had happened. */
async function goOn(store: IssuerStore, payer: Payer): Promise<void> {
  const waiting = await store.takeBatch(10);
  assert.equal(waiting?.records.length, 1);
  const next = await openPayer(store);
  assert.ok(next.account > payer.account);
  assert.equal((await settleItems(store, next, [aPayment(next)]))[0]?.state, "settled");
  assert.deepEqual((await store.verifyBooks()).faults, []);
}

test("SQLite: a backup made while payments are settled is a whole database", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-backup-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const store = new SqliteIssuerStore(join(folder, "issuer.sqlite"));
  const payer = await fill(store);
  const whole = await everything(store, payer);
  const quiet = join(folder, "quiet.sqlite");
  await store.backUp(quiet);
  await assert.rejects(store.backUp(quiet), rejectsWith("STORE_INPUT_INVALID"));
  const busy = await openPayer(store, { balanceMinor: 1_000_000n });
  const copying = store.backUp(join(folder, "busy.sqlite"));
  let settled = 0;
  let isCopied = false;
  void copying.then(() => {
    isCopied = true;
  });
  while (settled < 20 || (!isCopied && settled < MEANWHILE)) {
    await settleItems(store, busy, [aPayment(busy, ++settled, { amountMinor: 1n, spentMinor: BigInt(settled) })]);
    await new Promise(setImmediate);
  }
  await copying;
  await store.close();

  const restored = new SqliteIssuerStore(quiet);
  assert.deepEqual(await everything(restored, payer), whole);
  await goOn(restored, payer);
  await restored.close();
  const underWay = new SqliteIssuerStore(join(folder, "busy.sqlite"));
  assert.deepEqual((await underWay.verifyBooks()).faults, []);
  assert.ok((await underWay.outcomesOfCertificate(busy.certificate)).length <= settled);
  await underWay.close();
});

test("SQLite: a backup that finds no room leaves no file that looks like one", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-backup-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const store = new SqliteIssuerStore(join(folder, "issuer.sqlite"));
  await writeFile(join(folder, "no folder"), "");
  await assert.rejects(store.backUp(join(folder, "no folder", "copy.sqlite")));
  await store.close();
});

async function linesOf(schema: string): Promise<string[]> {
  const lines: string[] = [];
  for await (const line of backUpPostgres({ connectionString: await connectionString(), schema }))
    lines.push(line.trimEnd());
  return lines;
}

async function* each(lines: readonly string[]): AsyncIterable<string> {
  yield* lines;
}

test("PostgreSQL: a backup made while payments are settled is a whole database", { skip }, async () => {
  const server = await connectionString();
  const schema = newSchema();
  const store = await openPostgresIssuerStore({ connectionString: server, schema });
  const payer = await fill(store);
  const whole = await everything(store, payer);
  const quiet = await linesOf(schema);
  const busy = await openPayer(store, { balanceMinor: 1_000_000n });
  let isCopied = false;
  const copying = linesOf(schema).finally(() => {
    isCopied = true;
  });
  for (let number = 1; !isCopied && number <= MEANWHILE; number++)
    await settleItems(store, busy, [aPayment(busy, number, { amountMinor: 1n, spentMinor: BigInt(number) })]);

  const restore = async (lines: readonly string[]) => {
    const connection = { connectionString: server, schema: newSchema() };
    const rows = await restorePostgres(connection, each(lines));
    assert.ok(rows > 256);
    return openPostgresIssuerStore(connection);
  };
  const restored = await restore(quiet);
  assert.deepEqual(await everything(restored, payer), whole);
  await goOn(restored, payer);
  const underWay = await restore(await copying);
  assert.deepEqual((await underWay.verifyBooks()).faults, []);
  await Promise.all([store, restored, underWay].map((each) => each.close()));
});

test("PostgreSQL: a backup that is not whole, and a database that is not empty, are refused", { skip }, async () => {
  const server = await connectionString();
  const schema = newSchema();
  const store = await openPostgresIssuerStore({ connectionString: server, schema });
  await fill(store);
  const lines = await linesOf(schema);
  const restore = (changed: readonly string[], into = newSchema()) =>
    restorePostgres({ connectionString: server, schema: into }, each(changed));
  const into = newSchema();
  await assert.rejects(restore(lines.slice(0, -1), into), rejectsWith("STORE_DAMAGED"));
  assert.ok((await restore(lines, into)) > 256, "what failed leaves nothing in the way");
  await assert.rejects(restore(lines.slice(1)), rejectsWith("STORE_DAMAGED"));
  await assert.rejects(restore(lines.map((line) => line.replace("Ada", "Eve"))), rejectsWith("STORE_DAMAGED"));
  await assert.rejects(restore([...lines, lines[0] ?? ""]), rejectsWith("STORE_DAMAGED"));
  await assert.rejects(restore([lines[0] ?? "", "{cut off"]), rejectsWith("STORE_DAMAGED"));
  const newer = lines.map((line) => line.replace(/"migrations":\d+/, '"migrations":999'));
  await assert.rejects(restore(newer), rejectsWith("STORE_TOO_NEW"));
  const older = lines.map((line) => line.replace(/"version":\d+/, '"version":1'));
  await assert.rejects(restore(older), rejectsWith("STORE_TOO_OLD"));
  await assert.rejects(restore(lines, schema), rejectsWith("STORE_INPUT_INVALID"));
  await assert.rejects(async () => {
    for await (const _ of backUpPostgres({ connectionString: server, schema: newSchema() }))
      assert.fail("nothing there");
  }, rejectsWith("STORE_INPUT_INVALID"));
  await store.close();
});
