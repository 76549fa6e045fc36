import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { type AcceptedIssuer, DEFAULT_COLLECT_POLICY, openTerminal, type Terminal } from "@cairn/collect";
import { generateNodeSigner } from "@cairn/cose/node";
import { expectCode, paymentRequest, readCode, restoreVerified, writeCode } from "@cairn/messages";
import { SqliteTerminalJournal } from "@cairn/stores";
import { ClientError } from "../src/client/client-error.ts";
import { IssuerClient } from "../src/client/issuer-client.ts";
import { systemRandom } from "../src/ports.ts";
import { eventually, startTestIssuer, type TestIssuer } from "./support/issuer.ts";
import { makeRoot } from "./support/root.ts";
import { crypto, EUR } from "./support/values.ts";
import type { TestWallet } from "./support/wallet.ts";
import { addWallet, KIOSK } from "./support/world.ts";

/** Two real servers under one offline root, each with a payer of its own, and one real terminal that knows both. */
async function twoBanks(t: TestContext) {
  const root = await makeRoot(t);
  const start = (issuerId: string) =>
    startTestIssuer(t, { issuerId, issuerName: `Bank ${issuerId}`, offlineRootKey: root.rootKey });
  const [north, south] = await Promise.all([start("north"), start("south")]);
  await root.publish(north.operator, south.operator);
  for (const { operator } of [north, south])
    await operator.createPayee({ payeeId: KIOSK, name: "Harbour Kiosk", currency: EUR });
  const journal = new SqliteTerminalJournal(":memory:");
  t.after(() => journal.close());
  const signer = generateNodeSigner();
  const clock = { nowSeconds: () => north.clock.now };
  const ports = { journal, signer, crypto, clock, random: systemRandom, policy: DEFAULT_COLLECT_POLICY };
  const terminal = openTerminal(ports);
  const clientOf = (bank: TestIssuer) =>
    new IssuerClient({ url: bank.issuer.url, signer, crypto, clock, timeoutMs: 2_000 });
  const enrolAt = async (bank: TestIssuer) => {
    const { code } = await bank.operator.createTerminalCode(KIOSK);
    return clientOf(bank).enrolTerminal({ code, protection: 0, label: "till" });
  };
  const own = await enrolAt(north);
  assert.equal((await terminal.enrol(own)).kind, "enrolled");
  return { root, north, south, terminal, clientOf, enrolAt, own };
}

async function payerOf(bank: TestIssuer): Promise<TestWallet> {
  const { account } = await bank.operator.createAccount({ name: "Ada", currency: EUR });
  await bank.operator.topUp(account, { amountMinor: 5_000n, idempotencyKey: "first" });
  const wallet = await addWallet(bank, account);
  await wallet.sync();
  return wallet;
}

/** One request, whoever pays: the payer's issuer is known only when the payment is shown. */
async function payAt(terminal: Terminal, wallet: TestWallet, minor: bigint) {
  const asked = await terminal.charge({ amount: { currency: EUR, minor } });
  assert.ok(asked.kind === "requested", asked.kind);
  const code = expectCode(readCode(asked.codeText), "request");
  const request = restoreVerified(paymentRequest, code.message, crypto);
  const payment = await wallet.pay({ payeeCertificate: code.certificate, request });
  const codeText = writeCode({ type: "payment", certificate: wallet.held().bytes, message: payment.bytes });
  return { payment, outcome: await terminal.accept(codeText), codeText };
}

/** What the command does: every issuer in turn; one that is down does not stop the next. */
async function uploadAll(terminal: Terminal, clientFor: (issuer: AcceptedIssuer) => IssuerClient): Promise<string[]> {
  const told: string[] = [];
  for (const issuer of await terminal.issuers()) {
    const { guestIssuerId } = issuer;
    try {
      const client = clientFor(issuer);
      const upload = await terminal.buildUpload({ limit: 100, guestIssuerId });
      const applied = await terminal.applyUploadAnswer(upload, await client.upload(upload.records));
      assert.deepEqual(applied.listRefusals, []);
      told.push(`${issuer.issuerId} took ${applied.received}, refused ${applied.refused}`);
      await eventually(async () => {
        const ids = await terminal.paymentsToAsk(100, guestIssuerId);
        await terminal.applyOutcomes((await client.outcomes(ids)).payments);
        return (await terminal.paymentsToAsk(100, guestIssuerId)).length === 0;
      });
    } catch (error) {
      if (!(error instanceof ClientError)) throw error;
      told.push(`${issuer.issuerId}: ${error.code}`);
    }
  }
  return told;
}

