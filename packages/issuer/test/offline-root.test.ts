import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { keyIdOf, restoreVerified, signMessage, trustList, userCertificate } from "@cairn/messages";
import { ClientError } from "../src/client/client-error.ts";
import { openIssuerKeys } from "../src/keys/issuer-keys.ts";
import { systemRandom } from "../src/ports.ts";
import { createOfflineRoot } from "../src/root/offline-root.ts";
import { eventually, PASSPHRASE, START, startTestIssuer } from "./support/issuer.ts";
import { makeRoot, VALIDITY } from "./support/root.ts";
import { crypto, EUR } from "./support/values.ts";
import { addTerminal, addWallet, KIOSK, makeWorld } from "./support/world.ts";

const detail = (code: string, reason: RegExp) => (error: unknown) => {
  assert.ok(error instanceof ClientError && error.code === code, String(error));
  assert.match(error.problem?.detail ?? "", reason);
  return true;
};

test("an issuer without the root key serves no device before a list was brought, and every device after", async (t) => {
  const root = await makeRoot(t);
  const at = await startTestIssuer(t, { offlineRootKey: root.rootKey });
  assert.equal((await fetch(`${at.issuer.url}/ready`)).status, 503);
  assert.match(await (await fetch(`${at.issuer.url}/v1/nonce`)).text(), /"code":"TRUST_LIST_MISSING"/);
  const before = await at.operator.keys();
  assert.deepEqual([before.offlineRoot, before.trustListVersion], [true, null]);
  const list = await root.publish(at.operator);
  assert.equal((await fetch(`${at.issuer.url}/ready`)).status, 200);
  const { account } = await at.operator.createAccount({ name: "Ada", currency: EUR });
  await at.operator.topUp(account, { amountMinor: 3_000n, idempotencyKey: "first" });
  const wallet = await addWallet(at, account);
  const answer = await wallet.sync();
  assert.equal(answer.decision.kind, "issue");
  assert.deepEqual(answer.trustList, list.bytes);
  const again = await at.restart();
  assert.equal((await again.operator.keys()).trustListVersion, 1, "the list is there after a restart");
});

