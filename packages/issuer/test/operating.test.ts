import assert from "node:assert/strict";
import { test } from "node:test";
import { deviceIdOf, isRevoked, restoreVerified, statusList, terminalIdOf } from "@cairn/messages";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { ClientError } from "../src/client/client-error.ts";
import { OperatorClient } from "../src/client/operator-client.ts";
import { PROBLEMS } from "../src/http/problems.ts";
import { startTestIssuer } from "./support/issuer.ts";
import { crypto, EUR, payeeId } from "./support/values.ts";
import { TestWallet } from "./support/wallet.ts";
import { KIOSK, makeWorld } from "./support/world.ts";

const failsWith = (code: string) => (error: unknown) => error instanceof ClientError && error.code === code;

test("accounts: opened, listed, topped up once for each key, given credit, frozen", async (t) => {
  const { operator, clock } = await startTestIssuer(t);
  const opened = await operator.createAccount({ name: "Ada", currency: EUR });
  assert.deepEqual([opened.balanceMinor, opened.status, opened.createdAt], [0n, "active", clock.now]);
  const other = await operator.createAccount({ name: "Bob", currency: EUR });
  assert.deepEqual(
    (await operator.accounts()).map(({ account, name }) => [account, name]).toSorted(),
    [
      [opened.account, "Ada"],
      [other.account, "Bob"],
    ].toSorted(),
  );
  const { account } = opened;
  const topUp = { amountMinor: 2_500n, idempotencyKey: "k" };
  assert.deepEqual((await operator.topUp(account, topUp)).repeated, false);
  const repeated = await operator.topUp(account, topUp);
  assert.deepEqual([repeated.repeated, repeated.account.balanceMinor], [true, 2_500n]);
  const credited = await operator.setCredit(account, { lineMinor: 900n, overdueMinor: 0n, scoreBand: "C" });
  assert.deepEqual([credited.creditLineMinor, credited.scoreBand, credited.creditInformedAt], [900n, "C", clock.now]);
  assert.equal((await operator.setAccountStatus(account, "frozen")).status, "frozen");
  assert.equal((await operator.account(account)).status, "frozen");
  assert.equal((await operator.account(other.account)).status, "active");
});

test("payees: signed up with ceilings of their own or the defaults, listed, shown", async (t) => {
  const { operator } = await startTestIssuer(t);
  const payee = await operator.createPayee({
    payeeId: KIOSK,
    name: "Harbour Kiosk",
    currency: EUR,
    perPaymentCapMinor: 1_234n,
    maximumOfflineSeconds: 3_600,
  });
  assert.deepEqual([payee.perPaymentCapMinor, payee.maximumOfflineSeconds], [1_234n, 3_600]);
  assert.ok(payee.storedTotalCapMinor > 0n && payee.perCertificateCapMinor > 0n);
  assert.deepEqual(await operator.payee(KIOSK), payee);
  assert.deepEqual(await operator.payees(), [payee]);
  const tooShort = { payeeId: payeeId("SHORT"), name: "Short", currency: EUR, maximumOfflineSeconds: 3_599 };
  await assert.rejects(operator.createPayee(tooShort), failsWith("OFFLINE_TIME_TOO_SHORT"));
  const tooLarge = { payeeId: payeeId("BIG"), name: "Big", currency: EUR, storedTotalCapMinor: 2n ** 53n };
  await assert.rejects(operator.createPayee(tooLarge), failsWith("AMOUNT_OUT_OF_RANGE"));
});

test("freezing a device or a terminal shuts it out until it is unfrozen", async (t) => {
  const { operator, wallet, terminal } = await makeWorld(t);
  const deviceId = deviceIdOf(wallet.signer.publicKey, crypto);
  const terminalId = terminalIdOf(terminal.signer.publicKey, crypto);
  assert.equal((await operator.setDeviceStatus(deviceId, "frozen")).status, "frozen");
  assert.equal((await operator.setTerminalStatus(terminalId, "frozen")).status, "frozen");
  await assert.rejects(wallet.sync(), failsWith("CALLER_FROZEN"));
  await assert.rejects(terminal.client.upload([]), failsWith("CALLER_FROZEN"));
  await operator.setDeviceStatus(deviceId, "active");
  await operator.setTerminalStatus(terminalId, "active");
  await wallet.sync();
  await terminal.client.upload([]);
});

