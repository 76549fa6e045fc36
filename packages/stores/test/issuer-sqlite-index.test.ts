import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import type { MessageId } from "@cairn/messages";
import { SqliteIssuerStore } from "@cairn/stores";
import fc from "fast-check";
import { LAYOUT } from "../src/issuer/layout.ts";
import { keyOf } from "../src/issuer/payment-key.ts";
import { Database } from "../src/issuer/sqlite/database.ts";
import {
  countBelow,
  MAXIMUM_INBOX_ID,
  packEntries,
  unpackEntries,
} from "../src/issuer/sqlite/payment-index/entries.ts";
import { filterOf, marksOf, mayHold } from "../src/issuer/sqlite/payment-index/key-filter.ts";
import { PaymentIndex, writeWhole } from "../src/issuer/sqlite/payment-index/payment-index.ts";
import { MIGRATIONS } from "../src/issuer/sqlite/schema.ts";
import { booksSuite } from "./issuer-books.suite.ts";
import { aPayment, aRecord, openPayer, settleItems } from "./issuer-fixture.ts";
import { rejectsWith } from "./issuer-members.suite.ts";
import { settlementSuite } from "./issuer-settlement.suite.ts";

/** Everything a store has to do with runs that are written, merged and cleared away all the time. */
const SMALL = { portionEntries: 2, mergedRuns: 2, recordsAStep: 1 };
settlementSuite("sqlite, its index in small portions", () => new SqliteIssuerStore(":memory:", { indexSizes: SMALL }));
booksSuite("sqlite, its index in small portions", () => new SqliteIssuerStore(":memory:", { indexSizes: SMALL }));

const NEVER = { portionEntries: Number.POSITIVE_INFINITY, mergedRuns: 2, recordsAStep: 1 };
const KEYS = 2 ** 52;

/** A record as `Inbox` writes it, as far as the index looks at it. */
function write(database: Database, index: PaymentIndex, key: number, inboxId: number): void {
  database.run("INSERT INTO inbox VALUES (?, 1, '', 'terminal', '', NULL, ?, 0, x'00')", inboxId, key);
  index.add(key, inboxId);
}

const found = (index: PaymentIndex, key: number): number[] => index.find(key).sort((one, other) => one - other);

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-payment-index-"));
  try {
    await work(join(folder, "issuer.sqlite"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

test("entries are read back as they were written, the lowest and the highest too", () => {
  const keys = Float64Array.of(0, 1, 2 ** 20 - 1, 2 ** 20, KEYS - 1);
  const inboxIds = Float64Array.of(MAXIMUM_INBOX_ID, 1, 2 ** 32 - 1, 2 ** 32, MAXIMUM_INBOX_ID);
  assert.deepEqual(unpackEntries(packEntries({ keys, inboxIds }, 0, 5)), { keys, inboxIds });
  assert.deepEqual(unpackEntries(packEntries({ keys, inboxIds }, 1, 3)).keys, keys.slice(1, 3));
  for (const [index, key] of keys.entries()) {
    assert.equal(countBelow(keys, key), index);
    assert.equal(countBelow(keys, key + 0.5), index + 1);
  }
});

test("a filter lets through every key that it was made of, and few others, spread wide or side by side", () => {
  for (const step of [1, 2 ** 20 + 7, KEYS / 25_000]) {
    const key = (number: number): number => Math.floor(number * step);
    const filter = filterOf(Float64Array.from({ length: 20_000 }, (_, number) => key(number)));
    for (let number = 0; number < 20_000; number++) assert.ok(mayHold(filter, marksOf(key(number))));
    let others = 0;
    for (let number = 20_000; number < 25_000; number++) if (mayHold(filter, marksOf(key(number)))) others++;
    assert.ok(others < 100, `${others} of 5000 others`);
  }
});

type Step = { readonly add: number } | "step" | "undo" | "reopen";
/** Of what is undone, and of nothing else: its entries may stay, since whoever looks up reads the record. */
const UNDONE_KEY = 5;
/** Half of the payments have one of two keys: their records lie in every run, and at the place where a merge stops. */
const addArbitrary = fc
  .oneof(fc.integer({ min: 0, max: 1 }), fc.integer({ min: 0, max: 12 }))
  .map((number) => ({ add: number * (KEYS / 16) }));
const stepArbitrary = fc.oneof(
  { weight: 8, arbitrary: addArbitrary },
  { weight: 6, arbitrary: fc.constant("step" as const) },
  { weight: 1, arbitrary: fc.constant("undo" as const) },
  { weight: 2, arbitrary: fc.constant("reopen" as const) },
);

test("every record is found, whatever was written, merged, undone and opened anew in between", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(stepArbitrary, { maxLength: 80 }), async (steps: readonly Step[]) => {
      const database = new Database(":memory:");
      let index = new PaymentIndex(database, SMALL);
      const expected = new Map<number, number[]>();
      let newest = 0;
      for (const step of steps) {
        if (step === "step") index.step();
        else if (step === "reopen") {
          index = new PaymentIndex(database, SMALL);
          newest = Math.max(0, ...[...expected.values()].flat());
        } else if (step === "undo") {
          // Numbers that were undone are not given again until the file is opened anew.
          const undone = ++newest;
          const undo = (): void =>
            database.transaction(() => {
              write(database, index, UNDONE_KEY, undone);
              throw new RangeError("undone");
            });
          assert.throws(undo, /undone/);
        } else {
          const inboxId = ++newest;
          database.transaction(() => write(database, index, step.add, inboxId));
          expected.set(step.add, [...(expected.get(step.add) ?? []), inboxId]);
        }
      }
      assertFindsAll(index, expected);
      const reopened = new PaymentIndex(database, SMALL);
      assertFindsAll(reopened, expected);
      while (reopened.step());
      assertFindsAll(reopened, expected);
      database.close();
    }),
    {
      numRuns: 300,
      examples: [
        // A number that was undone, written to a run, and given to another record once the file was opened anew.
        [[{ add: 0 }, "undo", "step", "reopen", { add: 0 }, "undo"]],
        // A merge that is taken up again in the middle of a key.
        [[{ add: 0 }, { add: 0 }, "step", { add: 0 }, { add: 0 }, "step", "step", "reopen"]],
      ],
    },
  );
});

