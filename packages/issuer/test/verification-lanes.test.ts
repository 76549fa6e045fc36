import assert from "node:assert/strict";
import { test } from "node:test";
import { type P256PublicKey, publicKeyFromPoint } from "@cairn/cose";
import fc from "fast-check";
import { VerificationLanes } from "../src/settlement/verification-lanes.ts";

const HINT = new Uint8Array(32);
/** By a number; keys of one `ending` end on the same byte, as somebody can make thousands of. */
const keyOf = (number: number, ending = 7): P256PublicKey =>
  publicKeyFromPoint(Uint8Array.of(2, ...new Uint8Array(28), number >> 16, number >> 8, number, ending));
const under = (publicKey: P256PublicKey, { hinted }: { readonly hinted: boolean }) => ({
  publicKey,
  hint: hinted ? HINT : undefined,
});
/** As the lanes reckon: 4 for a signature alone, 1 for one with a hint, 1 for each key. */
const loadOf = (positions: readonly number[], signatures: readonly ReturnType<typeof under>[]): number => {
  const asked = positions.map((position) => signatures[position] ?? assert.fail());
  const keys = new Set(asked.map(({ publicKey }) => publicKey));
  return asked.reduce((sum, { hint }) => sum + (hint === undefined ? 4 : 1), keys.size);
};

test("keys that all end on the same byte keep both threads as busy", () => {
  const signatures = Array.from({ length: 1_000 }, (_, index) => under(keyOf(index), { hinted: false }));
  const [one, two] = new VerificationLanes(2).share(signatures);
  assert.deepEqual([one?.length, two?.length], [500, 500]);
});

test("everything under one key is shared out too", () => {
  const key = keyOf(1);
  const lanes = new VerificationLanes(2);
  for (let round = 0; round < 3; round++) {
    const signatures = Array.from({ length: 1_000 }, () => under(key, { hinted: false }));
    for (const positions of lanes.share(signatures)) assert.ok(positions.length <= 563, String(positions.length));
  }
});

test("keys stay where they are ready, until too many of them come together", () => {
  const keys = Array.from({ length: 100 }, (_, index) => keyOf(index));
  const lanes = new VerificationLanes(2);
  const keysIn = (shared: readonly (readonly number[])[], asked: readonly P256PublicKey[]) =>
    shared.map((positions) => new Set(positions.map((position) => asked[position] ?? assert.fail())));
  const all = keys.map((key) => under(key, { hinted: true }));
  const first = keysIn(lanes.share(all), keys);
  const backwards = keys.toReversed();
  const second = keysIn(lanes.share(all.toReversed()), backwards);
  assert.deepEqual(second, first);
  // Those of one thread alone: half of them have to go.
  const [ofOne = assert.fail()] = first;
  const chosen = [...ofOne];
  const third = keysIn(lanes.share(chosen.map((key) => under(key, { hinted: true }))), chosen);
  assert.ok(
    third.every((some) => some.size <= 29 && some.size >= 21),
    `${third.map(({ size }) => size)}`,
  );
});

test("a signature without a hint counts for the work that it is", () => {
  const alone = Array.from({ length: 100 }, (_, index) => under(keyOf(index), { hinted: false }));
  const hinted = Array.from({ length: 250 }, (_, index) => under(keyOf(1_000 + index), { hinted: true }));
  const signatures = [...alone, ...hinted];
  const loads = new VerificationLanes(2).share(signatures).map((positions) => loadOf(positions, signatures));
  assert.deepEqual(loads, [500, 500]);
});

test("whatever comes in whichever order, each signature goes to one thread and no thread has much more than its share", () => {
  const signature = fc.record({ key: fc.nat({ max: 40 }), hinted: fc.boolean() });
  const rounds = fc.array(fc.array(signature, { maxLength: 200 }), { maxLength: 5 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), rounds, (count, rounds) => {
      const keys = Array.from({ length: 41 }, (_, index) => keyOf(index));
      const lanes = new VerificationLanes(count);
      for (const round of rounds) {
        const signatures = round.map(({ key, hinted }) => under(keys[key] ?? assert.fail(), { hinted }));
        const shared = lanes.share(signatures);
        assert.equal(shared.length, count);
        assert.deepEqual(
          shared.flat().sort((a, b) => a - b),
          [...signatures.keys()],
        );
        const total = loadOf([...signatures.keys()], signatures);
        // The last signature may go over the brim, with its key.
        for (const positions of shared) assert.ok(loadOf(positions, signatures) <= (total / count) * 1.125 + 5);
      }
    }),
  );
});
