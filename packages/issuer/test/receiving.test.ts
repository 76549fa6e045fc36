import assert from "node:assert/strict";
import { test } from "node:test";
import { accountNumber, partitionOf } from "@cairn/issue";
import { terminalIdOf } from "@cairn/messages";
import { partitionOfId } from "@cairn/stores";
import { eventually } from "./support/issuer.ts";
import { TestTerminal } from "./support/terminal.ts";
import { crypto, EUR } from "./support/values.ts";
import type { TestWallet } from "./support/wallet.ts";
import { addWallet, KIOSK, makeWorld, type World } from "./support/world.ts";

/** Makes a second key of a wallet one that receives for its account. */
async function openReceiving(world: World, wallet: TestWallet): Promise<TestTerminal> {
  const receiver = new TestTerminal(world);
  const { code } = await wallet.client.openReceiving(terminalIdOf(receiver.signer.publicKey, crypto));
  return receiver.enrol(code);
}

async function withReceiver(world: World) {
  const { operator } = world;
  const { account } = await operator.createAccount({ name: "Bob", currency: EUR });
  const wallet = await addWallet(world, account);
  return { account, wallet, receiver: await openReceiving(world, wallet) };
}

async function payTo(world: World, receiver: TestTerminal, amountMinor: bigint) {
  const request = await receiver.request(amountMinor);
  const payment = await world.wallet.pay(request);
  const record = receiver.record(request, world.wallet.held(), payment);
  await receiver.client.upload([record]);
  return { paymentId: payment.messageId, record };
}

test("one person pays another: the money arrives in the receiver's own account, once, and repays credit first", async (t) => {
  const world = await makeWorld(t);
  await world.wallet.sync();
  const { operator } = world;
  const { account, receiver } = await withReceiver(world);
  await operator.setCredit(account, { lineMinor: 2_000n, overdueMinor: 0n, scoreBand: "A" });
  const { terms, payeeId } = receiver.certificate.content;
  assert.equal(terms.name, "Bob");
  assert.equal(partitionOfId(payeeId), partitionOf(accountNumber(account)), "the money has no way to go");

  const { paymentId, record } = await payTo(world, receiver, 700n);
  await eventually(async () => (await operator.account(account)).balanceMinor === 700n);
  assert.equal((await receiver.client.outcomes([paymentId])).payments[0]?.state, "settled");
  await receiver.client.upload([record]);
  await payTo(world, receiver, 300n);
  await eventually(async () => (await operator.account(account)).balanceMinor === 1_000n);
  const trial = await operator.trialBalance();
  assert.equal(
    trial.filter(({ ledgerAccount }) => ledgerAccount.endsWith(payeeId)).reduce((sum, { minor }) => sum + minor, 0n),
    0n,
    "nothing is left on the way",
  );
  assert.equal(
    trial.reduce((sum, { minor }) => sum + minor, 0n),
    0n,
  );
  assert.deepEqual((await operator.verifyBooks()).faults, []);
  const lines = await operator.entries({ account });
  assert.deepEqual([...new Set(lines.map(({ kind }) => kind))], ["received"]);
});

test("an account receives as one payee however many of its wallets do, under small ceilings", async (t) => {
  const receiving = {
    perPaymentCapMinor: 100n,
    storedTotalCapMinor: 300n,
    perCertificateCapMinor: 100n,
    maximumOfflineSeconds: 3_600,
  };
  const world = await makeWorld(t, { receiving });
  const { account, wallet, receiver } = await withReceiver(world);
  const again = await openReceiving(world, wallet);
  const tablet = await openReceiving(world, await addWallet(world, account));
  const payees = [receiver, again, tablet].map(({ certificate }) => certificate.content.payeeId);
  assert.equal(new Set(payees).size, 1);
  const { name: _name, currency: _currency, ...ceilings } = receiver.certificate.content.terms;
  assert.deepEqual(ceilings, receiving);
});

