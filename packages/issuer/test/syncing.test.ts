import assert from "node:assert/strict";
import { test } from "node:test";
import { isRevoked, restoreVerified, type StatusList, statusList, userCertificate } from "@cairn/messages";
import { eventually } from "./support/issuer.ts";
import { storeWith } from "./support/store.ts";
import { crypto } from "./support/values.ts";
import { verifyDelivered } from "./support/wallet.ts";
import { addWallet, makeWorld } from "./support/world.ts";

const statusOf = (bytes: Uint8Array): StatusList => restoreVerified(statusList, bytes, crypto).content;

test("the first sync issues a certificate and says why and how much, line by line", async (t) => {
  const { wallet, operator, account } = await makeWorld(t);
  const answer = await wallet.sync();
  assert.deepEqual(answer.account, {
    currency: "EUR",
    balanceMinor: 3_000n,
    creditLineMinor: 5_000n,
    creditUsedMinor: 0n,
    status: "active",
  });
  assert.equal(answer.decision.kind, "issue");
  assert.ok(answer.decision.reasons.some(({ code }) => code === "NO_CERTIFICATE"));
  assert.ok(answer.certificate);
  const { rootKey } = await operator.keys();
  const { content } = await verifyDelivered({ ...answer, rootKey, certificate: answer.certificate });
  assert.equal(content.certificateId, answer.certificateId);
  assert.deepEqual(content.deviceKey, wallet.signer.publicKey);
  // 80 % of 30.00 and 50 % of 50.00, by the built-in policy.
  assert.equal(content.terms.limitMinor, 4_900n);
  const limit = answer.decision.lines.find(({ label }) => label === "Offline limit");
  assert.equal(limit?.minor, content.terms.limitMinor);
  const [stored] = await operator.certificates(account);
  assert.ok(stored);
  assert.deepEqual(stored.certificate, answer.certificate);
  assert.equal(stored.limitMinor, 4_900n);
  assert.match(JSON.stringify(stored.explanation), /NO_CERTIFICATE/);
  assert.doesNotMatch(JSON.stringify(stored.explanation), /null/);
});

test("a wallet that holds its certificate gets nothing new; one that lost the answer gets the same again", async (t) => {
  const { wallet, operator, account } = await makeWorld(t);
  const first = await wallet.sync();
  const { certificateId } = wallet.held().content;
  const second = await wallet.sync({ holds: [certificateId] });
  assert.deepEqual([second.decision.kind, second.certificate], ["none", null]);
  const third = await wallet.sync();
  assert.deepEqual([third.decision.kind, third.certificate], ["none", first.certificate]);
  assert.equal((await operator.certificates(account)).length, 1);
});

test("a certificate that a crash left unsigned counts as issued, and is signed and delivered at the next sync", async (t) => {
  let failing = true;
  const store = storeWith((real) => ({
    recordIssued: async (certificateId, bytes) => {
      if (failing) throw new Error("pulled the plug");
      await real.recordIssued(certificateId, bytes);
    },
  }));
  const { wallet, operator, account } = await makeWorld(t, { store });
  await assert.rejects(wallet.sync(), { code: "INTERNAL_FAULT" });
  const [prepared] = await operator.certificates(account);
  assert.deepEqual([prepared?.signed, prepared?.certificate], [false, null]);
  failing = false;
  const answer = await wallet.sync();
  assert.deepEqual([answer.decision.kind, answer.certificateId], ["none", prepared?.certificateId]);
  const { rootKey } = await operator.keys();
  const { content } = await verifyDelivered({ ...answer, rootKey, certificate: wallet.held().bytes });
  assert.equal(content.terms.limitMinor, prepared?.limitMinor);
  assert.equal((await operator.certificates(account)).length, 1);
});

test("asking ahead brings another certificate, and both together stay within the allowance", async (t) => {
  const { wallet, operator, account } = await makeWorld(t);
  await wallet.sync();
  await operator.topUp(account, { amountMinor: 10_000n, idempotencyKey: "second" });
  const { certificateId } = wallet.held().content;
  const answer = await wallet.sync({ ahead: true, holds: [certificateId] });
  assert.equal(answer.decision.kind, "issue");
  assert.ok(answer.decision.reasons.some(({ code }) => code === "REQUESTED_AHEAD"));
  const limits = (await operator.certificates(account)).map(({ limitMinor }) => limitMinor);
  assert.equal(limits.length, 2);
  const allowance = (13_000n * 80n) / 100n + 2_500n;
  assert.ok(limits.reduce((sum, limit) => sum + limit, 0n) <= allowance);
});

test("a frozen account is told so, and no certificate leaves", async (t) => {
  const { wallet, operator, account } = await makeWorld(t);
  await operator.setAccountStatus(account, "frozen");
  const refused = await wallet.sync();
  assert.equal(refused.decision.kind, "refuse");
  assert.deepEqual([refused.decision.reasons[0]?.code, refused.certificate], ["ACCOUNT_FROZEN", null]);
  await operator.setAccountStatus(account, "active");
  assert.equal((await wallet.sync()).decision.kind, "issue");
});

