import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { settle } from "@cairn/settle";
import { type IssuerStore, openPostgresIssuerStore, type PostgresOptions } from "@cairn/stores";
import { Client } from "pg";
import { keyOf } from "../src/issuer/payment-key.ts";
import { CommitProxy } from "./crashes/commit-proxy.ts";
import {
  aPayee,
  aPayment,
  aRecord,
  DAY,
  deviceId,
  EUR,
  NOW,
  openAccount,
  openPayer,
  type Payer,
  POLICY,
  someBytes,
  terminalId,
} from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";
import { connectionString, newSchema, noPostgres } from "./postgres-for-tests.ts";

const skip = noPostgres ?? false;

/** What several processes see of one database. */
async function openTwo(options: Partial<PostgresOptions> = {}) {
  const schema = newSchema();
  const server = await connectionString();
  const open = () => openPostgresIssuerStore({ connectionString: server, schema, ...options });
  return { schema, one: await open(), other: await open() };
}

async function asSuperuser<Result>(schema: string, work: (client: Client) => Promise<Result>): Promise<Result> {
  const client = new Client({ connectionString: await connectionString(), options: `-c search_path=${schema}` });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

type Batch = NonNullable<Awaited<ReturnType<IssuerStore["takeBatch"]>>>;

/** Settles a batch that holds the payer's first payment. */
function settleBatch(store: IssuerStore, payer: Payer, { partition, records }: Batch) {
  const [first] = records;
  return store.settle({
    partition,
    records,
    items: [{ ...aPayment(payer, 1), inboxId: first?.inboxId ?? 0 }],
    decide: (state, items) => settle(state, items, { now: NOW, policy: POLICY }),
    rejected: [],
    at: NOW,
  });
}

test("a partition that one worker settles is not given to another, until it has said nothing for too long", {
  skip,
}, async () => {
  const { one, other } = await openTwo({ leaseSeconds: 2 });
  const payer = await openPayer(one);
  await one.receive([aRecord(payer, { paymentId: aPayment(payer, 1).paymentId })]);
  const slow = await one.takeBatch(10);
  assert.ok(slow !== undefined);
  assert.equal(await other.takeBatch(10), undefined);
  await pause(2_050);
  const quick = await other.takeBatch(10);
  assert.deepEqual(quick, slow);
  assert.ok(quick !== undefined);
  await assert.rejects(settleBatch(one, payer, slow), rejectsWith("LEASE_LOST"));
  assert.deepEqual((await one.entries({ account: payer.account, limit: 9 })).length, 1);
  assert.equal((await settleBatch(other, payer, quick))[0]?.state, "settled");
  await assert.rejects(settleBatch(one, payer, slow), rejectsWith("LEASE_LOST"));
  await assert.rejects(settleBatch(other, payer, quick), rejectsWith("LEASE_LOST"), "given back with the commit");
  assert.equal(await other.takeBatch(10), undefined);
  assert.deepEqual(await one.verifyBooks(), { entries: 2, faults: [] });
  await Promise.all([one.close(), other.close()]);
});

test("a database whose clock is set back, or jumps ahead, keeps no partition from being settled, and once", {
  skip,
}, async () => {
  for (const jump of ["- interval '1 day'", "+ interval '1 day'"]) {
    const { schema, one, other } = await openTwo();
    const payer = await openPayer(one);
    await one.receive([aRecord(payer, { paymentId: aPayment(payer, 1).paymentId })]);
    const taken = await one.takeBatch(10);
    assert.ok(taken !== undefined);
    assert.equal(await other.takeBatch(10), undefined);
    // What a lease looks like from then on.
    const moved = `UPDATE partitions SET lease_expires_at = lease_expires_at ${jump} WHERE partition = ${payer.partition}`;
    await asSuperuser(schema, (client) => client.query(moved));
    const again = await other.takeBatch(10);
    assert.deepEqual(again, taken, jump);
    assert.ok(again !== undefined);
    await assert.rejects(settleBatch(one, payer, taken), rejectsWith("LEASE_LOST"));
    assert.equal((await settleBatch(other, payer, again))[0]?.state, "settled");
    assert.deepEqual((await one.verifyBooks()).faults, []);
    await Promise.all([one.close(), other.close()]);
  }
});

test("a worker that ends leaves its partitions to others at once", { skip }, async () => {
  const { one, other } = await openTwo();
  const payer = await openPayer(one);
  await one.receive([aRecord(payer)]);
  assert.ok((await one.takeBatch(10)) !== undefined);
  await one.close();
  assert.equal((await other.takeBatch(10))?.records.length, 1);
  await other.close();
});

test("whoever calls at once, from whichever process: each top-up counts once, one code enrols one device", {
  skip,
}, async () => {
  const { one, other } = await openTwo();
  const stores = [one, other];
  const account = await openAccount(one, { balanceMinor: 0n });
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      stores[index % 2]?.topUp({ account, amountMinor: 10n, idempotencyKey: `${index % 20}`, at: NOW }),
    ),
  );
  assert.equal(answers.filter((answer) => answer === "posted").length, 20);
  assert.equal(answers.filter((answer) => answer === "repeated").length, 20);
  assert.equal((await one.account(account))?.balanceMinor, 200n);

  await one.createEnrolmentCode({ codeHash: "one for all", for: { account }, expiresAt: NOW + DAY });
  const enrolled = await Promise.all(
    Array.from({ length: 10 }, (_, index) =>
      stores[index % 2]?.enrolDevice({
        codeHash: "one for all",
        deviceId: deviceId(500 + index),
        publicKey: someBytes(index),
        protection: 1,
        label: "phone",
        at: NOW,
      }),
    ),
  );
  assert.equal(enrolled.filter((answer) => typeof answer === "object").length, 1);
  assert.equal(enrolled.filter((answer) => answer === "code-used").length, 9);

  const created = await Promise.all(stores.map((store) => store.createPayee(aPayee(7))));
  assert.deepEqual(created.toSorted(), ["created", "exists"]);
  const numbers = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      stores[index % 2]?.createAccount({ name: "Ada", currency: EUR, createdAt: NOW }),
    ),
  );
  assert.equal(new Set(numbers).size, 20);
  assert.deepEqual((await other.verifyBooks()).faults, []);
  await Promise.all(stores.map((store) => store.close()));
});

