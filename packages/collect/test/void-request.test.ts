import assert from "node:assert/strict";
import { test } from "node:test";
import { expectCode, type MessageId, readCode, requestVoid, restoreVerified } from "@cairn/messages";
import { chargeFor, codeOf, crypto, makeIssuer, makePayer, makeTerminal, NOW } from "./world.ts";

const issuer = makeIssuer();

test("a void is in the journal before it is shown, and no payment is accepted after it", async () => {
  const { terminal, journal, payee } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 100n);
  const paid = await payer.pay(asked.codeText);
  const outcome = await terminal.voidRequest(asked.requestId);
  assert.ok(outcome.kind === "voided");
  assert.equal((await journal.request(asked.requestId))?.voidedAt, NOW);
  const code = expectCode(readCode(outcome.codeText), "void");
  assert.deepEqual(code.certificate, payee.bytes);
  assert.deepEqual(restoreVerified(requestVoid, code.message, crypto).content, {
    payeeCertificateId: payee.content.payeeCertificateId,
    requestId: asked.requestId,
    issuedAt: NOW,
  });
  assert.equal(codeOf(await terminal.accept(paid.codeText)), "REQUEST_VOIDED");
});

test("voiding again shows the same void", async () => {
  const { terminal, clock, again } = await makeTerminal(issuer);
  const { requestId } = await chargeFor(terminal, 100n);
  const first = await terminal.voidRequest(requestId);
  clock.at = NOW + 50;
  assert.deepEqual(await again().voidRequest(requestId), first);
});

test("never after an acceptance, and not for what this terminal did not ask", async () => {
  const { terminal } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 100n);
  assert.equal((await terminal.accept((await payer.pay(asked.codeText)).codeText)).kind, "accepted");
  assert.equal(codeOf(await terminal.voidRequest(asked.requestId)), "REQUEST_ALREADY_PAID");
  assert.equal(codeOf(await terminal.voidRequest("00".repeat(32) as MessageId)), "REQUEST_UNKNOWN");
});

test("void and acceptance at the same moment: exactly one of them", async () => {
  for (const voidFirst of [true, false]) {
    const { terminal, again } = await makeTerminal(issuer);
    const asked = await chargeFor(terminal, 100n);
    const { codeText } = await (await makePayer(issuer)).pay(asked.codeText);
    const other = again();
    const outcomes = await Promise.all(
      voidFirst
        ? [terminal.voidRequest(asked.requestId), other.accept(codeText)]
        : [other.accept(codeText), terminal.voidRequest(asked.requestId)],
    );
    const done = outcomes.filter(({ kind }) => kind === "voided" || kind === "accepted");
    assert.equal(done.length, 1);
  }
});
