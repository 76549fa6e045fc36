import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { type ModelCall, Replay } from "./model-replay.ts";

/**
 * The model of docs/spec/model and this package decide alike: every question that the stories of traces.json put to
 * the model's server gets the same answer here, proves the same conflicts and leaves the same books.
 */
type Story = {
  readonly world: string;
  readonly witness: string;
  readonly seed: string;
  readonly calls: readonly ModelCall[];
};

const stories: readonly Story[] = JSON.parse(
  readFileSync(new URL("../../../docs/spec/model/traces.json", import.meta.url), "utf8"),
);

for (const { world, witness, seed, calls } of stories) {
  test(`the model's story ${world} ${witness || "to its end"} ${seed}`, () => {
    const replay = new Replay();
    for (const [index, call] of calls.entries()) {
      const told = replay.tell(call);
      const expected = {
        answer: call.answer,
        rivals: [...(call.rivals ?? [])].sort((left, right) => left - right),
        books: call.books,
      };
      assert.deepEqual(told, expected, `call ${index + 1}: ${JSON.stringify(call)}`);
    }
  });
}

test("the stories reach every way in which a payment can end", () => {
  const seen = new Set(
    stories.flatMap(({ calls }) => calls.map(({ answer }) => `${answer.state} ${answer.why}`.trim())),
  );
  const ways = [
    "pending",
    "settled",
    "released REQUEST_VOIDED",
    "released NOT_UPLOADED_IN_TIME",
    "refused REQUEST_VOIDED",
    "refused CERTIFICATE_REVOKED",
    "refused CERTIFICATE_EXPIRED",
    "refused LIMIT_EXCEEDED",
    "refused CAPTURE_OVER_MAXIMUM",
    "refused PAYMENT_EXPIRED",
    "held UPLOAD_TOO_LATE",
    "held OPEN_PAYMENT_CAPTURED_ELSEWHERE",
    "held SEQUENCE_CONFLICT",
    "held PAYEE_CEILING_REACHED",
    "held REQUEST_PAID_TWICE",
  ];
  assert.deepEqual(
    ways.filter((way) => !seen.has(way)),
    [],
  );
});
