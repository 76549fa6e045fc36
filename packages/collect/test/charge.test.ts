import assert from "node:assert/strict";
import { test } from "node:test";
import {
  currency,
  expectCode,
  type MessageId,
  payeeCertificate,
  paymentRequest,
  readCode,
  restoreVerified,
} from "@cairn/messages";
import { chargeFor, codeOf, crypto, DAY, eur, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

const issuer = makeIssuer();

test("makes a signed request that is in the journal before it is shown", async () => {
  const { terminal, journal, payee } = await makeTerminal(issuer);
  const outcome = await terminal.charge({ amount: eur(1_250n), orderReference: "Table 4", validitySeconds: 120 });
  assert.ok(outcome.kind === "requested");
  const code = expectCode(readCode(outcome.codeText), "request");
  assert.deepEqual(restoreVerified(payeeCertificate, code.certificate, crypto).content, payee.content);
  const request = restoreVerified(paymentRequest, code.message, crypto);
  assert.deepEqual(request.content, outcome.request);
  assert.equal(request.messageId, outcome.requestId);
  const { issuedAt, expiresAt, amountMinor, orderReference } = outcome.request;
  assert.deepEqual([issuedAt, expiresAt, amountMinor, orderReference], [NOW, NOW + 120, 1_250n, "Table 4"]);
  assert.deepEqual((await journal.request(outcome.requestId))?.request, code.message);
  assert.equal(await terminal.requestCode(outcome.requestId), outcome.codeText);
});

test("a request shown again comes with the certificate that it was made under", async () => {
  const { terminal, enrolment, signer } = await makeTerminal(issuer);
  const { requestId, codeText } = await chargeFor(terminal, 5n);
  const renewed = await issuer.signPayee(signer, { issuedAt: NOW });
  assert.deepEqual(await terminal.applyLists({ ...enrolment, payeeCertificate: renewed.bytes }), []);
  assert.equal(await terminal.requestCode(requestId), codeText);
});

test("two charges are two requests", async () => {
  const { terminal } = await makeTerminal(issuer);
  assert.equal(await terminal.requestCode("00".repeat(32) as MessageId), undefined, "nobody asked for that");
  assert.notEqual((await chargeFor(terminal, 5n)).requestId, (await chargeFor(terminal, 5n)).requestId);
});

test("refuses what the payee certificate does not allow", async () => {
  const { terminal, clock } = await makeTerminal(issuer, { payee: { expiresAt: NOW + 1_000 } });
  assert.equal(codeOf(await terminal.charge({ amount: eur(0n) })), "AMOUNT_ZERO");
  assert.equal(codeOf(await terminal.charge({ amount: eur(5_001n) })), "AMOUNT_OVER_PAYEE_CAP");
  assert.equal(codeOf(await terminal.charge({ amount: eur(5_000n) })), "requested");
  const dollars = { currency: currency("USD"), minor: 5n };
  assert.equal(codeOf(await terminal.charge({ amount: dollars })), "CURRENCY_MISMATCH");
  clock.at = NOW + 900;
  const late = await terminal.charge({ amount: eur(5n) });
  assert.ok(late.kind === "requested" && late.request.expiresAt === NOW + 1_000, "never beyond the certificate");
  for (const at of [NOW + 1_000, NOW + 1_001]) {
    clock.at = at;
    assert.equal(codeOf(await terminal.charge({ amount: eur(5n) })), "PAYEE_CERTIFICATE_EXPIRED");
  }
});

test("refuses a validity that is too long, and what no request can carry is malformed", async () => {
  const { terminal, journal } = await makeTerminal(issuer);
  const amount = eur(5n);
  assert.equal(codeOf(await terminal.charge({ amount, validitySeconds: 3_601 })), "REQUEST_VALIDITY_TOO_LONG");
  assert.equal(codeOf(await terminal.charge({ amount, validitySeconds: 3_600 })), "requested");
  await assert.rejects(terminal.charge({ amount, validitySeconds: 0 }), { code: "MESSAGE_INCONSISTENT" });
  await assert.rejects(terminal.charge({ amount, validitySeconds: 0.5 }), { code: "MESSAGE_FIELD_INVALID" });
  await assert.rejects(terminal.charge({ amount, orderReference: "x".repeat(33) }), { code: "MESSAGE_FIELD_INVALID" });
  assert.equal((await journal.requests({ limit: 9 })).length, 1);
});

test("asks for nothing that it could not accept: old lists, a full store", async () => {
  const stale = await makeTerminal(issuer, { statusList: { issuedAt: NOW - DAY - 1 } });
  assert.equal(codeOf(await stale.terminal.charge({ amount: eur(5n) })), "STATUS_LIST_STALE");
  const risky = stale.again({ policy: { ...stale.ports.policy, whenStale: "at-own-risk" } });
  assert.equal(codeOf(await risky.charge({ amount: eur(5n) })), "requested");
  stale.clock.at = NOW + 31 * DAY;
  assert.equal(codeOf(await risky.charge({ amount: eur(5n) })), "TRUST_LIST_EXPIRED");
  const untrusting = await makeTerminal(issuer, {
    statusList: { issuedAt: NOW + 30 * DAY, expiresAt: NOW + 60 * DAY },
  });
  untrusting.clock.at = NOW + 30 * DAY + 301;
  assert.equal(
    codeOf(await untrusting.terminal.charge({ amount: eur(5n) })),
    "TRUST_LIST_EXPIRED",
    "a fresh list beside",
  );

  const { terminal } = await makeTerminal(issuer, { payee: { terms: { storedTotalCapMinor: 199n } } });
  const payer = await makePayer(issuer);
  assert.equal(
    (await terminal.accept((await payer.pay((await chargeFor(terminal, 100n)).codeText)).codeText)).kind,
    "accepted",
  );
  assert.equal(codeOf(await terminal.charge({ amount: eur(100n) })), "STORED_TOTAL_REACHED");
  assert.equal(codeOf(await terminal.charge({ amount: eur(99n) })), "requested");
});
