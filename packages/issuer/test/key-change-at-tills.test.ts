import assert from "node:assert/strict";
import { test } from "node:test";
import { eventually } from "./support/issuer.ts";
import { openTill } from "./support/till.ts";
import type { TestWallet } from "./support/wallet.ts";
import { addWallet, makeWorld, type World } from "./support/world.ts";

const DAY = 86_400;

/** A payer whose certificate was just signed, by whichever key signs now. */
async function freshPayer(world: World, name: string): Promise<TestWallet> {
  const { operator } = world;
  const { account } = await operator.createAccount({ name, currency: "EUR" as never });
  await operator.topUp(account, { amountMinor: 5_000n, idempotencyKey: name });
  const wallet = await addWallet(world, account);
  await wallet.sync();
  return wallet;
}

test("while keys rotate no terminal that keeps its payee's terms fails, whenever it was last online", async (t) => {
  const world = await makeWorld(t);
  const { operator, clock } = world;
  const begin = clock.now;
  // The last time that each till is online, in days after the rotation; none is ever offline for longer than a week.
  const lastOnline = [0, 0.5, 3, 6.9];
  const tills = await Promise.all(lastOnline.map(() => openTill(world)));
  const old = (await operator.keys()).keys.find(({ active }) => active)?.keyId;
  await operator.rotateKeys();
  let sales = 0;
  for (let quarter = 0; quarter <= 30; quarter++) {
    const day = quarter / 4;
    clock.now = begin + day * DAY;
    for (const [index, till] of tills.entries()) {
      const last = lastOnline[index] ?? 0;
      if (day >= last && day < last + 0.25) assert.deepEqual(await till.sync(), []);
    }
    if (quarter % 6 !== 0) continue;
    const payer = await freshPayer(world, `payer of day ${day}`);
    const isOld = payer.held().content.issuerKeyId === old;
    assert.equal(isOld, day < 7, "the new key signs after a week");
    for (const [index, till] of tills.entries()) {
      const offlineDays = day - (lastOnline[index] ?? 0);
      if (offlineDays > 7) continue;
      assert.equal(await till.take(payer, 10n), "accepted", `till ${index} on day ${day}`);
      sales++;
    }
  }
  for (const till of tills) await till.sync();
  await eventually(async () => {
    const entries = await operator.entries({ limit: 500 });
    return entries.filter(({ kind }) => kind === "settlement").length === sales;
  });
  assert.deepEqual((await operator.verifyBooks()).faults, []);
});

test("after a key was withdrawn, no terminal that syncs takes what it signed; the payer's next certificate works everywhere", async (t) => {
  const world = await makeWorld(t);
  const { operator, clock } = world;
  const [synced, offline] = await Promise.all([openTill(world), openTill(world)]);
  const payer = await freshPayer(world, "Ada");
  const old = payer.held().content;
  assert.equal(await synced.take(payer, 10n), "accepted");
  await operator.withdrawKey(old.issuerKeyId);
  assert.equal(await offline.take(payer, 20n), "accepted", "it cannot know");
  assert.deepEqual(await synced.sync(), []);
  assert.equal(await synced.take(payer, 30n), "ISSUER_UNKNOWN");
  clock.now += 60;
  const answer = await payer.sync({ records: [await payer.closingRecord()] });
  assert.equal(answer.decision.kind, "issue", "the old one given back makes room for the next");
  assert.notEqual(payer.held().content.issuerKeyId, old.issuerKeyId);
  assert.equal(await synced.take(payer, 40n), "accepted");
  assert.equal(await offline.take(payer, 50n), "ISSUER_UNKNOWN", "the new key is news to it until it syncs");
  assert.deepEqual(await offline.sync(), []);
  assert.equal(await offline.take(payer, 60n), "accepted");
  assert.deepEqual((await operator.conflicts()).length, 0);
});