test("closing a certificate in a sync makes room for the next one in the same sync", async (t) => {
  const { wallet, operator, account } = await makeWorld(t);
  await wallet.sync();
  const { certificateId } = wallet.held().content;
  const answer = await wallet.sync({ records: [await wallet.closingRecord()], holds: [certificateId] });
  assert.deepEqual([answer.records[0]?.state, answer.records[0]?.paymentId], ["received", null]);
  assert.equal(answer.decision.kind, "issue");
  const certificates = await operator.certificates(account);
  const closed = certificates.find((certificate) => certificate.certificateId === certificateId);
  assert.ok(closed?.closedAt);
  assert.equal(certificates.find((other) => other !== closed)?.limitMinor, 4_900n, "nothing of it was spent");
});

test("a second, different closing proves a conflict: the certificate is withdrawn at once", async (t) => {
  const { wallet, operator } = await makeWorld(t);
  await wallet.sync();
  const { certificateId, terms } = wallet.held().content;
  const holds = [certificateId];
  const first = await wallet.closingRecord();
  const second = await wallet.closingRecord({ sequence: 1, spentMinor: 100n });
  await wallet.client.sync({ records: [first], holds });
  const repeated = await wallet.client.sync({ records: [first], holds });
  assert.equal(isRevoked(statusOf(repeated.statusList), terms.statusIndex), false);
  const answer = await wallet.client.sync({ records: [second], holds });
  assert.equal(isRevoked(statusOf(answer.statusList), terms.statusIndex), true);
  assert.deepEqual(
    (await operator.conflicts()).map((conflict) => [conflict.certificateId, conflict.kind]),
    [[certificateId, "two-closings"]],
  );
  assert.deepEqual([answer.decision.kind, answer.certificate], ["refuse", null], "all of the key are withdrawn");
  const ahead = await wallet.client.sync({ records: [], ahead: true });
  assert.equal(ahead.decision.kind, "refuse");
  assert.ok(ahead.decision.reasons.some(({ code }) => code === "CONFLICT_UNRESOLVED"));
});

test("what is wrong with a closing is told, and the rest of the sync goes on", async (t) => {
  const { wallet, operator, account, ...at } = await makeWorld(t);
  await wallet.sync();
  const other = await operator.createAccount({ name: "Bob", currency: wallet.held().content.terms.currency });
  await operator.topUp(other.account, { amountMinor: 9_000n, idempotencyKey: "bob" });
  const stranger = await addWallet({ operator, ...at }, other.account);
  const foreign = await stranger.client.sync({ records: [await wallet.closingRecord()] });
  assert.deepEqual(
    foreign.records.map(({ state, code }) => [state, code]),
    [["refused", "RECORD_OF_ANOTHER_ACCOUNT"]],
  );
  assert.equal(foreign.decision.kind, "issue");
  const forger = wallet.clone();
  Object.assign(forger, { signer: stranger.signer });
  const forged = await wallet.client.sync({ records: [await forger.closingRecord()] });
  assert.equal(forged.records[0]?.code, "SIGNATURE_INVALID");
  const certificates = await operator.certificates(account);
  assert.deepEqual(
    certificates.map(({ closedAt }) => closedAt),
    [null],
  );
});

test("a certificate keeps its id secret: two of one account have nothing in common", async (t) => {
  const { wallet, operator, account, ...at } = await makeWorld(t);
  const second = await addWallet({ operator, ...at }, account);
  await wallet.sync();
  await operator.topUp(account, { amountMinor: 9_000n, idempotencyKey: "more" });
  await second.sync();
  const [left, right] = [wallet, second].map((each) => each.held().content.certificateId);
  assert.ok(left && right);
  for (let at = 0; at < 32; at += 8) assert.notEqual(left.slice(at, at + 8), right.slice(at, at + 8));
  restoreVerified(userCertificate, second.held().bytes, crypto);
});

test("a wallet that says since when it has heard hears of what was decided since, and of what it brings", async (t) => {
  const { wallet, terminal, clock } = await makeWorld(t);
  await wallet.sync();
  const request = await terminal.request(700n);
  const paid = await wallet.pay(request);
  await terminal.client.upload([terminal.record(request, wallet.held(), paid)]);
  const told = async (input: Parameters<typeof wallet.sync>[0]) =>
    (await wallet.sync(input)).payments.map(({ paymentId, state }) => [paymentId, state]);
  const settled = [[paid.messageId, "settled"]];
  await eventually(async () => (await told({}))[0]?.[1] === "settled");
  const decidedAt = clock.now;
  assert.deepEqual(await told({ since: decidedAt }), settled);
  clock.now += 86_400;
  assert.deepEqual(await told({}), settled, "an older wallet hears of everything");
  // A list is some minutes old when it is taken home.
  assert.deepEqual(await told({ since: decidedAt + 600 }), settled);
  assert.deepEqual(await told({ since: clock.now }), []);
  const records = [wallet.record(paid, { request })];
  assert.deepEqual(await told({ since: clock.now, records }), settled, "what it brings it has not heard of");
});
