import assert from "node:assert/strict";
import { test } from "node:test";
import { ClockWatch } from "../src/clock-watch.ts";

/** Two clocks that pass together, of which one can be set. */
function clocks() {
  let nowSeconds = 1_800_000_000;
  let monotonicMs = 5_000;
  const watch = new ClockWatch();
  return {
    pass: (seconds: number) => {
      nowSeconds += seconds;
      monotonicMs += seconds * 1_000;
    },
    set: (bySeconds: number) => {
      nowSeconds += bySeconds;
    },
    look: () => watch.look({ nowSeconds, monotonicMs }),
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
