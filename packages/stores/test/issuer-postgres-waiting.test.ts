import assert from "node:assert/strict";
import { test } from "node:test";
import { settle } from "@cairn/settle";
import { type InboxRecord, type IssuerStore, openPostgresIssuerStore } from "@cairn/stores";
import { Client } from "pg";
import { aRecord, NOW, POLICY, someBytes } from "./issuer-fixture.ts";
import { connectionString, newSchema, noPostgres } from "./postgres-for-tests.ts";

const skip = noPostgres ?? false;

const record = (partition: number, number: number): InboxRecord =>
  aRecord({ partition }, { receivedAt: NOW + number, bytes: someBytes(number) });
const numbers = (records: readonly InboxRecord[] = []): number[] => records.map(({ receivedAt }) => receivedAt - NOW);

async function done(store: IssuerStore, partition: number, records: readonly InboxRecord[]): Promise<void> {
  const decide: Parameters<IssuerStore["settle"]>[0]["decide"] = (state, items) =>
    settle(state, items, { now: NOW, policy: POLICY });
  await store.settle({ partition, records, items: [], rejected: [], at: NOW, decide });
}

async function opened() {
  const connection = { connectionString: await connectionString(), schema: newSchema() };
  const [store, other] = [await openPostgresIssuerStore(connection), await openPostgresIssuerStore(connection)];
  /** As a program of before: it says nothing of rows that stand for several records. */
  const old = new Client({
    connectionString: connection.connectionString,
    options: `-c search_path=${connection.schema}`,
  });
  await old.connect();
  return { store, other, old, close: () => Promise.all([store.close(), other.close(), old.end()]) };
}

test("of records that came in together each waits until it is settled itself", { skip }, async () => {
  const { store, other, old, close } = await opened();
  const all = [1, 2, 3, 4, 5, 6, 7].map((number) => record(3, number));
  await store.receive(all.filter((each) => [2, 5].includes(each.receivedAt - NOW)));
  await done(store, 3, (await store.takeBatch(10))?.records ?? []);
  // Two of these are there already, and their numbers stay free.
  await store.receive(all);
  assert.equal((await old.query("SELECT * FROM inbox_waiting")).rows.length, 1, "one row for all of them");
  assert.equal(await store.waitingRecords(), 5);
  const five = (await store.takeBatch(10))?.records ?? [];
  assert.deepEqual(numbers(five), [1, 3, 4, 6, 7]);
  const [one, three, four, six, seven] = five;
  assert.ok(one !== undefined && three !== undefined && four !== undefined && six !== undefined && seven !== undefined);
  await store.postpone({ partition: 3, inboxIds: [four.inboxId], until: 200 });
  assert.equal(await store.waitingRecords(), 5);
  await done(store, 3, [three]);
  assert.equal(await store.waitingRecords(), 4);
  // Another process reads them all from the inbox.
  assert.deepEqual(numbers((await other.takeBatch(10, { now: 199 }))?.records), [1, 6, 7]);
  await done(other, 3, [one, seven]);
  assert.deepEqual((await store.verifyBooks()).faults, []);
  assert.deepEqual(numbers((await store.takeBatch(10, { now: 200 }))?.records), [4, 6]);
  await done(store, 3, [one, three, four, six]);
  assert.equal(await store.waitingRecords(), 0);
  assert.equal((await old.query("SELECT * FROM inbox_answers")).rows.length, 7, "each was answered once");
  assert.deepEqual((await store.verifyBooks()).faults, []);
  await close();
});

test("a batch is no larger than it may be, however many records came in together", { skip }, async () => {
  const { store, other, close } = await opened();
  const many = Array.from({ length: 1_500 }, (_, index) => record(4, index));
  await store.receive(many);
  assert.equal(await store.waitingRecords(), 1_500);
  const seen: number[] = [];
  for (let turn = 0; ; turn++) {
    const from = turn % 2 === 0 ? store : other;
    const batch = await from.takeBatch(400);
    if (batch === undefined) break;
    assert.ok(batch.records.length <= 400);
    seen.push(...numbers(batch.records));
    await done(from, 4, batch.records);
  }
  assert.deepEqual(
    seen.toSorted((left, right) => left - right),
    numbers(many),
  );
  assert.deepEqual((await store.verifyBooks()).faults, []);
  await close();
});

test("a program from before rows stood for several records brings and settles beside this one", { skip }, async () => {
  const { store, old, close } = await opened();
  await store.receive([1, 2, 3].map((number) => record(6, number)));
  const waiting = async () => {
    const { rows } = await old.query<{ inbox_id: string }>("SELECT inbox_id FROM inbox_waiting ORDER BY inbox_id");
    return rows.map(({ inbox_id }) => Number(inbox_id));
  };
  const [first, ...none] = await waiting();
  assert.deepEqual(none, []);
  const settledByOld = `WITH done AS (
      DELETE FROM inbox_waiting WHERE partition = 6 AND inbox_id = ANY($1::bigint[]) RETURNING inbox_id
    ) INSERT INTO inbox_answers (partition, inbox_id, decided_at, state) SELECT 6, inbox_id, 1, 'noted' FROM done`;
  await old.query(settledByOld, [[first]]);
  assert.deepEqual(numbers((await store.takeBatch(10))?.records), [2, 3]);
  await old.query(`WITH written AS (
      INSERT INTO inbox (partition, record_hash, brought_by, sender_id, payment_id, payment_key, received_at, bytes)
        VALUES (6, '\\x0b', 'payer', '\\x0c', NULL, 11, ${NOW + 4}, '\\x0d') RETURNING partition, inbox_id
    ) INSERT INTO inbox_waiting (partition, inbox_id) SELECT partition, inbox_id FROM written`);
  assert.equal(await store.waitingRecords(), 3);
  const three = (await store.takeBatch(10))?.records ?? [];
  assert.deepEqual(new Set(numbers(three)), new Set([2, 3, 4]));
  assert.deepEqual((await store.verifyBooks()).faults, []);
  await old.query(settledByOld, [await waiting()]);
  await old.query(settledByOld, [await waiting()]);
  assert.equal(await store.waitingRecords(), 0);
  assert.deepEqual((await store.verifyBooks()).faults, []);
  await close();
});
