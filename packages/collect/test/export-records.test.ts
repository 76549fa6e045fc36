import assert from "node:assert/strict";
import { test } from "node:test";
import { chargeFor, makeIssuer, makePayer, makeTerminal } from "./world.ts";

const issuer = makeIssuer();

test("an export holds everything that is not settled, and stays the same until something is", async () => {
  const { terminal } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const asked = await chargeFor(terminal, 100n);
  const paid = await payer.pay(asked.codeText);
  assert.equal((await terminal.accept(paid.codeText)).kind, "accepted");
  const open = await payer.payOpen(500n);
  assert.equal((await terminal.acceptOpen(open.codeText, { captureMinor: 300n })).kind, "accepted");

  const exported = await terminal.exportRecords();
  assert.equal(exported.length, 2);
  assert.deepEqual(exported, (await terminal.buildUpload({ limit: 10 })).records);
  assert.deepEqual(await terminal.exportRecords(), exported);

  await terminal.applyOutcomes([
    { paymentId: paid.signed.messageId, state: "settled", code: null, sentence: "", takenMinor: 100n },
  ]);
  assert.deepEqual(await terminal.exportRecords(), exported.slice(1));
});

test("an open payment whose amount is not fixed is not exported", async () => {
  const { terminal } = await makeTerminal(issuer);
  const payer = await makePayer(issuer);
  const open = await payer.payOpen(500n);
  assert.equal((await terminal.acceptOpen(open.codeText)).kind, "accepted");
  assert.deepEqual(await terminal.exportRecords(), []);
});
