import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SqliteIssuerStore } from "@cairn/stores";
import { Backups } from "../src/services/backups.ts";

test("two backups asked for within one second are one copy, and no failure", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-backups-"));
  const store = new SqliteIssuerStore(join(folder, "issuer.sqlite"));
  t.after(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const faults: unknown[] = [];
  const log = { debug: () => {}, info: () => {}, warn: () => {}, error: (fault: unknown) => faults.push(fault) };
  const to = join(folder, "backups");
  const backups = new Backups({ folder: to, store, clock: { nowSeconds: () => 1_800_000_000 }, log });
  const first = await backups.start();
  while (backups.latest?.state === "running") await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(await backups.start(), { file: first.file, state: "done" });
  assert.deepEqual(faults, []);
  assert.equal((await readdir(to)).length, 1);
});
