import assert from "node:assert/strict";
import { test } from "node:test";
import { Database } from "../src/issuer/sqlite/database.ts";
import { RowWriter } from "../src/issuer/sqlite/row-writer.ts";

type Nonce = readonly [partition: number, nonce: string, expiresAt: number];

function write(database: Database, nonces: readonly Nonce[]): void {
  database.transaction(() => {
    const rows = new RowWriter(database, "nonces", 3);
    for (const nonce of nonces) rows.add(...nonce);
    rows.flush();
  });
}

const written = (database: Database): unknown[] =>
  database.all("SELECT nonce FROM nonces ORDER BY expires_at").map(({ nonce }) => nonce);
const some = (count: number): Nonce[] => Array.from({ length: count }, (_, index) => [1, `nonce ${index}`, index]);
const names = (nonces: readonly Nonce[]): string[] => nonces.map(([, nonce]) => nonce);

test("rows that are written together are all there, however many do not fill a statement", () => {
  for (const count of [0, 1, 7, 8, 9, 16, 19]) {
    const database = new Database(":memory:");
    write(database, some(count));
    assert.deepEqual(written(database), names(some(count)));
    database.close();
  }
});

test("a row that is refused takes the whole transaction along, the rows of its own statement too", () => {
  const database = new Database(":memory:");
  write(database, some(3));
  for (const place of [0, 5, 10]) {
    const nonces = some(20).map(([partition, nonce, at]): Nonce => [partition, `new ${nonce}`, at]);
    nonces[place] = [1, "nonce 2", 2];
    assert.throws(() => write(database, nonces), /UNIQUE/);
    assert.deepEqual(written(database), names(some(3)), `place ${place}`);
  }
  database.close();
});
