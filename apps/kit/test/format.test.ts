import assert from "node:assert/strict";
import { test } from "node:test";
import { formatDuration, formatFromNow } from "../src/language/format.ts";

const [MINUTE, HOUR, DAY] = [60, 3_600, 86_400];
const NOW = 1_800_000_000;

test("how far away a moment is, in the largest unit; what is a day away need not be tomorrow", () => {
  for (const [difference, text] of [
    [3 * DAY, "in 3 days"],
    [2 * DAY - 20, "in 2 days"],
    [DAY + 20, "in 1 day"],
    [DAY - 20, "in 24 hours"],
    [HOUR, "in 1 hour"],
    [10, "this minute"],
    [-10, "this minute"],
    [-5 * MINUTE - 3, "5 minutes ago"],
    [-DAY, "1 day ago"],
  ] as const)
    assert.equal(formatFromNow(NOW + difference, NOW), text);
});

test("how long something takes", () => {
  for (const [seconds, text] of [
    [7 * DAY, "7 days"],
    [DAY, "1 day"],
    [12 * HOUR, "12 hours"],
    [5 * MINUTE, "5 minutes"],
  ] as const)
    assert.equal(formatDuration(seconds), text);
});