const codeOf = (outcome: { kind: string; refusal?: { code: string } }): string => outcome.refusal?.code ?? outcome.kind;
const settledAt = async (bank: TestIssuer): Promise<bigint> => {
  const lines = await bank.operator.trialBalance();
  assert.deepEqual((await bank.operator.verifyBooks()).faults, []);
  return lines
    .filter(({ ledgerAccount }) => ledgerAccount.includes("KIOSK"))
    .reduce((sum, { minor }) => sum - minor, 0n);
};

test("one terminal, two issuers: each payment is settled by its own server, and every outcome comes back", async (t) => {
  const { north, south, terminal, clientOf, enrolAt } = await twoBanks(t);
  const [ada, bob] = await Promise.all([payerOf(north), payerOf(south)]);
  assert.equal(codeOf((await payAt(terminal, bob, 100n)).outcome), "ISSUER_UNKNOWN", "before the issuer was joined");
  const joined = await terminal.join({ ...(await enrolAt(south)), url: south.issuer.url });
  assert.deepEqual(joined, { kind: "joined", issuerId: "south" });

  // From here on nobody is online.
  const paid = [await payAt(terminal, ada, 700n), await payAt(terminal, bob, 900n), await payAt(terminal, ada, 50n)];
  assert.deepEqual(
    paid.map(({ outcome }) => codeOf(outcome)),
    ["accepted", "accepted", "accepted"],
  );
  const voided = await terminal.charge({ amount: { currency: EUR, minor: 1n } });
  assert.ok(voided.kind === "requested");
  await terminal.voidRequest(voided.requestId);

  const banks: Record<string, TestIssuer> = { north, south };
  const clientFor = ({ issuerId }: AcceptedIssuer): IssuerClient => clientOf(banks[issuerId] ?? north);
  // A void is told to both; its record counts as refused because it is no payment.
  assert.deepEqual(await uploadAll(terminal, clientFor), ["north took 3, refused 0", "south took 2, refused 0"]);
  const history = await terminal.history({ limit: 10 });
  const states = history.filter((entry) => entry.kind === "payment").map(({ state }) => state);
  assert.deepEqual(states, ["settled", "settled", "settled"]);
  assert.deepEqual([await settledAt(north), await settledAt(south)], [750n, 900n]);
  assert.deepEqual(await uploadAll(terminal, clientFor), ["north took 0, refused 0", "south took 0, refused 0"]);
});

test("one server that is down keeps the other's money waiting for nothing, and gets its own later", async (t) => {
  const { north, south, terminal, clientOf, enrolAt } = await twoBanks(t);
  const [ada, bob] = await Promise.all([payerOf(north), payerOf(south)]);
  await terminal.join({ ...(await enrolAt(south)), url: south.issuer.url });
  await payAt(terminal, ada, 700n);
  await payAt(terminal, bob, 900n);
  let running = { north, south };
  const clientFor = ({ issuerId }: AcceptedIssuer): IssuerClient =>
    clientOf(issuerId === "north" ? running.north : running.south);
  await north.issuer.close();
  assert.deepEqual(await uploadAll(terminal, clientFor), ["north: ISSUER_UNREACHABLE", "south took 1, refused 0"]);
  assert.equal(await settledAt(south), 900n);
  running = { ...running, north: await north.restart() };
  assert.deepEqual(await uploadAll(terminal, clientFor), ["north took 1, refused 0", "south took 0, refused 0"]);
  assert.equal(await settledAt(running.north), 700n);
});

test("each issuer's status list speaks of its own certificates alone", async (t) => {
  const { north, south, terminal, clientOf, enrolAt } = await twoBanks(t);
  const [ada, bob] = await Promise.all([payerOf(north), payerOf(south)]);
  await terminal.join({ ...(await enrolAt(south)), url: south.issuer.url });
  // Both certificates are the first of their issuers, so they have the same place in the two lists.
  const index = (wallet: TestWallet): number => wallet.held().content.terms.statusIndex;
  assert.equal(index(ada), index(bob));
  await south.operator.revoke(bob.held().content.certificateId, "lost");
  await uploadAll(terminal, ({ issuerId }) => clientOf(issuerId === "north" ? north : south));
  assert.equal(codeOf((await payAt(terminal, ada, 10n)).outcome), "accepted");
  assert.equal(codeOf((await payAt(terminal, bob, 10n)).outcome), "CERTIFICATE_REVOKED");
  // A server that answers with the other's list, old or malicious, changes nothing.
  const other = await clientOf(north).lists();
  const upload = await terminal.buildUpload({ limit: 1, guestIssuerId: (await terminal.issuers())[1]?.guestIssuerId });
  const answer = { records: [], ...other, payeeCertificate: new Uint8Array() };
  const { listRefusals } = await terminal.applyUploadAnswer(upload, answer);
  assert.deepEqual(
    listRefusals.map(({ code }) => code),
    ["ISSUER_UNKNOWN"],
  );
  await assert.doesNotReject(ada.sync());
});