function assertFindsAll(index: PaymentIndex, expected: ReadonlyMap<number, readonly number[]>): void {
  const isThere = new Set([...expected.values()].flat());
  for (let number = 0; number <= 13; number++) {
    const key = number * (KEYS / 16);
    assert.deepEqual(
      found(index, key).filter((inboxId) => isThere.has(inboxId)),
      expected.get(key) ?? [],
    );
  }
  const shared = [...expected].filter(([, inboxIds]) => inboxIds.length > 1);
  assert.deepEqual(
    [...index.shared()].filter(({ key }) => key !== UNDONE_KEY).map(({ key, inboxId }) => [key, inboxId]),
    shared.sort(([one], [other]) => one - other).flatMap(([key, ids]) => ids.map((inboxId) => [key, inboxId])),
  );
}

test("of thousands of records each is found, also of a key that fills pages; what was merged leaves nothing behind", () => {
  const database = new Database(":memory:");
  const sizes = { portionEntries: 1_500, mergedRuns: 3, recordsAStep: 100 };
  const index = new PaymentIndex(database, sizes);
  const same = 7 * 2 ** 40;
  const keyOfRecord = (inboxId: number): number => (inboxId % 10 === 0 ? same : (inboxId * 0x9e37_79b9_7f4a) % KEYS);
  for (let first = 1; first <= 30_000; first += 100) {
    database.transaction(() => {
      for (let inboxId = first; inboxId < first + 100; inboxId++) write(database, index, keyOfRecord(inboxId), inboxId);
    });
    index.keepUp(100);
  }
  while (index.step());
  const look = (from: PaymentIndex): void => {
    for (let inboxId = 1; inboxId <= 30_000; inboxId += 37)
      if (inboxId % 10 !== 0) assert.deepEqual(found(from, keyOfRecord(inboxId)), [inboxId]);
    assert.deepEqual(
      found(from, same),
      Array.from({ length: 3_000 }, (_, number) => 10 * (number + 1)),
    );
    assert.equal([...from.shared()].length, 3_000);
  };
  look(index);
  look(new PaymentIndex(database, sizes));
  const kept = database.get("SELECT sum(length(entries)) AS bytes FROM payment_index_pages")?.bytes;
  assert.equal(kept, BigInt(30_000 * 12), "each entry once");
  database.close();
});