test("processes that take in the same records in the same moment keep each of them once", { skip }, async () => {
  const { schema, one, other } = await openTwo();
  const payer = await openPayer(one);
  const senders = [terminalId(randomInt(1e9)), terminalId(randomInt(1e9))] as const;
  const [mine, theirs] = senders.map((senderId, index) =>
    aRecord(payer, { senderId, paymentId: aPayment(payer, index + 1).paymentId }),
  );
  assert.ok(mine !== undefined && theirs !== undefined);
  const gate = randomInt(2 ** 47);
  await asSuperuser(schema, async (client) => {
    // Whoever writes to the inbox stops in the middle of it, having looked what is there.
    await client.query(`
      CREATE FUNCTION wait_at_gate() RETURNS trigger LANGUAGE plpgsql
        AS $$ BEGIN PERFORM pg_advisory_xact_lock_shared(${gate}); RETURN NEW; END $$;
      CREATE TRIGGER gate BEFORE INSERT ON inbox FOR EACH ROW EXECUTE FUNCTION wait_at_gate();
      SELECT pg_advisory_lock(${gate});
    `);
    const all = [one.receive([mine]), other.receive([mine]), one.receive([theirs, mine]), other.receive([theirs])];
    const locks = [gate, ...senders.map(keyOf)];
    const waiting = `SELECT count(*)::int AS count FROM pg_locks WHERE locktype = 'advisory' AND NOT granted
      AND (classid::bigint << 32 | objid::bigint) = ANY('{${locks}}'::bigint[])`;
    for (let looks = 0; (await client.query<{ count: number }>(waiting)).rows[0]?.count !== all.length; looks++) {
      assert.ok(looks < 2_000, "all of them come to wait");
      await pause(5);
    }
    await client.query(`SELECT pg_advisory_unlock(${gate})`);
    await Promise.all(all);
    assert.deepEqual((await client.query("SELECT count(*)::int AS count FROM inbox")).rows, [{ count: 2 }]);
  });
  assert.equal(await other.waitingRecords(), 2);
  await Promise.all([one.close(), other.close()]);
});

