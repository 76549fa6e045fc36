import assert from "node:assert/strict";
import { cp, mkdtemp, readdir, readFile, rename, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { hasPostgresServer, startPostgresServer } from "../../../scripts/postgres-server.ts";
import { ClientError } from "../src/client/client-error.ts";
import { OperatorClient } from "../src/client/operator-client.ts";
import { cairn, end } from "./support/processes.ts";
import { EUR } from "./support/values.ts";

const skip = hasPostgresServer() ? false : "no PostgreSQL server for this platform";

/** An issuer is backed up while it runs, its database is lost, and another goes on with the backup and the keys. */
async function backUpAndRestore(t: TestContext, stores: { before: string | undefined; after: string | undefined }) {
  const folder = await mkdtemp(join(tmpdir(), "cairn-backing-up-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const [data, other, file] = ["issuer", "other", "copy"].map((name) => join(folder, name));
  assert.ok(data !== undefined && other !== undefined && file !== undefined);
  const start = (at: string, store: string | undefined) =>
    cairn(
      t,
      store,
      "start",
      "--data",
      at,
      "--port",
      "0",
      "--log-level",
      "silent",
      "--public-url",
      "https://issuer.example",
    );

  const running = await start(data, stores.before);
  const token = (await readFile(join(data, "operator-token"), "utf8")).trim();
  const operator = new OperatorClient({ url: running.url, token });
  const { account } = await operator.createAccount({ name: "Ada", currency: EUR });
  await operator.topUp(account, { amountMinor: 3_000n, idempotencyKey: "first" });
  const keys = await operator.keys();
  await cairn(t, stores.before, "backup", file, "--data", data);
  await assert.rejects(cairn(t, stores.before, "backup", file, "--data", data), /FILE_EXISTS/);
  await operator.topUp(account, { amountMinor: 7n, idempotencyKey: "after the backup" });
  assert.deepEqual(await readdir(join(data, "backups")).catch(() => []), []);
  await end(running.child, "SIGKILL");

  const { answer } = await cairn(t, stores.after, "restore-backup", file, "--data", other);
  assert.equal(answer.entries, 1);
  await assert.rejects(
    cairn(t, stores.after, "restore-backup", file, "--data", other),
    /FILE_EXISTS|STORE_INPUT_INVALID/,
  );
  await assert.rejects(start(other, stores.after), /KEY_FILE_MISSING/);
  for (const kept of ["keys", "operator-token"]) await cp(join(data, kept), join(other, kept), { recursive: true });
  const restored = await start(other, stores.after);
  const again = new OperatorClient({ url: restored.url, token });
  assert.equal((await again.account(account)).balanceMinor, 3_000n);
  assert.deepEqual((await again.keys()).keys, keys.keys);
  assert.deepEqual((await again.verifyBooks()).faults, []);
  return again;
}

test("the embedded database is backed up while the issuer runs, and restored", async (t) => {
  await backUpAndRestore(t, { before: undefined, after: undefined });
});

test("a file of an earlier build is not restored, says so, and stands in nobody's way", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-backing-up-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 5 }));
  const [file, data] = [join(folder, "old.sqlite"), join(folder, "issuer")];
  const old = new DatabaseSync(file);
  old.exec("CREATE TABLE accounts (account INTEGER PRIMARY KEY) STRICT; PRAGMA user_version = 5");
  old.close();
  await assert.rejects(cairn(t, undefined, "restore-backup", file, "--data", data), /STORE_TOO_OLD/);
  assert.deepEqual(await readdir(data), []);
  await rename(file, join(data, "issuer.sqlite"));
  await assert.rejects(cairn(t, undefined, "start", "--data", data, "--port", "0"), /STORE_TOO_OLD/);
});

test("a PostgreSQL database is backed up while the issuer runs, and restored", { skip }, async (t) => {
  const [lost, fresh] = await Promise.all([0, 1].map(() => startPostgresServer({ settings: { fsync: "off" } })));
  assert.ok(lost !== undefined && fresh !== undefined);
  t.after(() => Promise.all([lost.stop(), fresh.stop()]));
  const operator = await backUpAndRestore(t, { before: lost.connectionString, after: fresh.connectionString });
  await assert.rejects(
    operator.startBackup(),
    (error) => error instanceof ClientError && error.code === "BACKUP_ELSEWHERE",
  );
});