test("a step for which there is no room is taken later, and nothing is missed meanwhile", () => {
  const database = new Database(":memory:");
  const index = new PaymentIndex(database, { portionEntries: 400, mergedRuns: 2, recordsAStep: 1 });
  const writeSome = (first: number): void =>
    database.transaction(() => {
      for (let inboxId = first; inboxId < first + 400; inboxId++) write(database, index, inboxId * 1_000, inboxId);
    });
  const limit = (pages: number): void => void database.run(`PRAGMA max_page_count = ${pages}`);
  const look = (): void => {
    for (let inboxId = 1; inboxId <= 1_200; inboxId++) assert.deepEqual(found(index, inboxId * 1_000), [inboxId]);
  };
  writeSome(1);
  assert.ok(index.step());
  writeSome(401);
  assert.ok(index.step());
  writeSome(801);
  // With two runs that are to be merged and a portion that is to be written.
  limit(1);
  assert.throws(() => index.step(), rejectsWith("STORE_FULL"));
  index.keepUp(1);
  look();
  limit(100_000);
  while (index.step()) {
    look();
    limit(1);
    try {
      index.step();
    } catch (error) {
      assert.ok(rejectsWith("STORE_FULL")(error));
    }
    limit(100_000);
  }
  look();
  const runs = database.all("SELECT level, state FROM payment_index_runs ORDER BY run");
  assert.deepEqual(
    runs.map(({ level, state }) => [level, state]),
    [
      [0n, "whole"],
      [1n, "whole"],
    ],
  );
  database.close();
});

test("a file with records and the index of before is brought to this one: each record is found, and is a repetition", () =>
  inFolder(async (path) => {
    const store = new SqliteIssuerStore(path, { indexSizes: NEVER });
    const payer = await openPayer(store);
    await settleItems(store, payer, [aPayment(payer, 1), aPayment(payer, 2)]);
    const record = aRecord(payer, { paymentId: aPayment(payer, 3).paymentId });
    await store.receive([record]);
    const look = async (from: SqliteIssuerStore) => {
      const paymentIds = [1, 2, 3].map((number) => aPayment(payer, number).paymentId);
      return {
        outcomes: await from.outcomes(paymentIds),
        evidence: await Promise.all(paymentIds.map((id) => from.evidence(id))),
      };
    };
    const before = await look(store);
    await store.close();
    const added = MIGRATIONS.findIndex((migration) => String(migration).includes("CREATE TABLE payment_index_pages"));
    const old = new DatabaseSync(path);
    old.exec(`DROP TABLE payment_index_pages; DROP TABLE payment_index_segments; DROP TABLE payment_index_runs;
      CREATE INDEX inbox_by_payment ON inbox (payment_key);
      PRAGMA application_id = ${0x43_52_4e_00 + LAYOUT}; PRAGMA user_version = ${added}`);
    old.close();
    const reopened = new SqliteIssuerStore(path);
    assert.deepEqual(await look(reopened), before);
    await reopened.receive([record]);
    assert.equal(await reopened.waitingRecords(), 1);
    await reopened.close();
    const now = new DatabaseSync(path);
    assert.deepEqual(
      now
        .prepare("SELECT level, up_to, state FROM payment_index_runs")
        .all()
        .map((row) => ({ ...row })),
      [{ level: 0, up_to: 3, state: "whole" }],
    );
    now.close();
  }));

test("payments whose ids begin alike are told apart", async () => {
  const store = new SqliteIssuerStore(":memory:", { indexSizes: SMALL });
  const payer = await openPayer(store);
  const ids = ["1", "2", "3"].map((end) => `${"ab".repeat(16)}${end.repeat(32)}` as MessageId);
  assert.equal(new Set(ids.map(keyOf)).size, 1);
  const records = ids.map((paymentId) => aRecord(payer, { paymentId }));
  await store.receive(records);
  await store.receive(records);
  assert.equal(await store.waitingRecords(), 3);
  for (const paymentId of ids) {
    assert.deepEqual(
      (await store.evidence(paymentId)).map((record) => record.paymentId),
      [paymentId],
    );
    assert.deepEqual(
      (await store.outcomes([paymentId])).map((outcome) => outcome.paymentId),
      [paymentId],
    );
  }
  await store.close();
});

test("the index of a whole inbox is written in one go where there is none yet", () => {
  const database = new Database(":memory:");
  const unindexed = new PaymentIndex(database, NEVER);
  for (let inboxId = 1; inboxId <= 1_000; inboxId++)
    write(database, unindexed, (inboxId * 0x9e37_79b9) % KEYS, inboxId);
  database.transaction(() =>
    writeWhole(database, database.iterate("SELECT payment_key, inbox_id FROM inbox ORDER BY payment_key, inbox_id")),
  );
  const index = new PaymentIndex(database);
  for (let inboxId = 1; inboxId <= 1_000; inboxId++)
    assert.deepEqual(index.find((inboxId * 0x9e37_79b9) % KEYS), [inboxId]);
  database.close();
});
