import assert from "node:assert/strict";
import { test } from "node:test";
import { uploadAll } from "../src/cli/terminal/upload-all.ts";
import { cutter } from "./support/cutter.ts";
import { eventually } from "./support/issuer.ts";
import { openTill } from "./support/till.ts";
import { crypto } from "./support/values.ts";
import { makeWorld } from "./support/world.ts";

const SALES = 600;
const FEWER_SALES = 300;

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
  assert.deepEqual(told, [250, 375, 453, 551, 600]);
  await eventually(async () => (await world.operator.account(world.account)).balanceMinor === 3_000n - BigInt(SALES));
  // Nothing is left: only lists are taken home.
  const again = await uploadAll({ ...input, onProgress: () => assert.fail("nothing was left") });
  assert.deepEqual(again, { received: 0, refused: 0, listRefusals: [] });
});

for (const [way, passes] of [
  ["as a stream", () => true],
  ["call by call", (text: string) => !text.includes("/v1/uploads/stream")],
] as const) {
  test(`over a line that breaks every 60 kB all of a day gets through, in smaller portions, ${way}`, async (t) => {
    const world = await makeWorld(t);
    await world.wallet.sync();
    const till = await openTill(world);
    for (let sale = 0; sale < FEWER_SALES; sale++) assert.equal(await till.take(world.wallet, 1n), "accepted");
    const line = await cutter(t, world.issuer.url, { passes });
    line.cutEach(60_000);
    const told: number[] = [];
    const connection = { url: line.url, signer: till.signer, crypto, clock: world.clock };
    const uploaded = await uploadAll({
      terminal: till.terminal,
      connection,
      guestIssuerId: undefined,
      onProgress: (received) => told.push(received),
    });
    assert.deepEqual(uploaded, { received: FEWER_SALES, refused: 0, listRefusals: [] });
    assert.ok(line.cuts() >= 3, `cut ${line.cuts()} times`);
    assert.ok(told.length >= 4, "no portion of all was larger than what the line lets through");
    await eventually(
      async () => (await world.operator.account(world.account)).balanceMinor === 3_000n - BigInt(FEWER_SALES),
    );
  });
}

test("a line over which not even one record gets through, and an issuer that is not there, end the upload", async (t) => {
  const world = await makeWorld(t);
  await world.wallet.sync();
  const till = await openTill(world);
  for (let sale = 0; sale < 40; sale++) assert.equal(await till.take(world.wallet, 1n), "accepted");
  const line = await cutter(t, world.issuer.url);
  const input = { terminal: till.terminal, guestIssuerId: undefined, onProgress: () => undefined };
  const over = (url: string) =>
    uploadAll({ ...input, connection: { url, signer: till.signer, crypto, clock: world.clock } });
  line.cutEach(500);
  await assert.rejects(over(line.url), { code: "ISSUER_UNREACHABLE" });
  await assert.rejects(over("http://127.0.0.1:1"), { code: "ISSUER_UNREACHABLE" });
  line.cutEach(Number.POSITIVE_INFINITY);
  assert.equal((await over(line.url)).received, 40);
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
