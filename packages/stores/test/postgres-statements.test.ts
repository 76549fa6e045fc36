import assert from "node:assert/strict";
import { test } from "node:test";
import { Database } from "../src/issuer/postgres/database.ts";
import { connectionString, newSchema, noPostgres } from "./postgres-for-tests.ts";

const skip = noPostgres ?? false;

test("a transaction that fails in the midst of what was sent together leaves its connection as it was", {
  skip,
}, async (t) => {
  const database = new Database({
    connectionString: await connectionString(),
    schema: newSchema(),
    maximumConnections: 1,
  });
  t.after(() => database.close());
  const leftOut = "SELECT $1::bigint + 1 AS next";
  for (const inOneTurn of [true, false]) {
    const failing = database.inPartition(3, async (session) => {
      session.later("SELECT 1 / $1::bigint AS nothing", 0);
      session.later(leftOut, 4);
      if (inOneTurn) throw new Error("given up");
      await session.all(leftOut, 5);
    });
    await assert.rejects(failing, inOneTurn ? /given up/ : /division by zero/);
    assert.deepEqual(await database.all(leftOut, 6), [{ next: 7n }]);
    assert.deepEqual(await database.inPartition(3, (session) => session.all(leftOut, 7)), [{ next: 8n }]);
  }
});

test("a transaction that is over sends nothing more into the next one of its connection", { skip }, async (t) => {
  const database = new Database({ connectionString: await connectionString(), schema: newSchema() });
  t.after(() => database.close());
  let late: (() => Promise<unknown>) | undefined;
  const failing = database.inPartition(3, async (session) => {
    late = () => session.all("SELECT 1 AS one");
    throw new Error("given up");
  });
  await assert.rejects(failing, /given up/);
  assert.ok(late !== undefined);
  await assert.rejects(late(), /over/);
});

test("what the database refuses only as it commits is no success", { skip }, async (t) => {
  const database = new Database({ connectionString: await connectionString(), schema: newSchema() });
  t.after(() => database.close());
  await database.run("CREATE TABLE once (number bigint UNIQUE DEFERRABLE INITIALLY DEFERRED)");
  const insert = "INSERT INTO once (number) VALUES ($1)";
  assert.equal(await database.run(insert, 1), 1);
  await assert.rejects(database.run(insert, 1), /duplicate key/);
  await assert.rejects(database.together([{ text: insert, values: [1] }]), /duplicate key/);
  assert.deepEqual(await database.all("SELECT number FROM once"), [{ number: 1n }]);
});
