import assert from "node:assert/strict";
import { test } from "node:test";
import { MALFORMED_SENTENCES, REFUSAL_SENTENCES } from "@cairn/messages";
import { outcomeSentence, SETTLEMENT_SENTENCES } from "@cairn/settle";

test("a settlement code is no refusal code: one code means one thing", () => {
  const shared = Object.keys(SETTLEMENT_SENTENCES).filter(
    (code) => code in REFUSAL_SENTENCES || code in MALFORMED_SENTENCES,
  );
  assert.deepEqual(shared, []);
});

test("every outcome has a sentence for people", () => {
  assert.equal(outcomeSentence("settled", undefined), "Paid.");
  assert.match(outcomeSentence("pending", undefined), /payer alone/);
  assert.match(outcomeSentence("released", "REQUEST_VOIDED"), /given back/);
  assert.match(outcomeSentence("refused", "REQUEST_VOIDED"), /cancelled/);
  assert.match(outcomeSentence("held", "UPLOAD_TOO_LATE"), /deadline/);
  assert.equal(outcomeSentence("refused", "LIMIT_EXCEEDED"), REFUSAL_SENTENCES.LIMIT_EXCEEDED);
});