test("an issuer that the root withdraws is accepted no more by a terminal that syncs with any other", async (t) => {
  const { root, north, south, terminal, clientOf, enrolAt } = await twoBanks(t);
  const bob = await payerOf(south);
  await terminal.join({ ...(await enrolAt(south)), url: south.issuer.url });
  const before = await payAt(terminal, bob, 300n);
  assert.equal(codeOf(before.outcome), "accepted");
  const [key] = (await south.operator.keys()).keys;
  assert.ok(key);
  const list = await (await root.open()).withdraw(key.keyId, { validitySeconds: 30 * 86_400, now: north.clock.now });
  await north.operator.bringTrustList(list.bytes);
  await uploadAll(terminal, ({ issuerId }) => {
    if (issuerId === "south") throw new ClientError("ISSUER_UNREACHABLE", "down");
    return clientOf(north);
  });
  assert.equal(codeOf((await payAt(terminal, bob, 10n)).outcome), "ISSUER_UNKNOWN");
  const issuers = await terminal.issuers();
  assert.deepEqual(
    issuers.map(({ issuerId, isTrusted }) => [issuerId, isTrusted]),
    [
      ["north", true],
      ["south", false],
    ],
  );
  // What was taken in good faith before is still uploaded, and paid.
  await uploadAll(terminal, ({ issuerId }) => {
    if (issuerId === "north") throw new ClientError("ISSUER_UNREACHABLE", "down");
    return clientOf(south);
  }).catch(() => undefined);
  await eventually(async () => (await settledAt(south)) === 300n);
});

test("no issuer can sign a right to spend another's accounts", async (t) => {
  const { north, south, terminal, clientOf, enrolAt } = await twoBanks(t);
  const bob = await payerOf(south);
  const ada = await payerOf(north);
  await terminal.join({ ...(await enrolAt(south)), url: south.issuer.url });
  // North's terminal uploads to north what south's payer paid, as a confused or malicious terminal would.
  const { payment } = await payAt(terminal, bob, 300n);
  const upload = await terminal.buildUpload({ limit: 9, guestIssuerId: (await terminal.issuers())[1]?.guestIssuerId });
  const answer = await clientOf(north).upload(upload.records);
  assert.deepEqual(
    answer.records.map(({ code, paymentId }) => [code, paymentId]),
    [["CERTIFICATE_NOT_OURS", payment.messageId]],
  );
  assert.equal(await settledAt(north), 0n);
  assert.ok(ada.certificate);
});

test("joining asks for the same root, payee and currency, and a terminal's own issuer is no guest", async (t) => {
  const { north, south, terminal, enrolAt, own } = await twoBanks(t);
  assert.equal(codeOf(await terminal.join({ ...own, url: north.issuer.url })), "ISSUER_UNKNOWN");
  const guest = { ...(await enrolAt(south)), url: south.issuer.url };
  assert.equal(codeOf(await terminal.join({ ...guest, issuerId: "No Id" })), "ISSUER_UNKNOWN");
  assert.equal(codeOf(await terminal.join({ ...guest, statusList: own.statusList })), "ISSUER_UNKNOWN");
  assert.equal(codeOf(await terminal.join({ ...guest, payeeCertificate: own.payeeCertificate })), "ISSUER_UNKNOWN");
  await assert.rejects(terminal.join({ ...guest, rootKey: (await makeRoot(t)).rootKey }), { code: "ROOT_KEY_DIFFERS" });
  assert.equal((await terminal.join(guest)).kind, "joined");
  assert.equal((await terminal.join({ ...guest, url: "http://127.0.0.1:9" })).kind, "joined", "again, moved");
  assert.deepEqual(
    (await terminal.issuers()).map(({ url }) => url),
    [undefined, "http://127.0.0.1:9"],
  );
});
