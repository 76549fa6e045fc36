import assert from "node:assert/strict";
import { test } from "node:test";
import { openPostgresIssuerStore } from "@cairn/stores";
import { hasPostgresServer, startPostgresServer } from "../../../scripts/postgres-server.ts";
import { streamUpload } from "../src/client/stream-upload.ts";
import { eventually } from "./support/issuer.ts";
import { crypto } from "./support/values.ts";
import { makeWorld } from "./support/world.ts";

const skip = hasPostgresServer() ? false : "no PostgreSQL server for this platform";

test("a database that hangs, is killed and comes back: callers are told in codes, and the same upload again ends in the same answer", {
  skip,
}, async (t) => {
  const server = await startPostgresServer();
  let isStopped = false;
  t.after(async () => {
    if (!isStopped) await server.stop();
  });
  const store = await openPostgresIssuerStore({ connectionString: server.connectionString, retrySeconds: 1 });
  const world = await makeWorld(t, { store });
  const { issuer, terminal, wallet } = world;
  await wallet.sync();
  const records: Uint8Array[] = [];
  const ids: Parameters<typeof terminal.client.outcomes>[0][number][] = [];
  for (let sale = 0; sale < 4; sale++) {
    const request = await terminal.request(100n);
    const paid = await wallet.pay(request);
    records.push(terminal.record(request, wallet.held(), paid));
    ids.push(paid.messageId);
  }
  const ready = async () => (await fetch(`${issuer.url}/ready`)).status;
  const metrics = async () =>
    (await fetch(`${issuer.url}/metrics`, { headers: { authorization: `Bearer ${issuer.operatorToken}` } })).text();
  assert.equal(await ready(), 200);

  // It hangs: nobody is told anything untrue, and what was asked meanwhile is done once it goes on.
  const thaw = await server.freeze();
  const uploading = terminal.client.upload(records.slice(0, 2));
  assert.equal(await ready(), 503);
  thaw();
  assert.ok((await uploading).records.every(({ state }) => state === "received"));
  await eventually(async () => (await ready()) === 200);

  // It is killed: calls and streams are turned away with a code, and the process says what it is that is away.
  await server.kill();
  await assert.rejects(terminal.client.upload(records), { code: "STORE_UNAVAILABLE" });
  async function* portions() {
    yield records;
  }
  const connection = { url: issuer.url, signer: terminal.signer, crypto, clock: world.clock };
  await assert.rejects(streamUpload(connection, portions()).next(), { code: "STORE_UNAVAILABLE" });
  const told = await metrics();
  assert.match(told, /^cairn_store_reachable 0$/m);
  assert.match(told, /^cairn_ready 0$/m);
  assert.doesNotMatch(told, /cairn_ledger_minor/);

  await server.restart();
  await eventually(async () => (await ready()) === 200);
  for (let again = 0; again < 2; again++)
    for await (const answer of streamUpload(connection, portions()))
      assert.ok(answer.records.every(({ state }) => state === "received"));
  await eventually(async () =>
    (await terminal.client.outcomes(ids)).payments.every(({ state }) => state === "settled"),
  );
  assert.equal((await world.operator.account(world.account)).balanceMinor, 2_600n);
  assert.deepEqual((await world.operator.verifyBooks()).faults, []);
  assert.match(await metrics(), /^cairn_store_reachable 1$/m);
  await issuer.close();
  await server.stop();
  isStopped = true;
});