test("a lost phone takes no more money, and another account's terminal cannot be named to be blocked", async (t) => {
  const world = await makeWorld(t);
  const { operator, terminal } = world;
  const { account, wallet, receiver } = await withReceiver(world);
  // This wallet claims the kiosk's till for its own.
  await assert.rejects(wallet.client.openReceiving(terminalIdOf(terminal.signer.publicKey, crypto)), {
    code: "KEY_ALREADY_ENROLLED",
  });
  const watch = await addWallet(world, account);
  const [lost] = (await watch.client.devices()).filter(({ isCaller }) => !isCaller);
  assert.ok(lost);
  await watch.client.reportLoss(lost.deviceId);
  await assert.rejects(receiver.client.upload([]), { code: "CALLER_FROZEN" });
  await assert.doesNotReject(terminal.client.upload([]));
  await operator.reportFound(lost.deviceId);
  await assert.doesNotReject(receiver.client.upload([]));
});

test("a code to receive with is good for the key that was named alone, so that none escapes the report of a loss", async (t) => {
  const world = await makeWorld(t);
  const { account, wallet } = await withReceiver(world);
  // A thief names one key and enrols another.
  const { code } = await wallet.client.openReceiving(terminalIdOf(new TestTerminal(world).signer.publicKey, crypto));
  await assert.rejects(new TestTerminal(world).enrol(code), { code: "ENROLMENT_CODE_INVALID" });
  const named = new TestTerminal(world);
  const { code: other } = await wallet.client.openReceiving(terminalIdOf(named.signer.publicKey, crypto));
  await named.enrol(other);
  const watch = await addWallet(world, account);
  const [lost] = (await watch.client.devices()).filter(({ isCaller }) => !isCaller);
  assert.ok(lost);
  await watch.client.reportLoss(lost.deviceId);
  await assert.rejects(named.client.upload([]), { code: "CALLER_FROZEN" });
});

test("a wallet cannot name its sibling's receiving key, neither to have it blocked nor to keep it from being blocked", async (t) => {
  const world = await makeWorld(t);
  const { account, wallet, receiver } = await withReceiver(world);
  const sibling = await addWallet(world, account);
  const itsKey = await openReceiving(world, sibling);
  // Either one may be in a thief's hands: it would take the other one's key over, in the server's list of who has what.
  for (const [thief, key] of [
    [wallet, itsKey],
    [sibling, receiver],
  ] as const)
    await assert.rejects(thief.client.openReceiving(terminalIdOf(key.signer.publicKey, crypto)), {
      code: "KEY_ALREADY_ENROLLED",
    });
  const [lost] = (await sibling.client.devices()).filter(({ isCaller }) => !isCaller);
  assert.ok(lost);
  await sibling.client.reportLoss(lost.deviceId);
  await assert.rejects(receiver.client.upload([]), { code: "CALLER_FROZEN" });
  await assert.doesNotReject(itsKey.client.upload([]));
});

test("a code to receive with that was drawn before the loss is no good after it, whenever it is used", async (t) => {
  const world = await makeWorld(t);
  const { operator } = world;
  const { account, wallet } = await withReceiver(world);
  // A thief keeps a code for later: by then the phone is reported lost.
  const kept = new TestTerminal(world);
  const { code } = await wallet.client.openReceiving(terminalIdOf(kept.signer.publicKey, crypto));
  const watch = await addWallet(world, account);
  const [lost] = (await watch.client.devices()).filter(({ isCaller }) => !isCaller);
  assert.ok(lost);
  await watch.client.reportLoss(lost.deviceId);
  for (let times = 0; times < 2; times++) await assert.rejects(kept.enrol(code), { code: "CALLER_FROZEN" });
  await assert.rejects(kept.client.upload([]), { code: "CALLER_FROZEN" });
  await operator.reportFound(lost.deviceId);
  await kept.enrol(code);
  await assert.doesNotReject(kept.client.upload([]));
});

