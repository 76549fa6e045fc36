import assert from "node:assert/strict";
import { fdatasync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { SqliteIssuerStore } from "@cairn/stores";
import { eventually } from "./support/issuer.ts";
import { makeWorld } from "./support/world.ts";

test("a disk that fails to keep what was written: nobody is told anything any more, and after a new start all that was told is there", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-losing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "issuer.sqlite");
  let isBroken = false;
  const store = new SqliteIssuerStore(file, {
    flushFile: (descriptor, done) =>
      isBroken ? setImmediate(done, new Error("EIO: i/o error, fdatasync")) : fdatasync(descriptor, done),
  });
  const world = await makeWorld(t, { store });
  const { issuer, terminal, wallet, logged } = world;
  await wallet.sync();
  const sale = async () => {
    const request = await terminal.request(100n);
    const paid = await wallet.pay(request);
    return { record: terminal.record(request, wallet.held(), paid), paymentId: paid.messageId };
  };
  const told = await sale();
  await terminal.client.upload([told.record]);
  const untold = await sale();
  isBroken = true;
  await assert.rejects(terminal.client.upload([untold.record]), { code: "STORE_UNAVAILABLE" });
  assert.equal((await issuer.storeLost).code, "STORE_LOST");
  assert.equal((await fetch(`${issuer.url}/ready`)).status, 503);
  // The disk works again. What it dropped meanwhile nobody knows.
  isBroken = false;
  await assert.rejects(terminal.client.upload([untold.record]), { code: "STORE_UNAVAILABLE" });
  assert.ok(logged.some((line) => line.includes("the database is lost to this process")));
  await issuer.close();

  const again = await world.restart({ store: new SqliteIssuerStore(file) });
  const state = async ({ paymentId }: typeof told) => (await again.operator.evidence(paymentId)).payment?.state;
  await eventually(async () => (await state(told)) === "settled");
  assert.deepEqual((await again.operator.verifyBooks()).faults, []);
});
