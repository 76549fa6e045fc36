import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { MessageId, TerminalId } from "@cairn/messages";
import { SqliteIssuerStore } from "@cairn/stores";

const main = fileURLToPath(new URL("../../../cairn/src/main.ts", import.meta.url));
const cairn = (...words: readonly string[]) => spawnSync(process.execPath, [main, ...words], { encoding: "utf8" });
const json = (...words: readonly string[]) => {
  const { status, stdout } = cairn(...words, "--json");
  return { status, said: JSON.parse(stdout) };
};

test("a damaged payment index is found by the audit and written anew by the command that the audit names", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-rebuild-index-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "issuer.sqlite");
  const sizes = { portionEntries: 10, mergedRuns: 2, recordsAStep: 1 };
  const store = new SqliteIssuerStore(file, { indexSizes: sizes });
  const id = (number: number): string => number.toString(16).padStart(64, "a1b2c3d4");
  for (let number = 1; number <= 10; number++)
    await store.receive([
      {
        inboxId: 0,
        partition: 1,
        recordHash: id(number),
        broughtBy: "terminal",
        senderId: "t" as TerminalId,
        paymentId: id(number) as MessageId,
        receivedAt: 1,
        bytes: Uint8Array.of(number),
      },
    ]);
  const inUse = json("issuer", "rebuild-index", "--data", folder);
  assert.deepEqual([inUse.status, inUse.said.code], [1, "STORE_IN_USE"]);
  assert.match(inUse.said.next, /Stop the issuer/);
  await store.close();

  const database = new DatabaseSync(file);
  assert.equal(database.prepare("UPDATE payment_index_pages SET entries = x'00'").run().changes, 1);
  database.close();
  const damaged = cairn("ledger", "verify", "--file", file);
  assert.equal(damaged.status, 1, damaged.stderr);
  assert.match(damaged.stdout, /The payment index does not find 10 records, of which the first is 1\./);
  assert.match(damaged.stdout, /written anew, the issuer stopped, by: cairn issuer rebuild-index/);

  const { status, said } = json("issuer", "rebuild-index", "--data", folder);
  assert.deepEqual([status, said.ok, said.file, said.records], [0, true, file, 10]);
  const { said: verified } = json("ledger", "verify", "--file", file);
  assert.deepEqual(
    verified.faults.filter((fault: string) => fault.includes("index")),
    [],
  );
  const missing = json("issuer", "rebuild-index", "--data", join(folder, "none"));
  assert.deepEqual([missing.status, missing.said.code], [2, "FILE_MISSING"]);
});