test("a list is taken when the pinned root signed it, names a key of ours and is no older; everything else is refused", async (t) => {
  const root = await makeRoot(t);
  const stranger = await makeRoot(t);
  const at = await startTestIssuer(t, { offlineRootKey: root.rootKey });
  const other = await startTestIssuer(t, { offlineRootKey: root.rootKey, issuerId: "other-bank" });
  const first = await root.publish(at.operator);
  await root.publish(at.operator, other.operator);
  await assert.rejects(at.operator.bringTrustList(first.bytes), detail("TRUST_LIST_REFUSED", /^TRUST_LIST_ROLLBACK/));
  const statement = await at.operator.keyStatement();
  const foreign = await (await stranger.open()).sign({ statements: [statement], ...VALIDITY });
  await assert.rejects(at.operator.bringTrustList(foreign.bytes), detail("TRUST_LIST_REFUSED", /another root key/));
  const third = await startTestIssuer(t, { offlineRootKey: root.rootKey, issuerId: "third-bank" });
  const held = (await (await root.open()).last)?.bytes;
  assert.ok(held);
  await assert.rejects(third.operator.bringTrustList(held), detail("TRUST_LIST_REFUSED", /none of this issuer's keys/));
  const self = await startTestIssuer(t);
  await assert.rejects(self.operator.bringTrustList(held), detail("TRUST_LIST_REFUSED", /signs its own list/));
  at.clock.now = START + VALIDITY.validitySeconds + 301;
  const late = await (await root.open()).sign({ statements: [], ...VALIDITY });
  await assert.rejects(at.operator.bringTrustList(late.bytes), detail("TRUST_LIST_REFUSED", /^TRUST_LIST_EXPIRED/));
  await assert.rejects(at.restart({ offlineRootKey: stranger.rootKey }), { code: "ROOT_KEY_DIFFERS" });
});

test("during a rotation the old key signs until a list with the new one has been brought", async (t) => {
  const root = await makeRoot(t);
  const at = await startTestIssuer(t, { offlineRootKey: root.rootKey });
  await root.publish(at.operator);
  const active = async () => (await at.operator.keys()).keys.find((key) => key.active)?.keyId;
  const old = await active();
  await at.operator.rotateKeys({ overlapSeconds: 100 });
  at.clock.now += 10_000;
  assert.equal(await active(), old, "no device could know the new key");
  const list = await root.publish(at.operator);
  assert.equal(list.content.keys.length, 2);
  const young = await active();
  assert.ok(young !== undefined && young !== old);
});

test("what a root has withdrawn never comes back, and a list is never empty", async (t) => {
  const root = await makeRoot(t);
  const at = await startTestIssuer(t, { offlineRootKey: root.rootKey });
  const [only] = (await at.operator.keys()).keys;
  assert.ok(only);
  await assert.rejects((await root.open()).sign({ statements: [], ...VALIDITY }), { code: "ROOT_KEYS_NONE" });
  await root.publish(at.operator);
  const stale = await at.operator.keyStatement();
  await assert.rejects((await root.open()).withdraw(only.keyId, VALIDITY), { code: "ROOT_KEYS_NONE" });
  await at.operator.withdrawKey(only.keyId);
  const list = await root.publish(at.operator);
  assert.deepEqual(
    list.content.keys.map(({ key }) => keyIdOf(key, crypto) === only.keyId),
    [false],
  );
  await (await root.open()).sign({ statements: [{ ...stale, issuerId: "old" }], ...VALIDITY });
  const without = await (await root.open()).withdraw(only.keyId, VALIDITY);
  assert.equal(without.content.version, 4);
  await assert.rejects((await root.open()).sign({ statements: [stale], ...VALIDITY }), { code: "ROOT_KEY_WITHDRAWN" });
  await assert.rejects((await root.open()).withdraw(only.keyId, VALIDITY), { code: "ROOT_KEY_UNKNOWN" });
  await assert.rejects(createOfflineRoot({ ...root.folder, random: systemRandom }), { code: "ROOT_EXISTS" });
});

test("a withdrawn key: what honest payers paid settles, what a thief signs with it does not", async (t) => {
  const world = await makeWorld(t);
  const { wallet, terminal, operator, account, clock } = world;
  await wallet.sync();
  const request = await terminal.request(700n);
  const paid = await wallet.pay(request);
  const [old] = (await operator.keys()).keys;
  assert.ok(old);
  const thief = await openIssuerKeys({
    dataFolder: world.folder,
    passphrase: PASSPHRASE,
    mayCreate: false,
    now: clock.now,
    random: systemRandom,
    crypto,
  });
  const view = await operator.withdrawKey(old.keyId);
  assert.equal(view.keys.find(({ keyId }) => keyId === old.keyId)?.active, false);
  const { trustList: bytes } = await wallet.client.lists();
  const names = restoreVerified(trustList, bytes, crypto).content.keys.map(({ key }) => keyIdOf(key, crypto));
  assert.deepEqual([names.length, names.includes(old.keyId)], [1, false]);

  // The thief makes a certificate for a key of its own, with the id and under the name of an honest one.
  const forger = wallet.clone();
  const device = generateNodeSigner();
  const signer = thief.byId(old.keyId)?.signer;
  assert.ok(signer);
  const content = { ...wallet.held().content, deviceKey: device.publicKey };
  const forged = await signMessage(userCertificate, content, { signer, crypto });
  Object.assign(forger, { signer: device, certificate: forged });
  const second = await terminal.request(900n);
  const stolen = await forger.pay(second);
  await terminal.client.upload([
    terminal.record(request, wallet.held(), paid),
    terminal.record(second, forged, stolen),
  ]);
  const outcomes = await eventually(async () => {
    const { payments } = await terminal.client.outcomes([paid.messageId, stolen.messageId]);
    return payments.every(({ state }) => state !== "received") && payments;
  });
  assert.deepEqual(
    outcomes.map(({ state, code }) => [state, code]),
    [
      ["settled", null],
      ["refused", "CERTIFICATE_NOT_OURS"],
    ],
  );
  assert.equal((await operator.conflicts()).length, 0, "the honest payer is blamed for nothing");

  await operator.topUp(account, { amountMinor: 20_000n, idempotencyKey: "more" });
  const answer = await wallet.sync();
  assert.equal(answer.decision.kind, "issue", "the device gets a certificate under the new key by itself");
  assert.notEqual(wallet.held().content.issuerKeyId, old.keyId);
  const renewed = await addTerminal(world, KIOSK);
  assert.notEqual(renewed.certificate.content.issuerKeyId, old.keyId);
});
