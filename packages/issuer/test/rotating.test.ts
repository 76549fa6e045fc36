import assert from "node:assert/strict";
import { test } from "node:test";
import { restoreVerified, trustList } from "@cairn/messages";
import { eventually } from "./support/issuer.ts";
import { crypto } from "./support/values.ts";
import { verifyDelivered } from "./support/wallet.ts";
import { makeWorld } from "./support/world.ts";

test("after a rotation new certificates come from the new key, and old ones still pay and settle", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, account, clock } = world;
  await wallet.sync();
  const before = await operator.keys();
  const request = await terminal.request(700n);
  const payment = await wallet.pay(request);
  const rotated = await operator.rotateKeys({ overlapSeconds: 0 });
  assert.equal(rotated.keys.length, 2);
  assert.equal(rotated.trustListVersion, (before.trustListVersion ?? 0) + 1);
  const active = rotated.keys.find((key) => key.active);
  assert.notEqual(active?.keyId, before.keys[0]?.keyId);

  await terminal.client.upload([terminal.record(request, wallet.held(), payment)]);
  await eventually(async () => (await terminal.client.outcomes([payment.messageId])).payments[0]?.state === "settled");

  await operator.topUp(account, { amountMinor: 9_000n, idempotencyKey: "more" });
  const old = wallet.held();
  const answer = await wallet.sync({ ahead: true });
  assert.equal(answer.decision.kind, "issue");
  assert.equal(wallet.held().content.issuerKeyId, active?.keyId);
  const { rootKey } = rotated;
  await verifyDelivered({ rootKey, trustList: answer.trustList, certificate: wallet.held().bytes });
  await verifyDelivered({ rootKey, trustList: answer.trustList, certificate: old.bytes });
  clock.now += 1;
});

test("withdrawing a key withdraws the certificates that it signed, and no others", async (t) => {
  const { wallet, operator, account, clock } = await makeWorld(t);
  await wallet.sync();
  const old = wallet.held().content;
  await operator.rotateKeys({ overlapSeconds: 0 });
  await operator.topUp(account, { amountMinor: 9_000n, idempotencyKey: "more" });
  await wallet.sync({ ahead: true });
  const next = wallet.held().content;
  assert.notEqual(next.issuerKeyId, old.issuerKeyId);
  clock.now += 1;
  await operator.withdrawKey(old.issuerKeyId);
  const withdrawn = (await operator.certificates(account)).filter(({ revokedAt }) => revokedAt !== null);
  assert.deepEqual(
    withdrawn.map(({ certificateId, revokedAt }) => [certificateId, revokedAt]),
    [[old.certificateId, clock.now]],
  );
});

test("during the overlap devices learn the new key while the old one still signs", async (t) => {
  const { wallet, operator, clock } = await makeWorld(t);
  const [old] = (await operator.keys()).keys;
  await operator.rotateKeys({ overlapSeconds: 1_000 });
  await wallet.sync();
  assert.equal(wallet.held().content.issuerKeyId, old?.keyId);
  const { trustList: bytes } = await wallet.client.lists();
  assert.equal(restoreVerified(trustList, bytes, crypto).content.keys.length, 2);
  clock.now += 1_000;
  await operator.topUp((await operator.accounts())[0]?.account ?? 0, { amountMinor: 9_000n, idempotencyKey: "more" });
  await wallet.sync({ ahead: true });
  assert.notEqual(wallet.held().content.issuerKeyId, old?.keyId);
});

test("a restart publishes the very same list; a list that grows old is followed by the next version", async (t) => {
  const world = await makeWorld(t, { publicUrl: "https://issuer.example/" });
  const list = async (at: Pick<typeof world, "issuer">) => {
    const bytes = new Uint8Array(await (await fetch(`${at.issuer.url}/v1/trust-list`)).arrayBuffer());
    return restoreVerified(trustList, bytes, crypto);
  };
  const first = await list(world);
  assert.equal(first.content.keys[0]?.issuerUrl, "https://issuer.example");
  const restarted = await world.restart();
  assert.deepEqual((await list(restarted)).bytes, first.bytes);
  world.clock.now += 10 * 86_400;
  const later = await eventually(async () => {
    const now = await list(restarted);
    return now.content.version > first.content.version && now;
  });
  assert.equal(later.content.version, first.content.version + 1);
  assert.deepEqual(later.content.keys, first.content.keys);
});
