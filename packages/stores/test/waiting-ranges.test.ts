import assert from "node:assert/strict";
import { test } from "node:test";
import { part, rangesFrom, rangesWithin, type WaitingRange } from "../src/issuer/postgres/waiting-ranges.ts";
import { randomFrom } from "./crashes/plan.ts";

const range = (first: number, last: number, records = last - first + 1, notBefore = 0): WaitingRange => ({
  first,
  last,
  records,
  notBefore,
});

test("ranges are read as they are written", () => {
  assert.deepEqual(rangesFrom(["5 9 3 0", "12 12 1 1800000000"]), [range(5, 9, 3), range(12, 12, 1, 1_800_000_000)]);
  assert.deepEqual(rangesFrom([]), []);
});

test("a batch has as many whole ranges as fit, and one at least", () => {
  const ranges = [range(1, 5), range(7, 9), range(20, 20)];
  const firsts = (limit: number) => rangesWithin(ranges, limit).map(({ first }) => first);
  assert.deepEqual([firsts(9), firsts(8), firsts(7), firsts(5), firsts(1)], [[1, 7, 20], [1, 7], [1], [1], [1]]);
  assert.deepEqual(rangesWithin([], 5), []);
});

test("what is taken out of ranges no longer waits, and everything else does", () => {
  const random = randomFrom(7);
  for (let round = 0; round < 2_000; round++) {
    const ranges: WaitingRange[] = [];
    const waiting = new Set<number>();
    for (let at = random(4); at < 40; ) {
      const last = at + random(6);
      const inside = Array.from({ length: last - at + 1 }, (_, index) => at + index);
      // Both ends of a range are records; in between some are missing.
      const there = inside.filter((inboxId) => inboxId === at || inboxId === last || random(4) > 0);
      for (const inboxId of there) waiting.add(inboxId);
      ranges.push(range(at, last, there.length, random(2)));
      at = last + 1 + random(3);
    }
    const others = [random(45), 45 + random(5)].filter((inboxId) => !ranges.some((r) => covers(r, inboxId)));
    const taken = [...waiting].filter(() => random(2) > 0);
    const { waited, ended, left } = part(ranges, [...others, ...taken, ...taken.slice(0, 1)].toReversed());
    assert.deepEqual([...waited].sort(rising), taken.toSorted(rising));
    const whole = ranges.filter(({ first }) => !ended.includes(first));
    assert.equal(whole.length + ended.length, ranges.length);
    const still = [...waiting].filter((inboxId) => [...whole, ...left].some((r) => covers(r, inboxId)));
    assert.deepEqual(
      still,
      [...waiting].filter((inboxId) => !waited.has(inboxId)),
    );
    for (const rest of left) {
      assert.ok(![...waited].some((inboxId) => covers(rest, inboxId)), "what was taken is not left");
      const from = ranges.find((r) => covers(r, rest.first));
      assert.ok(from !== undefined && rest.last <= from.last && rest.notBefore === from.notBefore);
    }
  }
});

const covers = ({ first, last }: { readonly first: number; readonly last: number }, inboxId: number): boolean =>
  first <= inboxId && inboxId <= last;
const rising = (one: number, other: number): number => one - other;