test("a found phone receives again with what its loss blocked, and not with what the operator did, before or after", async (t) => {
  const world = await makeWorld(t);
  const { operator } = world;
  const { account, wallet, receiver } = await withReceiver(world);
  const [before, after] = [await openReceiving(world, wallet), await openReceiving(world, wallet)];
  const block = (key: TestTerminal) => operator.setTerminalStatus(terminalIdOf(key.signer.publicKey, crypto), "frozen");
  await block(before);
  const watch = await addWallet(world, account);
  const [lost] = (await watch.client.devices()).filter(({ isCaller }) => !isCaller);
  assert.ok(lost);
  for (let times = 0; times < 2; times++) {
    await watch.client.reportLoss(lost.deviceId);
    await block(after);
    await watch.client.reportLoss(lost.deviceId);
    await operator.reportFound(lost.deviceId);
    await assert.doesNotReject(receiver.client.upload([]));
    for (const key of [before, after]) await assert.rejects(key.client.upload([]), { code: "CALLER_FROZEN" });
  }
});

test("on one day a key is given one code however often its wallet asks; unused ones go some days after they expired", async (t) => {
  const world = await makeWorld(t);
  const { client } = world.wallet;
  const receiver = new TestTerminal(world);
  const named = terminalIdOf(receiver.signer.publicKey, crypto);
  const midnight = Math.ceil(world.clock.now / 86_400) * 86_400;
  world.clock.now = midnight;
  const first = await client.openReceiving(named);
  world.clock.now = midnight + 86_399;
  assert.deepEqual(await client.openReceiving(named), first);
  assert.ok(first.expiresAt - world.clock.now >= 600, "there is time to use it");
  const other = await client.openReceiving(terminalIdOf(new TestTerminal(world).signer.publicKey, crypto));
  assert.notEqual(other.code, first.code);
  world.clock.now = midnight + 86_400;
  const next = await client.openReceiving(named);
  assert.notEqual(next.code, first.code);
  await receiver.enrol(next.code);
});

test("a wallet that never heard that its receiving key was enrolled draws another code and enrols it again", async (t) => {
  const world = await makeWorld(t);
  const { wallet, receiver } = await withReceiver(world);
  const before = receiver.certificate.bytes;
  const { code } = await wallet.client.openReceiving(terminalIdOf(receiver.signer.publicKey, crypto));
  await receiver.enrol(code);
  assert.deepEqual(receiver.certificate.bytes, before);
  // Of another account's payee the key is not: money would arrive where nobody expects it.
  await assert.rejects(world.wallet.client.openReceiving(terminalIdOf(receiver.signer.publicKey, crypto)), {
    code: "KEY_ALREADY_ENROLLED",
  });
});

test("whoever is blocked gets nothing by enrolling again with the code of then: no new certificate either", async (t) => {
  const world = await makeWorld(t);
  const { operator } = world;
  const { code } = await operator.createTerminalCode(KIOSK);
  const till = await new TestTerminal(world).enrol(code);
  await operator.setTerminalStatus(terminalIdOf(till.signer.publicKey, crypto), "frozen");
  // The terms of the payee have changed since, so that a certificate would be a new one.
  await assert.rejects(till.enrol(code), { code: "CALLER_FROZEN" });
});

test("a device names a few keys to receive with and no more, and the same one as often as it likes", async (t) => {
  const world = await makeWorld(t);
  const { client } = world.wallet;
  const named = () => terminalIdOf(new TestTerminal(world).signer.publicKey, crypto);
  const first = named();
  await client.openReceiving(first);
  for (let count = 1; count < 16; count++) await client.openReceiving(named());
  await assert.rejects(client.openReceiving(named()), { code: "RECEIVING_KEYS_FULL" });
  await client.openReceiving(first);
  const sibling = await addWallet(world, world.account);
  await sibling.client.openReceiving(named());
});

test("an issuer may keep wallets from receiving; frozen accounts do not", async (t) => {
  const off = await makeWorld(t, { receiving: "off" });
  const terminalId = terminalIdOf(off.terminal.signer.publicKey, crypto);
  await assert.rejects(off.wallet.client.openReceiving(terminalId), { code: "RECEIVING_OFF" });
  const world = await makeWorld(t);
  await world.operator.setAccountStatus(world.account, "frozen");
  await assert.rejects(world.wallet.client.openReceiving(terminalId), { code: "ACCOUNT_FROZEN" });
});