test("a withdrawn certificate is in the very next status list", async (t) => {
  const { operator, wallet } = await makeWorld(t);
  await wallet.sync();
  const { certificateId, terms } = wallet.held().content;
  const listed = async () => {
    const { statusList: bytes } = await wallet.client.lists();
    return isRevoked(restoreVerified(statusList, bytes, crypto).content, terms.statusIndex);
  };
  assert.equal(await listed(), false);
  assert.deepEqual(await operator.revoke(certificateId, "telephone lost"), { repeated: false });
  assert.equal(await listed(), true);
  assert.deepEqual(await operator.revoke(certificateId, "again"), { repeated: true });
});

test("a new telephone takes the place of an old one", async (t) => {
  const { operator, wallet, account, ...at } = await makeWorld(t);
  await wallet.sync();
  const replacesDeviceId = deviceIdOf(wallet.signer.publicKey, crypto);
  const { code } = await operator.createDeviceCode(account, { replacesDeviceId });
  await operator.topUp(account, { amountMinor: 20_000n, idempotencyKey: "more" });
  const replaced = await new TestWallet({ operator, ...at }).enrol(code);
  const answer = await replaced.sync();
  assert.ok(answer.decision.reasons.some(({ code }) => code === "DEVICE_KEY_REPLACED"));
  const stranger = await operator.createAccount({ name: "Bob", currency: EUR });
  await assert.rejects(operator.createDeviceCode(stranger.account, { replacesDeviceId }), failsWith("DEVICE_UNKNOWN"));
});

test("entries are paged in the order of posting", async (t) => {
  const { operator } = await startTestIssuer(t);
  const { account } = await operator.createAccount({ name: "Ada", currency: EUR });
  for (let round = 1; round <= 5; round++)
    await operator.topUp(account, { amountMinor: BigInt(round), idempotencyKey: `k${round}` });
  const first = await operator.entries({ account, limit: 2 });
  const rest = await operator.entries({ account, after: first.at(-1)?.entryId ?? 0, limit: 10 });
  const amounts = [...first, ...rest].map(({ postings }) => postings.find(({ minor }) => minor > 0n)?.minor);
  assert.deepEqual(amounts, [1n, 2n, 3n, 4n, 5n]);
  const books = await operator.verifyBooks();
  assert.deepEqual([books.entries, books.faults], [5, []]);
});

test("without the token nothing is told, whatever else is right", async (t) => {
  const { issuer } = await startTestIssuer(t);
  for (const token of ["", "wrong", `${issuer.operatorToken}x`, issuer.operatorToken.slice(0, -1)]) {
    const stranger = new OperatorClient({ url: issuer.url, token });
    await assert.rejects(stranger.accounts(), failsWith("OPERATOR_TOKEN_INVALID"));
    await assert.rejects(stranger.createAccount({ name: "Eve", currency: EUR }), failsWith("OPERATOR_TOKEN_INVALID"));
  }
});

const OpenApi = Type.Object({
  openapi: Type.String(),
  paths: Type.Record(Type.String(), Type.Record(Type.String(), Type.Unknown())),
});

