import assert from "node:assert/strict";
import { test } from "node:test";
import { mergeAnswer, type PaymentAnswer } from "@cairn/collect";

const STATES = ["received", "pending", "settled", "refused", "held", "released"] as const;
const answer = (state: PaymentAnswer["state"], answeredAt = 1): PaymentAnswer => ({
  state,
  code: undefined,
  sentence: undefined,
  takenMinor: state === "settled" ? 5n : 0n,
  answeredAt,
});

test("the first answer is taken as it is", () => {
  for (const state of STATES) assert.deepEqual(mergeAnswer(undefined, answer(state)), answer(state));
  assert.equal(mergeAnswer(undefined, undefined), undefined);
});

test("settled is never forgotten", () => {
  for (const offered of [...STATES.map((state) => answer(state, 2)), undefined]) {
    assert.deepEqual(mergeAnswer(answer("settled"), offered), answer("settled"));
  }
});

test("received does not undo a judgement, but may follow a refusal", () => {
  for (const state of ["pending", "held", "released"] as const) {
    assert.deepEqual(mergeAnswer(answer(state), answer("received", 2)), answer(state, 2));
  }
  assert.deepEqual(mergeAnswer(answer("refused"), answer("received", 2)), answer("received", 2));
});

test("every other answer replaces the one held", () => {
  for (const held of ["received", "pending", "refused", "held", "released"] as const) {
    for (const offered of ["pending", "settled", "refused", "held", "released"] as const) {
      assert.deepEqual(mergeAnswer(answer(held), answer(offered, 2)), answer(offered, 2));
    }
  }
});

test("what the server no longer knows is stored again, unless it was refused", () => {
  for (const held of ["received", "pending", "held", "released"] as const) {
    assert.equal(mergeAnswer(answer(held), undefined), undefined);
  }
  assert.deepEqual(mergeAnswer(answer("refused"), undefined), answer("refused"));
});
