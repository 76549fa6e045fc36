import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockWatch } from "../src/clock-watch.ts";
import { eventually } from "./support/issuer.ts";
import { makeWorld } from "./support/world.ts";

/** Two clocks that pass together, of which one can be set. */
function clocks() {
  let nowSeconds = 1_800_000_000;
  let monotonicMs = 5_000;
  const watch = new ClockWatch({ nowSeconds: () => nowSeconds }, () => monotonicMs);
  return {
    pass: (seconds: number) => {
      nowSeconds += seconds;
      monotonicMs += seconds * 1_000;
    },
    set: (bySeconds: number) => {
      nowSeconds += bySeconds;
    },
    mayForget: () => watch.mayForget,
    look: () => ({ jumpSeconds: watch.look(), isTrusted: watch.isTrusted }),
  };
}

test("a clock that passes as time does is trusted, slewed or held up", () => {
  const { pass, set, look } = clocks();
  assert.deepEqual(look(), { jumpSeconds: 0, isTrusted: true });
  for (const [seconds, slew] of [
    [60, 0],
    [60, 1],
    [7_200, -3],
    [1, 30],
  ] as const) {
    pass(seconds);
    set(slew);
    assert.deepEqual(look(), { jumpSeconds: 0, isTrusted: true });
  }
});

test("a clock that jumps, either way, is not trusted for an hour after the last jump", () => {
  for (const jump of [30 * 86_400, -30 * 86_400, 61, -61]) {
    const { pass, set, look } = clocks();
    look();
    set(jump);
    assert.deepEqual(look(), { jumpSeconds: jump, isTrusted: false });
    pass(1_800);
    set(-jump);
    assert.deepEqual(look(), { jumpSeconds: -jump, isTrusted: false });
    pass(3_599);
    assert.deepEqual(look(), { jumpSeconds: 0, isTrusted: false });
    pass(1);
    assert.deepEqual(look(), { jumpSeconds: 0, isTrusted: true });
  }
});

test("nothing is forgotten in the first hour, nor in the one after a jump, which is told all the same", () => {
  const { pass, set, look, mayForget } = clocks();
  assert.equal(mayForget(), false);
  pass(3_599);
  assert.equal(mayForget(), false);
  pass(1);
  assert.equal(mayForget(), true);
  set(86_400);
  assert.equal(mayForget(), false);
  assert.deepEqual(look(), { jumpSeconds: 86_400, isTrusted: false });
  assert.deepEqual(look(), { jumpSeconds: 0, isTrusted: false });
  pass(3_600);
  assert.equal(mayForget(), true);
});

test("a server whose clock jumps ahead gives no pending payment back, and settles it when the clock is right again", async (t) => {
  let passedMs = 0;
  const world = await makeWorld(t, { monotonicMs: () => passedMs });
  await world.wallet.sync();
  const request = await world.terminal.request(700n);
  const paid = await world.wallet.pay(request);
  // The payer's copy alone: pending until the payee brings it, or the deadline is past.
  const certificate = world.wallet.held();
  await world.wallet.client.sync({ records: [world.wallet.record(paid, { request })] });
  const stateOf = async () => (await world.wallet.client.outcomes([paid.messageId])).payments[0]?.state;
  await eventually(async () => (await stateOf()) === "pending");
  world.clock.now += 400 * 86_400;
  await eventually(async () => world.logged.some((line) => line.includes("CLOCK_JUMPED")));
  const { issuer } = world;
  const metrics = await fetch(`${issuer.url}/metrics`, {
    headers: { authorization: `Bearer ${issuer.operatorToken}` },
  });
  assert.match(await metrics.text(), /^cairn_clock_trusted 0$/m);
  assert.equal(await stateOf(), "pending");
  world.clock.now -= 400 * 86_400;
  await world.terminal.client.upload([world.terminal.record(request, certificate, paid)]);
  await eventually(async () => (await stateOf()) === "settled");
  // Once trusted, the clock decides again.
  const other = await world.terminal.request(100n);
  const unclaimed = await world.wallet.pay(other);
  await world.wallet.client.sync({ records: [world.wallet.record(unclaimed, { request: other })] });
  passedMs += 4_000_000;
  world.clock.now += 4_000;
  passedMs += 400 * 86_400_000;
  world.clock.now += 400 * 86_400;
  await eventually(
    async () => (await world.wallet.client.outcomes([unclaimed.messageId])).payments[0]?.state === "released",
  );
  assert.deepEqual((await world.operator.verifyBooks()).faults, []);
});
