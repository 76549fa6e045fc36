import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { nodeCrypto } from "@cairn/cose/node";
import { isRevoked, type StatusList, type Verified } from "@cairn/messages";
import { openIssuerKeys } from "../src/keys/issuer-keys.ts";
import { StatusListPublisher } from "../src/lists/status-list-publisher.ts";
import { systemRandom } from "../src/ports.ts";

const crypto = nodeCrypto();
const NOW = 1_800_000_000;

async function publisherOn(t: TestContext, revokedIndices: () => Promise<{ revoked: number[]; size: number }>) {
  const dataFolder = await mkdtemp(join(tmpdir(), "cairn-lists-"));
  t.after(() => rm(dataFolder, { recursive: true, force: true }));
  const passphrase = "long enough";
  const keys = await openIssuerKeys({
    dataFolder,
    passphrase,
    mayCreate: true,
    now: NOW,
    random: systemRandom,
    crypto,
  });
  return new StatusListPublisher({ uri: () => "http://x/v1/status-list", store: { revokedIndices }, keys, crypto });
}

test("a list is signed once until something changes or it grows old", async (t) => {
  let reads = 0;
  const publisher = await publisherOn(t, async () => ({ revoked: [++reads], size: 9 }));
  const first = await publisher.current(NOW);
  assert.equal(await publisher.current(NOW + 59), first);
  const second = await publisher.current(NOW + 60);
  assert.equal(second.content.issuedAt, NOW + 60, "another process withdrew something");
  publisher.markChanged();
  const third = await publisher.current(NOW + 60);
  assert.ok(isRevoked(third.content, 3) && !isRevoked(third.content, 2));
  assert.equal(reads, 3);
});

test("a list that still says all is signed anew for its date alone after ten minutes", async (t) => {
  let reads = 0;
  const publisher = await publisherOn(t, async () => ({ revoked: [3], size: 8_000 + 10 * reads++ }));
  const first = await publisher.current(NOW);
  for (let minute = 1; minute < 10; minute += 1) assert.equal(await publisher.current(NOW + 60 * minute), first);
  assert.equal(reads, 10, "the store is asked every minute");
  assert.equal((await publisher.current(NOW + 600)).content.issuedAt, NOW + 600);
});

test("a list that has become too short for all certificates is signed anew", async (t) => {
  let size = 8_192;
  const publisher = await publisherOn(t, async () => ({ revoked: [], size: size++ }));
  assert.equal((await publisher.current(NOW)).content.bits.length, 1_024);
  assert.equal((await publisher.current(NOW + 60)).content.bits.length, 2_048);
});

test("whoever asks after a change gets it, though an older list is just being signed", async (t) => {
  const answers: ((revoked: number[]) => void)[] = [];
  const publisher = await publisherOn(
    t,
    () => new Promise((resolve) => answers.push((revoked) => resolve({ revoked, size: 10_000 }))),
  );
  const before = publisher.current(NOW);
  await turns();
  publisher.markChanged();
  const after = Promise.all([publisher.current(NOW), publisher.current(NOW)]);
  answers[0]?.([]);
  assert.equal(isRevoked((await before).content, 7), false);
  await turns();
  answers[1]?.([7]);
  const [left, right]: Verified<StatusList>[] = await after;
  assert.ok(left && isRevoked(left.content, 7));
  assert.equal(left, right, "both share one signature");
  assert.equal(answers.length, 2);
  assert.equal(left.content.bits.length, 2_048, "padded to the next kilobyte");
});

test("a fault of the store is passed on and forgotten", async (t) => {
  let failing = true;
  const publisher = await publisherOn(t, async () => {
    if (failing) throw new Error("busy");
    return { revoked: [], size: 0 };
  });
  await assert.rejects(publisher.current(NOW), /busy/);
  failing = false;
  assert.equal((await publisher.current(NOW)).content.bits.length, 1_024);
});

test("a clock set back never makes a list older than the last", async (t) => {
  const publisher = await publisherOn(t, async () => ({ revoked: [], size: 0 }));
  await publisher.current(NOW + 100);
  publisher.markChanged();
  assert.equal((await publisher.current(NOW)).content.issuedAt, NOW + 100);
});

/** Lets everything that is ready run. */
const turns = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
