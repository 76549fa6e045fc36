import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { SqliteIssuerStore } from "@cairn/stores";
import { OperatorClient } from "../../src/client/operator-client.ts";
import { PASSPHRASE } from "../support/issuer.ts";
import { EUR } from "../support/values.ts";

const PROGRAM = fileURLToPath(new URL("../../../cairn/src/main.ts", import.meta.url));
const isTraceable = spawnSync("strace", ["-o", "/dev/null", "true"], { stdio: "ignore" }).status === 0;
/** More flushes than a start makes, few enough to be reached at once. */
const FLUSHES = 60;

test("an issuer whose disk fails to keep what was written ends by itself, says what to do, and has all that it told", {
  skip: isTraceable ? false : "there is no strace, or it may not trace",
}, async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-losing-the-disk-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const fault = ["-e", "trace=fdatasync", "-e", `inject=fdatasync:error=EIO:when=${FLUSHES}+`];
  const child = spawn(
    "strace",
    [
      "-f",
      "-qq",
      "-o",
      "/dev/null",
      ...fault,
      process.execPath,
      PROGRAM,
      "issuer",
      "start",
      "--data",
      folder,
      "--port",
      "0",
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: { ...process.env, NODE_NO_WARNINGS: "1", CAIRN_PASSPHRASE: PASSPHRASE } },
  );
  t.after(() => child.kill("SIGKILL"));
  let said = "";
  child.stderr.on("data", (chunk: Buffer) => {
    said += chunk.toString();
  });
  const exited = once(child, "exit");
  let url: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    url = /http:\/\/\S+?(?= )/.exec(line)?.[0];
    if (url !== undefined) break;
  }
  assert.ok(url !== undefined, said);
  const token = (await readFile(join(folder, "operator-token"), "utf8")).trim();
  const operator = new OperatorClient({ url, token });
  const { account } = await operator.createAccount({ name: "Ada", currency: EUR });
  let told = 0n;
  await assert.rejects(
    async () => {
      for (let count = 0; count < 10 * FLUSHES; count++) {
        await operator.topUp(account, { amountMinor: 1n, idempotencyKey: `${count}` });
        told++;
      }
    },
    { code: "STORE_UNAVAILABLE" },
  );
  assert.ok(told > 0n);
  const [code] = await exited;
  assert.equal(code, 1);
  assert.match(said, /The disk failed to keep what was written last\. Look at the disk and start the program again/);

  const store = new SqliteIssuerStore(join(folder, "issuer.sqlite"));
  t.after(() => store.close());
  const [kept] = await store.accounts();
  assert.ok(kept !== undefined && kept.balanceMinor >= told, `${kept?.balanceMinor} of ${told}`);
  assert.deepEqual((await store.verifyBooks()).faults, []);
});
