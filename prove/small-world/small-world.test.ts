import assert from "node:assert/strict";
import { test } from "node:test";
import { explore } from "./breadth-first.ts";
import { smallWorld } from "./small-world.ts";

test("no state of two payments breaks a promise, with one device or a copied one, among honest tills or not", async () => {
  for (const images of [1, 2])
    for (const evilTill of [false, true]) {
      const { states, counterexample } = explore(await smallWorld({ payments: 2, images, evilTill }));
      assert.equal(counterexample, undefined);
      assert.ok(states > 100);
    }
});

test("the interesting states are among them, and the shortest way to one is told", async () => {
  const space = await smallWorld({ payments: 2, images: 2, evilTill: false });
  const lost = explore({
    ...space,
    broken: ({ server }) => (server.total("loss-reserve") > 0n ? ["there is a loss"] : []),
  });
  assert.deepEqual(lost.counterexample?.broken, ["there is a loss"]);
  const story = lost.counterexample?.story ?? [];
  // Copied, two payments, each accepted and uploaded: no shorter way leads to a loss.
  assert.equal(story.length, 7);
  assert.equal(story.filter((line) => line.startsWith("the device is copied")).length, 1);
  assert.equal(story.filter((line) => line.includes("uploads")).length, 2);
});

test("every state is visited once and the nearest first", () => {
  const counted = explore<number>({
    start: 0,
    key: String,
    next: (state) => [state * 2 + 1, state + 3].filter((to) => to < 50).map((to) => ({ says: `to ${to}`, state: to })),
    broken: (state) => (state === 13 ? ["thirteen"] : []),
  });
  // 0 > 3 > 6 > 13 is as short as 0 > 1 > ... can be.
  assert.equal(counted.counterexample?.story.length, 3);
  const whole = explore<number>({
    start: 0,
    key: String,
    next: (state) => (state < 9 ? [{ says: "on", state: state + 1 }] : []),
    broken: () => [],
  });
  assert.deepEqual(whole, { states: 10, transitions: 9, depth: 9, counterexample: undefined });
});
