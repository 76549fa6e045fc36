import assert from "node:assert/strict";
import { mkdtemp, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setImmediate } from "node:timers/promises";
import { SqliteIssuerStore } from "@cairn/stores";
import { Checkpointer } from "../src/issuer/sqlite/checkpointer.ts";
import { NOW } from "./issuer-fixture.ts";

/** What was committed is moved from the log into the file while the store goes on writing. */

const PAGES = 100;
const PAGE_BYTES = 4096;

async function inFolder(work: (path: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-issuer-checkpoint-"));
  try {
    await work(join(folder, "issuer.sqlite"));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

const bytesOf = async (path: string): Promise<number> => (await stat(path)).size;

test(
  "a log that grew long is moved into the file beside whoever writes, and begins anew",
  { skip: process.platform === "win32" },
  () =>
    inFolder(async (path) => {
      const store = new SqliteIssuerStore(path, { checkpointPages: PAGES });
      let written = 0;
      const write = async (): Promise<void> => void (await store.useNonce(`nonce ${written++}`, NOW + 9, NOW));
      while ((await bytesOf(`${path}-wal`)) < PAGES * PAGE_BYTES) await write();
      // Each commit makes the log longer by a page or two, until one is written where it began.
      for (;;) {
        const before = await bytesOf(`${path}-wal`);
        assert.ok(before < 200 * PAGES * PAGE_BYTES, "it does not grow for ever");
        await write();
        if ((await bytesOf(`${path}-wal`)) === before) break;
      }
      assert.ok((await bytesOf(path)) > PAGE_BYTES);
      await store.close();
    }),
);

test("a thread that cannot open the file harms nobody: the log goes on", () =>
  inFolder(async (path) => {
    const sqlite = new DatabaseSync(path);
    sqlite.exec("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE rows (body BLOB)");
    const checkpointer = new Checkpointer(sqlite, join(path, "nowhere"), PAGES);
    const insert = sqlite.prepare("INSERT INTO rows VALUES (zeroblob(3000))");
    for (let row = 0; row < 4 * PAGES; row++) {
      insert.run();
      checkpointer.noteCommit();
      await setImmediate();
    }
    assert.ok((await bytesOf(`${path}-wal`)) > 4 * PAGES * PAGE_BYTES);
    checkpointer.close();
    sqlite.close();
  }));
