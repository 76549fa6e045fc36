import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { deviceIdOf } from "@cairn/messages";
import type { SyncAnswer } from "../src/api/device-api.ts";
import { issuerEvents } from "../src/client/events.ts";
import { followEvents } from "../src/client/follow-events.ts";
import { MoneyClient } from "../src/client/money-client.ts";
import { eventually } from "./support/issuer.ts";
import { crypto, EUR } from "./support/values.ts";
import { type TestWallet, verifyDelivered } from "./support/wallet.ts";
import { addWallet, KIOSK, makeWorld } from "./support/world.ts";

/** Only what changes makes the server look: the round by schedule stays out of the way. */
const NO_SCHEDULE = { housekeepingIntervalMs: 3_600_000 };

/** A wallet that listens in the background and takes over whatever it is told. */
function listen(t: TestContext, wallet: TestWallet) {
  const heard: SyncAnswer[] = [];
  const lost: string[] = [];
  const stop = new AbortController();
  t.after(() => stop.abort());
  const done = followEvents(wallet.client, {
    signal: stop.signal,
    holds: async () => (wallet.certificate === undefined ? [] : [wallet.held().content.certificateId]),
    onAnswer: async (answer) => {
      heard.push(answer);
      if (answer.certificate !== null) wallet.hold(answer.certificate);
    },
    onLost: (error) => lost.push(error?.code ?? "ended"),
    random: () => 1,
    pauseMs: { first: 10, longest: 40 },
  });
  done.catch(() => undefined);
  return { heard, lost, stop, done };
}

test("a device that listens gets its certificates without asking: the first one, and one after money came in", async (t) => {
  const { wallet, operator, account } = await makeWorld(t, NO_SCHEDULE);
  const { heard, stop, done } = listen(t, wallet);
  await eventually(async () => heard.length === 1);
  const first = wallet.held().content;
  assert.equal(first.terms.limitMinor, 4_900n);
  await operator.topUp(account, { amountMinor: 20_000n, idempotencyKey: "wages" });
  await eventually(async () => heard.length === 2);
  const [, second] = heard;
  assert.ok(second?.certificate);
  assert.ok(second.decision.reasons.some(({ code }) => code === "ALLOWANCE_CHANGED"));
  const { rootKey } = await operator.keys();
  const { content } = await verifyDelivered({ rootKey, trustList: second.trustList, certificate: second.certificate });
  assert.notEqual(content.certificateId, first.certificateId);
  assert.equal((await operator.certificates(account)).length, 2);
  stop.abort();
  await done;
});

test("money that comes by an online transfer is heard of too, by the account that it reaches", async (t) => {
  const { wallet, operator, account, issuer } = await makeWorld(t, NO_SCHEDULE);
  await wallet.sync();
  const { heard } = listen(t, wallet);
  const money = new MoneyClient({ url: issuer.url, token: issuer.operatorToken });
  const rich = await operator.createAccount({ name: "Bob", currency: EUR });
  await operator.topUp(rich.account, { amountMinor: 50_000n, idempotencyKey: "bob" });
  await money.transfer(rich.account, { to: account, amountMinor: 30_000n, idempotencyKey: "gift" });
  await eventually(async () => heard.length === 1);
  assert.ok(heard[0]?.decision.reasons.some(({ code }) => code === "ALLOWANCE_CHANGED"));
});

/** Every change of the allowance makes a certificate due, and there is always room for another small one. */
const EAGER = {
  conditions: { allowanceChanged: { abovePercent: 0, aboveMinor: "0" }, remainingLow: { belowPercent: 99 } },
  limit: { perCertificateCapMinor: "1000" },
};

test("whatever changes makes the server look, and every certificate keeps what set it off", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-pushing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const policyFile = join(folder, "policy.json");
  await writeFile(policyFile, JSON.stringify(EAGER));
  const options = { ...NO_SCHEDULE, policyFile, policyIntervalMs: 10 };
  const { wallet, terminal, operator, account, clock, issuer } = await makeWorld(t, options);
  const money = new MoneyClient({ url: issuer.url, token: issuer.operatorToken });
  const { heard } = listen(t, wallet);
  let expected = 0;
  const told = async (cause: string) => {
    expected++;
    await eventually(async () => heard.length >= expected && heard[expected - 1]?.certificate !== null);
    const { explanation } = (await operator.certificates(account)).at(-1) ?? {};
    assert.deepEqual(JSON.parse(JSON.stringify(explanation)).event, { kind: "device-online", cause });
    clock.now += 1;
  };
  await told("device-online");
  await operator.topUp(account, { amountMinor: 50_000n, idempotencyKey: "wages" });
  await told("top-up");
  await operator.setCredit(account, { lineMinor: 9_000n, overdueMinor: 0n, scoreBand: "A" });
  await told("credit-changed");
  await money.pay(account, { payeeId: KIOSK, amountMinor: 30_000n, idempotencyKey: "shoes" });
  await told("online-payment");
  const request = await terminal.request(400n);
  const paid = await wallet.pay(request);
  await terminal.client.upload([terminal.record(request, wallet.held(), paid)]);
  await told("settlement-posted");
  for (const { certificateId } of await operator.certificates(account))
    await operator.revoke(certificateId, "all of them");
  await told("certificate-changed");
  await operator.setAccountStatus(account, "frozen");
  await money.withdraw(account, { amountMinor: 1n, idempotencyKey: "no" }).catch(() => undefined);
  await operator.setCredit(account, { lineMinor: 20_000n, overdueMinor: 0n, scoreBand: "A" });
  await eventually(async () => heard.at(-1)?.decision.kind === "refuse");
  expected = heard.length;
  await operator.setAccountStatus(account, "active");
  await told("status-changed");
  await writeFile(policyFile, JSON.stringify({ ...EAGER, allowance: { balancePercent: 100 } }));
  await told("policy-changed");
});

