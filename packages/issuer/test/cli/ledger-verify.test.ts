import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SqliteIssuerStore } from "@cairn/stores";
import { EUR } from "../support/values.ts";

const main = fileURLToPath(new URL("../../../cairn/src/main.ts", import.meta.url));
const verify = (...options: readonly string[]) =>
  spawnSync(process.execPath, [main, "ledger", "verify", "--json", ...options], { encoding: "utf8" });

test("an auditor verifies a file; one row changed by hand is named, with exit code 1", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-audit-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "issuer.sqlite");
  const store = new SqliteIssuerStore(file);
  const account = await store.createAccount({ name: "Ada", currency: EUR, createdAt: 1 });
  for (const key of ["a", "b", "c"]) await store.topUp({ account, amountMinor: 10n, idempotencyKey: key, at: 1 });
  await store.close();

  const sound = verify("--file", file);
  assert.equal(sound.status, 0, sound.stderr);
  const { sound: isSound, entries, signatures, faults } = JSON.parse(sound.stdout);
  assert.deepEqual([isSound, entries, signatures, faults], [true, 3, null, []]);

  const database = new DatabaseSync(file);
  database.exec(
    "DROP TRIGGER entries_never_change; UPDATE entries SET reference = reference || 'x' WHERE entry_id = 2",
  );
  database.close();
  const tampered = verify("--file", file);
  assert.equal(tampered.status, 1, tampered.stderr);
  const told = JSON.parse(tampered.stdout);
  assert.equal(told.sound, false);
  assert.match(told.faults.join("\n"), /^Entry 2 is not what was written/m);

  const unlisted = verify("--file", file, "--signatures", "--data", folder);
  assert.deepEqual([unlisted.status, JSON.parse(unlisted.stdout).code], [2, "TRUST_LIST_UNREADABLE"]);

  const missing = verify("--file", join(folder, "none.sqlite"));
  assert.deepEqual([missing.status, JSON.parse(missing.stdout).code], [2, "FILE_MISSING"]);
});
