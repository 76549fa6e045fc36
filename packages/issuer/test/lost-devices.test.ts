import assert from "node:assert/strict";
import { test } from "node:test";
import { readPolicy } from "@cairn/issue";
import { deviceIdOf, isRevoked, restoreVerified, statusList } from "@cairn/messages";
import { eventually } from "./support/issuer.ts";
import { crypto, EUR } from "./support/values.ts";
import { TestWallet } from "./support/wallet.ts";
import { addWallet, makeWorld } from "./support/world.ts";

const idOf = (wallet: TestWallet) => deviceIdOf(wallet.signer.publicKey, crypto);

async function isWithdrawn(wallet: TestWallet, by: TestWallet): Promise<boolean> {
  const { statusList: bytes } = await by.client.lists();
  return isRevoked(restoreVerified(statusList, bytes, crypto).content, wallet.held().content.terms.statusIndex);
}

test("the account's other device reports a lost one: it is blocked, its certificates withdrawn, the other pays on", async (t) => {
  const world = await makeWorld(t);
  const { wallet: phone, operator, account } = world;
  await phone.sync();
  await operator.topUp(account, { amountMinor: 10_000n, idempotencyKey: "more" });
  const watch = await addWallet(world, account);
  await watch.sync();
  const seen = await watch.client.devices();
  assert.deepEqual(
    seen.map(({ deviceId, isCaller, status }) => [deviceId, isCaller, status]).toSorted(),
    [
      [idOf(phone), false, "active"],
      [idOf(watch), true, "active"],
    ].toSorted(),
  );
  assert.equal(await watch.client.reportLoss(idOf(phone)), 1);
  assert.equal(await watch.client.reportLoss(idOf(phone)), 0, "again changes nothing");
  assert.deepEqual([await isWithdrawn(phone, watch), await isWithdrawn(watch, watch)], [true, false]);
  await assert.rejects(phone.sync(), { code: "CALLER_FROZEN" });
  const [lost] = (await operator.certificates(account)).filter(({ deviceId }) => deviceId === idOf(phone));
  assert.ok(lost?.revokedAt);

  assert.equal(await operator.reportFound(idOf(phone)), 1);
  assert.equal(await isWithdrawn(phone, watch), false);
  await assert.doesNotReject(phone.sync({ holds: [phone.held().content.certificateId] }));
});

test("the exposure of a lost device stays until its upload deadline; its replacement gets only what is left", async (t) => {
  const world = await makeWorld(t);
  const { wallet: lost, operator, account, clock, terminal } = world;
  await lost.sync();
  const before = lost.held().content;
  const request = await terminal.request(500n);
  const paid = await lost.pay(request);
  await operator.reportLoss(idOf(lost));
  const { code } = await operator.createDeviceCode(account, { replacesDeviceId: idOf(lost) });
  const next = await new TestWallet(world).enrol(code);
  await assert.rejects(lost.sync(), { code: "CALLER_FROZEN" });
  const refused = await next.sync();
  assert.equal(refused.decision.kind, "refuse");
  assert.deepEqual(
    refused.decision.reasons.map(({ code }) => code),
    ["EXPOSURE_AT_CAP"],
    "all of the allowance may still be spent at terminals that are offline",
  );
  // Money comes in: the new device gets a share of that, while the lost one's limit still counts in full.
  await operator.topUp(account, { amountMinor: 5_000n, idempotencyKey: "wages" });
  const answer = await next.sync();
  assert.equal(answer.decision.kind, "issue");
  assert.ok(answer.decision.reasons.some(({ code }) => code === "DEVICE_KEY_REPLACED"));
  assert.equal(next.held().content.terms.limitMinor, 4_000n);
  // What an offline terminal took from the lost phone before it could know is paid.
  await terminal.client.upload([terminal.record(request, lost.held(), paid)]);
  await eventually(async () => (await terminal.client.outcomes([paid.messageId])).payments[0]?.state === "settled");
  clock.now = before.expiresAt + 8 * 86_400;
  await operator.setCredit(account, { lineMinor: 5_000n, overdueMinor: 0n, scoreBand: "A" });
  const later = await next.sync();
  assert.equal(later.decision.kind, "issue", "after the deadline the lost certificate counts no more");
});

test("a new device that takes the place of another puts that one out of use, also when its first answer was lost", async (t) => {
  const world = await makeWorld(t, { policy: readPolicy({ limit: { perCertificateCapMinor: "2000" } }) });
  const { wallet: old, operator, account } = world;
  await old.sync();
  const { code } = await operator.createDeviceCode(account, { replacesDeviceId: idOf(old) });
  const next = await new TestWallet(world).enrol(code);
  await next.enrol(code);
  await next.sync();
  assert.equal(await isWithdrawn(old, next), true);
  await assert.rejects(old.sync(), { code: "CALLER_FROZEN" });
  const [first, second] = await operator.certificates(account);
  assert.deepEqual(
    [first?.revocationReason, first?.exposureMinor, first?.heldMinor],
    ["Device replaced by another one.", 2_000n, 2_000n],
  );
  assert.deepEqual([second?.revokedAt, second?.limitMinor], [null, 2_000n]);
});

test("nobody reports the devices of another account, and ids of others tell nothing", async (t) => {
  const world = await makeWorld(t);
  const { operator, wallet } = world;
  const { account } = await operator.createAccount({ name: "Bob", currency: EUR });
  const stranger = await addWallet(world, account);
  await assert.rejects(stranger.client.reportLoss(idOf(wallet)), { code: "DEVICE_UNKNOWN" });
  const never = "00".repeat(8) as ReturnType<typeof idOf>;
  await assert.rejects(stranger.client.reportLoss(never), { code: "DEVICE_UNKNOWN" });
  await assert.rejects(operator.reportLoss(never), { code: "DEVICE_UNKNOWN" });
  await assert.rejects(operator.reportFound(never), { code: "DEVICE_UNKNOWN" });
  assert.equal((await operator.device(idOf(wallet))).status, "active");
});

test("the operator takes a mistaken revocation back: terminals that sync accept the certificate again", async (t) => {
  const { wallet, operator, account, clock } = await makeWorld(t);
  await wallet.sync();
  const { certificateId } = wallet.held().content;
  clock.now += 60;
  await operator.revoke(certificateId, "mistaken");
  assert.equal(await isWithdrawn(wallet, wallet), true);
  assert.deepEqual(await operator.restore(certificateId), { repeated: false });
  assert.deepEqual(await operator.restore(certificateId), { repeated: true });
  assert.equal(await isWithdrawn(wallet, wallet), false);
  // A terminal may still hold the list that names it, so another one is due; it is refused for want of room.
  const full = await wallet.sync({ holds: [certificateId] });
  assert.deepEqual(
    [full.decision.kind, full.decision.reasons.map(({ code }) => code), full.certificate],
    ["refuse", ["EXPOSURE_AT_CAP"], null],
  );
  const lost = await wallet.sync();
  assert.equal(lost.certificateId, certificateId, "want of room keeps nobody from what was issued before");
  await operator.topUp(account, { amountMinor: 5_000n, idempotencyKey: "wages" });
  const another = await wallet.sync({ holds: [certificateId] });
  assert.equal(another.decision.kind, "issue");
  assert.ok(another.decision.reasons.some(({ code }) => code === "CERTIFICATE_RESTORED"));
  const later = await wallet.sync({ holds: [certificateId, wallet.held().content.certificateId] });
  assert.equal(later.decision.kind, "none", "one is enough");
});