test("time that passes makes the server look as well", async (t) => {
  const { wallet, operator, account, clock } = await makeWorld(t);
  // Before anybody listens: a look for this, still to come, would be the first after the time has passed.
  await operator.setCredit(account, { lineMinor: 0n, overdueMinor: 0n, scoreBand: "A" });
  const { heard } = listen(t, wallet);
  await eventually(async () => heard.length === 1);
  clock.now += 25 * 86_400;
  await eventually(async () => heard.at(-1)?.decision.reasons.some(({ code }) => code === "VALIDITY_ENDED"));
  const { explanation } = (await operator.certificates(account)).at(-1) ?? {};
  assert.equal(JSON.parse(JSON.stringify(explanation)).event.cause, "timer");
});

test("polling goes on beside it, and nothing is told that changes nothing", async (t) => {
  const { wallet, operator, account } = await makeWorld(t, NO_SCHEDULE);
  await wallet.sync();
  const { heard } = listen(t, wallet);
  await operator.topUp(account, { amountMinor: 1n, idempotencyKey: "a cent" });
  const { decision } = await wallet.client.sync({ records: [], holds: [wallet.held().content.certificateId] });
  assert.equal(decision.kind, "none");
  await operator.setAccountStatus(account, "frozen");
  await operator.topUp(account, { amountMinor: 20_000n, idempotencyKey: "wages" });
  await eventually(async () => heard.length > 0);
  await operator.topUp(account, { amountMinor: 1n, idempotencyKey: "another" });
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.deepEqual(
    heard.map(({ decision: told, certificate }) => [told.reasons[0]?.code, certificate]),
    [["ACCOUNT_FROZEN", null]],
    "a refusal is told once",
  );
});

test("after a lost connection the device hears what it missed, and of a restart it only notices a pause", async (t) => {
  const world = await makeWorld(t, { publicUrl: "https://issuer.example" });
  const { wallet, operator, account, issuer } = world;
  await wallet.sync();
  const old = wallet.held().content.certificateId;
  const { heard, lost } = listen(t, wallet);
  await eventually(async () => heard.length === 0);
  await operator.topUp(account, { amountMinor: 20_000n, idempotencyKey: "wages" });
  await eventually(async () => heard.length === 1);
  // It says at the next connection that it has the old one alone, as if the event had never arrived.
  wallet.hold(
    (await operator.certificates(account)).find(({ certificateId }) => certificateId === old)?.certificate ??
      new Uint8Array(),
  );
  await world.restart({ port: Number(new URL(issuer.url).port) });
  await eventually(async () => heard.length === 2);
  assert.ok(lost.length >= 1);
  assert.equal(heard[1]?.certificateId, heard[0]?.certificateId, "the same certificate, delivered again");
});

test("the number of connections is bounded, one for each device, and a blocked device is cut off", async (t) => {
  const world = await makeWorld(t, { pushConnections: 1, pushHeartbeatMs: 20 });
  const { wallet, operator, account } = world;
  const { heard, lost, done } = listen(t, wallet);
  await eventually(async () => heard.length === 1);
  const other = await addWallet(world, account);
  const refused = issuerEvents(other.client, {});
  await assert.rejects(refused.next(), { code: "PUSH_FULL" });
  const again = issuerEvents(wallet.client, { holds: [wallet.held().content.certificateId] });
  const next = again.next();
  await eventually(async () => lost.includes("ended"));
  await again.return(undefined).catch(() => undefined);
  await next.catch(() => undefined);
  await operator.reportLoss(deviceIdOf(wallet.signer.publicKey, crypto));
  await assert.rejects(done, { code: "CALLER_FROZEN" });
});

test("heartbeats keep a quiet connection, and silence ends it", async (t) => {
  const { wallet } = await makeWorld(t, { pushHeartbeatMs: 20 });
  await wallet.sync();
  const holds = [wallet.held().content.certificateId];
  const stop = new AbortController();
  const quiet = issuerEvents(wallet.client, { holds, silenceMs: 4_000, signal: stop.signal });
  const ended = quiet.next().then(
    () => "ended",
    (error) => error.code,
  );
  assert.equal(await Promise.race([ended, new Promise((resolve) => setTimeout(resolve, 4_200, "open"))]), "open");
  stop.abort();
  await ended;
  const silent = await makeWorld(t, { pushHeartbeatMs: 60_000 });
  await silent.wallet.sync();
  const held = [silent.wallet.held().content.certificateId];
  await assert.rejects(issuerEvents(silent.wallet.client, { holds: held, silenceMs: 100 }).next(), {
    code: "ISSUER_TIMEOUT",
  });
});