test("an enrolment that was cut off between its steps is completed by the same key and code", { skip }, async () => {
  const { schema, one, other } = await openTwo();
  const account = await openAccount(one);
  const enrol = (codeHash: string, number: number) =>
    other.enrolDevice({
      codeHash,
      deviceId: deviceId(number),
      publicKey: someBytes(1),
      protection: 1,
      label: "phone",
      at: NOW,
    });
  await one.createEnrolmentCode({ codeHash: "cut off", for: { account }, expiresAt: NOW + DAY });
  const whole = await enrol("cut off", 700);
  await asSuperuser(schema, (client) =>
    client.query(`DELETE FROM devices WHERE device_id = decode('${deviceId(700)}', 'hex')`),
  );
  assert.deepEqual(await enrol("cut off", 700), whole);

  // Cut off even earlier: the key is reserved for a code that was never used up. Another code may have it.
  await one.createEnrolmentCode({ codeHash: "lost", for: { account }, expiresAt: NOW + DAY });
  await one.createEnrolmentCode({ codeHash: "found", for: { account }, expiresAt: NOW + DAY });
  await enrol("lost", 701);
  await asSuperuser(schema, (client) =>
    client.query(`DELETE FROM devices WHERE device_id = decode('${deviceId(701)}', 'hex');
      UPDATE enrolment_codes SET used_by = NULL WHERE code_hash = 'lost'`),
  );
  assert.equal(typeof (await enrol("found", 701)), "object");
  assert.equal(await enrol("lost", 701), "key-known");
  await Promise.all([one.close(), other.close()]);
});

test("a lost COMMIT is done once and answered as if nothing had been lost", { skip }, async () => {
  const { schema, one, other } = await openTwo();
  const account = await openAccount(one, { balanceMinor: 0n });
  const server = new URL(await connectionString());
  const proxy = await CommitProxy.open({ host: server.hostname, port: Number(server.port) });
  server.port = `${proxy.port}`;
  const store = await openPostgresIssuerStore({ connectionString: server.href, schema });
  let number = 0;
  for (const lose of ["reply", "request", "reply", "request"] as const) {
    const lost = proxy.loseNext(lose);
    const topUp = { account, amountMinor: 10n, idempotencyKey: `${number++}`, at: NOW };
    assert.equal(await store.topUp(topUp), "posted");
    await lost;
    assert.equal(await store.topUp(topUp), "repeated");
    const alsoLost = proxy.loseNext(lose);
    assert.equal(await store.createPayee(aPayee(number)), "created");
    await alsoLost;
  }
  assert.equal((await one.account(account))?.balanceMinor, 40n);
  await store.close();
  await proxy.close();
  await Promise.all([one.close(), other.close()]);
});

test("a database that hangs, is away or is newer is said in codes, and nothing is half done", { skip }, async () => {
  const { schema, one, other } = await openTwo();
  const account = await openAccount(one, { balanceMinor: 5n });
  const connection = { connectionString: await connectionString(), schema };
  const hasty = await openPostgresIssuerStore({ ...connection, timeoutSeconds: 1 });
  const topUp = { account, amountMinor: 10n, idempotencyKey: "hangs", at: NOW };
  await asSuperuser(schema, async (client) => {
    await client.query("BEGIN; LOCK TABLE partitions IN ACCESS EXCLUSIVE MODE");
    await assert.rejects(hasty.topUp(topUp), rejectsWith("STORE_TIMEOUT"));
    await client.query("ROLLBACK");
  });
  assert.equal(await one.topUp(topUp), "posted", "not repeated");
  await hasty.close();

  await assert.rejects(
    openPostgresIssuerStore({ connectionString: "postgres://cairn@127.0.0.1:1/none", retrySeconds: 0.1 }),
    rejectsWith("STORE_UNAVAILABLE"),
  );
  await assert.rejects(
    openPostgresIssuerStore({ ...connection, schema: "bad; name" }),
    rejectsWith("STORE_INPUT_INVALID"),
  );
  await asSuperuser(schema, (client) => client.query("INSERT INTO migrations (number, works_from) VALUES (99, 99)"));
  await assert.rejects(openPostgresIssuerStore(connection), rejectsWith("STORE_TOO_NEW"));
  await Promise.all([one.close(), other.close()]);
});

test("connections that the server ends are opened anew, in the middle of work", { skip }, async () => {
  const { schema, one, other } = await openTwo();
  const account = await openAccount(one, { balanceMinor: 0n });
  await asSuperuser(schema, async (client) => {
    for (let number = 0; number < 60; number++) {
      const posting = one.topUp({ account, amountMinor: 1n, idempotencyKey: `${number}`, at: NOW });
      await pause(number % 6);
      await client.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'cairn' AND pid <> pg_backend_pid()",
      );
      assert.equal(await posting, "posted", "never twice, never lost");
    }
  });
  assert.equal((await other.account(account))?.balanceMinor, 60n);
  assert.deepEqual((await other.verifyBooks()).faults, []);
  await Promise.all([one.close(), other.close()]);
});
