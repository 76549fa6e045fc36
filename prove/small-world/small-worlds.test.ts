import assert from "node:assert/strict";
import { test } from "node:test";
import { explore } from "./breadth-first.ts";
import { rowOf, rowsOnPage } from "./counts.ts";
import { everyNeighbour, everyString } from "./short-bytes.ts";
import { smallWorld } from "./small-world.ts";
import type { State } from "./state.ts";
import { WORLDS } from "./worlds.ts";

/** What must be among a world's states, so that holding its promises says something. */
const SEEN: Readonly<Record<string, readonly string[]>> = {
  honest: ["settled", "pending"],
  copied: ["a loss", "held PAYEE_CEILING_REACHED", "held REQUEST_PAID_TWICE", "held SEQUENCE_CONFLICT"],
  "key-out": ["a loss", "held PAYEE_CEILING_REACHED", "held SEQUENCE_CONFLICT"],
  expiry: ["settled", "held UPLOAD_TOO_LATE", "released NOT_UPLOADED_IN_TIME"],
  gates: ["in part", "held OPEN_PAYMENT_CAPTURED_ELSEWHERE", "refused CAPTURE_OVER_MAXIMUM", "refused PAYMENT_EXPIRED"],
  "gates, copied": ["a loss", "in part", "held OPEN_PAYMENT_CAPTURED_ELSEWHERE"],
  voids: ["released REQUEST_VOIDED", "held VOIDED_AFTER_SETTLEMENT", "refused REQUEST_VOIDED"],
  lists: ["settled", "accepted on an old list", "settled though withdrawn"],
  renewal: ["both certificates settled", "released NOT_UPLOADED_IN_TIME", "money drawn"],
  "false closing": ["a loss at one till", "settled"],
};

/** In the words of {@link SEEN}. */
function* wordsFor({ issuer, tills }: State): Generator<string> {
  const isSettled = (each: (typeof issuer.states)[number]) => each.payments.some(({ state }) => state === "settled");
  for (const certificate of issuer.states)
    for (const { state, code, sideClaims, amountMinor, takenMinor } of certificate.payments) {
      yield `${state} ${code ?? ""}`.trim();
      for (const side of sideClaims) yield `${side.state} ${side.code}`;
      if (state === "settled" && takenMinor < amountMinor) yield "in part";
      if (state === "settled" && certificate.revokedAt !== undefined) yield "settled though withdrawn";
    }
  if (issuer.states.length > 1 && issuer.states.every(isSettled)) yield "both certificates settled";
  if (issuer.withdrawnMinor > 0n) yield "money drawn";
  if (issuer.lossMinor > 0n) yield tills.length === 1 ? "a loss at one till" : "a loss";
  const withdrawn = issuer.states.filter(({ revokedAt }) => revokedAt !== undefined);
  for (const { accepted, listAt } of tills)
    for (const { acceptedAt, certificateId } of accepted)
      if (withdrawn.some((one) => one.certificateId === certificateId && (one.revokedAt ?? 0) < acceptedAt))
        if (listAt < acceptedAt) yield "accepted on an old list";
}

for (const { short } of WORLDS)
  test(`in no state of the world "${short.name}" is a promise broken, and docs/security/small-worlds.md counts them`, async () => {
    const space = await smallWorld(short);
    const seen = new Set<string>();
    const explored = explore({
      ...space,
      broken: (state) => {
        for (const word of wordsFor(state)) seen.add(word);
        return space.broken(state);
      },
    });
    assert.equal(explored.counterexample, undefined);
    const missing = SEEN[short.name]?.filter((word) => !seen.has(word));
    assert.deepEqual(missing, [], `only ${[...seen].join(", ")}`);
    const row = rowOf({ ...short, ...explored });
    assert.ok(rowsOnPage("short").includes(row), `${row}\nnode prove/small-world/main.ts --write writes it.`);
  });

test("the page lists the worlds in both sizes", () => {
  for (const size of ["short", "long"] as const)
    assert.deepEqual(
      rowsOnPage(size).map((row) => row.split(" | ").slice(0, 2).join(" | ")),
      WORLDS.map((both) => `| ${both[size].name} | ${both[size].about}`),
    );
});

test("the shortest way to a loss is told", async () => {
  const copied = WORLDS.find(({ short }) => short.name === "copied")?.short;
  assert.ok(copied !== undefined);
  const space = await smallWorld({ ...copied, payments: 2, evilTill: false });
  const { counterexample } = explore({
    ...space,
    broken: ({ issuer }) => (issuer.lossMinor > 0n ? ["there is a loss"] : []),
  });
  const story = counterexample?.story ?? [];
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
  assert.deepEqual(counted.counterexample?.story, ["to 3", "to 6", "to 13"]);
  const whole = explore<number>({
    start: 0,
    key: String,
    next: (state) => (state < 9 ? [{ says: "on", state: state + 1 }] : []),
    broken: () => [],
  });
  assert.deepEqual(whole, { states: 10, transitions: 9, depth: 9, counterexample: undefined });
});

test("every string is every string, once, and the neighbours of a text are all of them", () => {
  const strings = [...everyString([7, 8, 9], 3)].map((bytes) => bytes.join(","));
  assert.equal(strings.length, 1 + 3 + 9 + 27);
  assert.equal(new Set(strings).size, strings.length);
  const neighbours = new Set([...everyNeighbour(Uint8Array.of(5, 6), 1)].map((bytes) => bytes.join(",")));
  for (const expected of ["", "5", "6", "5,9", "0,6", "255,5,6", "5,255,6"])
    assert.ok(neighbours.has(expected), expected);
});
