import assert from "node:assert/strict";
import { test } from "node:test";
import { uploadAll } from "../src/cli/terminal/upload-all.ts";
import { cutter } from "./support/cutter.ts";
import { eventually } from "./support/issuer.ts";
import { openTill } from "./support/till.ts";
import { crypto } from "./support/values.ts";
import { makeWorld } from "./support/world.ts";

const SALES = 600;

test("a terminal with a long day behind it uploads all of it, over connections that break, and is paid for each sale once", async (t) => {
  const world = await makeWorld(t);
  await world.wallet.sync();
  const till = await openTill(world);
  for (let sale = 0; sale < SALES; sale++) assert.equal(await till.take(world.wallet, 1n), "accepted");
  const way = await cutter(t, world.issuer.url);
  const told: number[] = [];
  const connection = { url: way.url, signer: till.signer, crypto, clock: world.clock };
  const input = { terminal: till.terminal, connection, guestIssuerId: undefined };
  const uploaded = await uploadAll({
    ...input,
    onProgress: (received) => {
      told.push(received);
      // In the middle of the next portion.
      if (told.length < 3) way.cutAfter(50_000);
    },
  });
  assert.equal(way.cuts(), 2);
  assert.deepEqual(uploaded, { received: SALES, refused: 0, listRefusals: [] });
  assert.deepEqual(told, [250, 500, 600]);
  await eventually(async () => (await world.operator.account(world.account)).balanceMinor === 3_000n - BigInt(SALES));
  // Nothing is left: only lists are taken home.
  const again = await uploadAll({ ...input, onProgress: () => assert.fail("nothing was left") });
  assert.deepEqual(again, { received: 0, refused: 0, listRefusals: [] });
});

test("where something on the way lets no stream through, a terminal uploads call by call", async (t) => {
  const world = await makeWorld(t);
  await world.wallet.sync();
  const till = await openTill(world);
  for (let sale = 0; sale < 3; sale++) assert.equal(await till.take(world.wallet, 5n), "accepted");
  const way = await cutter(t, world.issuer.url, { passes: (text) => !text.includes("/v1/uploads/stream") });
  const connection = { url: way.url, signer: till.signer, crypto, clock: world.clock };
  const input = { terminal: till.terminal, connection, guestIssuerId: undefined, onProgress: () => undefined };
  assert.equal((await uploadAll(input)).received, 3);
});