test("the API description names every route and every problem", async (t) => {
  const { issuer } = await startTestIssuer(t);
  const description = Value.Decode(OpenApi, await (await fetch(`${issuer.url}/openapi.json`)).json());
  assert.match(description.openapi, /^3\./);
  const routes = Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method} ${path}`),
  );
  assert.deepEqual(routes.toSorted(), ROUTES.toSorted());
  const said = JSON.stringify(description);
  for (const code of Object.keys(PROBLEMS)) assert.match(said, new RegExp(`\\b${code}\\b`));
});

const ROUTES = [
  "post /v1/uploads/stream",
  "get /v1/operator/policy",
  "get /v1/operator/policies",
  "post /v1/operator/accounts/{account}/explanation",
  "get /v1/operator/certificates/{certificateId}",
  "post /v1/operator/payments/{paymentId}/review",
  "get /v1/operator/reconciliation",
  "get /v1/operator/statements",
  "post /v1/outcomes/stream",
  "post /v1/operator/payments/{paymentId}/refunds",
  "get /metrics",
  "post /v1/operator/payout-batches/{batchId}/payouts/{payeeId}",
  "post /v1/operator/payout-batches/{batchId}/export",
  "get /v1/operator/payout-batches/{batchId}",
  "post /v1/operator/payout-batches",
  "post /v1/operator/sweeps",
  "put /v1/operator/payees/{payeeId}/terms",
  "get /v1/operator/backups",
  "post /v1/operator/backups",
  "post /v1/operator/journals",
  "post /v1/events",
  "put /v1/operator/trust-list",
  "post /v1/operator/keys/{keyId}/withdrawal",
  "post /v1/operator/devices/{deviceId}/recovery",
  "post /v1/operator/devices/{deviceId}/loss",
  "post /v1/operator/certificates/{certificateId}/restoration",
  "post /v1/losses",
  "post /v1/receiving",
  "post /v1/refunds",
  "post /v1/devices",
  "get /v1/operator/keys/statement",
  "post /v1/operator/accounts/{account}/withdrawals",
  "post /v1/operator/accounts/{account}/transfers",
  "post /v1/operator/accounts/{account}/payments",
  "get /health",
  "get /openapi.json",
  "get /ready",
  "get /v1/nonce",
  "get /v1/operator/accounts",
  "get /v1/operator/accounts/{account}",
  "get /v1/operator/accounts/{account}/certificates",
  "get /v1/operator/books",
  "post /v1/operator/books/missing-heads",
  "get /v1/operator/conflicts",
  "get /v1/operator/devices/{deviceId}",
  "get /v1/operator/entries",
  "get /v1/operator/held-payments",
  "get /v1/operator/keys",
  "get /v1/operator/payees",
  "get /v1/operator/payees/{payeeId}",
  "get /v1/operator/payees/{payeeId}/terminals",
  "get /v1/operator/payments/{paymentId}/evidence",
  "get /v1/operator/terminals/{terminalId}",
  "get /v1/operator/trial-balance",
  "get /v1/status-list",
  "get /v1/trust-list",
  "post /v1/enrolments/device",
  "post /v1/enrolments/terminal",
  "post /v1/operator/accounts",
  "post /v1/operator/accounts/{account}/conflicts/resolve",
  "post /v1/operator/accounts/{account}/enrolment-codes",
  "post /v1/operator/accounts/{account}/top-ups",
  "post /v1/operator/certificates/{certificateId}/revocation",
  "post /v1/operator/keys/rotation",
  "post /v1/operator/keys/sealing",
  "post /v1/operator/payees",
  "post /v1/operator/payees/{payeeId}/enrolment-codes",
  "post /v1/outcomes",
  "post /v1/sync",
  "post /v1/uploads",
  "put /v1/operator/accounts/{account}/credit",
  "put /v1/operator/accounts/{account}/status",
  "put /v1/operator/devices/{deviceId}/status",
  "put /v1/operator/terminals/{terminalId}/status",
];

test("the log names what happened and keeps every secret", async (t) => {
  const { issuer, operator, wallet, terminal, account, logged } = await makeWorld(t);
  await wallet.sync();
  const { code } = await operator.createDeviceCode(account);
  await terminal.client.upload([]);
  const lines = logged.join("").trim().split("\n");
  for (const line of lines) assert.equal(typeof JSON.parse(line).msg, "string");
  const all = lines.join("\n");
  assert.match(all, /certificate issued/);
  for (const secret of [issuer.operatorToken, code, code.replace("-", ""), "Ada", "horse"])
    assert.ok(!all.includes(secret), `${secret} must not be in the log`);
});
