import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { openSqliteTerminalJournal, TERMINAL_JOURNAL_FILE } from "@cairn/stores";
import { accept, acceptance, request, SETUP, testTerminalJournal } from "./terminal-journal.suite.ts";

const root = mkdtempSync(join(tmpdir(), "cairn-terminal-"));
after(() => rmSync(root, { recursive: true, force: true }));
const folder = () => mkdtempSync(join(root, "journal-"));

testTerminalJournal("SQLite", async () => openSqliteTerminalJournal(folder()));

/** A journal with one of everything, closed. */
async function filled(): Promise<string> {
  const path = folder();
  const journal = openSqliteTerminalJournal(path);
  await journal.replaceSetup(SETUP, 0);
  await journal.recordRequest(request(1));
  await accept(journal, acceptance(1), 50);
  await journal.close();
  return path;
}

const raw = (path: string) => new DatabaseSync(join(path, TERMINAL_JOURNAL_FILE));

test("SQLite: all is there after closing and opening again", async () => {
  const journal = openSqliteTerminalJournal(await filled());
  assert.deepEqual(await journal.marks(), { setupRevision: 1, issuerTime: 50 });
  assert.deepEqual(await journal.acceptance(acceptance(1).paymentId), acceptance(1));
  assert.deepEqual(await journal.stored(), { count: 1, totalMinor: 80n });
  assert.equal((await journal.requests({ limit: 5 })).length, 1);
  await journal.close();
});

test("SQLite: two open journals of one file see each other's writes at once", async () => {
  const path = await filled();
  const [left, right] = [openSqliteTerminalJournal(path), openSqliteTerminalJournal(path)];
  await accept(left, acceptance(2));
  assert.equal((await right.stored()).count, 2);
  await assert.rejects(accept(right, acceptance(2)));
  await accept(right, acceptance(3));
  assert.equal((await left.acceptances({ limit: 9 })).length, 3);
  await left.close();
  await right.close();
});

test("SQLite: the file is in write-ahead mode", async () => {
  const path = await filled();
  const database = raw(path);
  assert.deepEqual({ ...database.prepare("PRAGMA journal_mode").get() }, { journal_mode: "wal" });
  database.close();
});

test("SQLite: a file of a newer version is not touched", async () => {
  const path = await filled();
  const database = raw(path);
  database.exec("PRAGMA user_version = 99");
  database.close();
  assert.throws(() => openSqliteTerminalJournal(path), { code: "JOURNAL_TOO_NEW" });
});

test("SQLite: a damaged row is told, not believed", async () => {
  const path = await filled();
  const database = raw(path);
  database.exec("UPDATE acceptances SET certificate_id = 'xyz'");
  database.close();
  const journal = openSqliteTerminalJournal(path);
  await assert.rejects(journal.acceptances({ limit: 5 }), { code: "JOURNAL_CORRUPT" });
  await journal.close();
});

test("SQLite: the database itself forbids deleting and changing what must stay", async () => {
  const database = raw(await filled());
  for (const table of ["acceptances", "requests"]) {
    assert.throws(() => database.exec(`DELETE FROM ${table}`), /no record is deleted/);
  }
  assert.throws(() => database.exec("UPDATE acceptances SET taken_minor = 81"), /a capture never changes/);
  assert.throws(() => database.exec("UPDATE acceptances SET taken_minor = NULL"), /a capture never changes/);
  database.close();
});
