import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { FAULT_KINDS, type FaultKind, type SimulationOptions, simulate } from "../src/index.ts";

const OPTIONS: SimulationOptions = {
  seed: "test",
  days: 3,
  wallets: 20,
  terminals: 4,
  paymentsPerDay: 3,
  faults: new Set(FAULT_KINDS),
  realSignatures: false,
  store: "memory",
  only: undefined,
  isTold: false,
};

test("one seed tells one story, and another one another", async () => {
  const told = async (seed: string) => {
    const { story, counts, violation } = await simulate({ ...OPTIONS, seed, isTold: true });
    assert.equal(violation, undefined);
    return { story: story.map(({ at, says }) => `${at} ${says}`), counts };
  };
  const first = await told("one");
  assert.deepEqual(await told("one"), first);
  assert.notDeepEqual((await told("two")).story, first.story);
  assert.ok(
    first.story.some((line) =>
      /^day 1 \d\d:\d\d:\d\d wallet W\d+ pays \d+\.\d\d to Shop \d \(seq \d+, spent \d+\.\d\d\)$/.test(line),
    ),
  );
});

for (const fault of FAULT_KINDS)
  test(`every promise holds with ${fault} alone`, async () => {
    const faults: ReadonlySet<FaultKind> = new Set([fault]);
    const { violation, payments } = await simulate({ ...OPTIONS, seed: fault, faults });
    assert.equal(violation, undefined);
    assert.ok(payments.settled > 50);
  });

test("payments come in the very last second that is allowed, and an app that asks wrongly is refused", async () => {
  const faults: ReadonlySet<FaultKind> = new Set(["last-seconds", "mistaken-apps"]);
  const { violation, story, refusals } = await simulate({ ...OPTIONS, seed: "edge", faults, isTold: true });
  assert.equal(violation, undefined);
  const told = (end: RegExp): boolean => story.some(({ says }) => end.test(says));
  assert.ok(told(/ comes home in the last second in which it may$/));
  assert.ok(told(/ in the last second of its lists: it accepts$/));
  assert.ok((refusals.get("CONSENT_MISMATCH") ?? 0) > 0);
});

test("tills take forged certificates, and nobody pays for them or is paid", async () => {
  const faults: ReadonlySet<FaultKind> = new Set(["stolen-issuer-keys"]);
  const { violation, story, conflicts, blamed } = await simulate({ ...OPTIONS, seed: "forged", faults, isTold: true });
  assert.equal(violation, undefined);
  assert.deepEqual([conflicts, blamed], [0, 0]);
  const thefts = story.filter(({ says }) => /^the thief of the issuer's key pays .*, which accepts it$/.test(says));
  assert.ok(thefts.length > 0);
});

test("what is brought back is given back, once and never beyond what was paid", async () => {
  const { violation, story } = await simulate({ ...OPTIONS, seed: "back", days: 5, wallets: 40, isTold: true });
  assert.equal(violation, undefined);
  const answers = new Set(story.flatMap(({ says }) => /^terminal \S+ gives .* back .*: (.*)$/.exec(says)?.[1] ?? []));
  for (const answer of ["given", "REFUND_EXCEEDS_PAYMENT", "PAYMENT_UNKNOWN"]) assert.ok(answers.has(answer), answer);
});

test("persons pay each other from phone to phone, and what they are paid reaches their accounts", async () => {
  const { violation, story } = await simulate({ ...OPTIONS, seed: "hand", days: 4, wallets: 40, isTold: true });
  assert.equal(violation, undefined);
  const told = (end: RegExp): boolean => story.some(({ says }) => end.test(says));
  assert.ok(told(/^wallet W\d+ can be paid from now on$/));
  assert.ok(told(/^wallet W\d+'s receiving side accepts \d+\.\d\d from wallet W\d+$/));
  assert.ok(told(/^wallet W\d+'s receiving side is online, uploads \d+ records?$/));
});

test("without faults everything that was accepted is settled, and nobody is blamed", async () => {
  const { violation, payments, conflicts } = await simulate({ ...OPTIONS, faults: new Set() });
  assert.equal(violation, undefined);
  assert.equal(payments.settled, payments.accepted);
  assert.equal(conflicts, 0);
});

test("every promise holds on the real SQLite store and with real signatures", async () => {
  for (const other of [{ store: "sqlite" }, { realSignatures: true }] as const) {
    const { violation, payments } = await simulate({ ...OPTIONS, days: 2, wallets: 10, ...other });
    assert.equal(violation, undefined);
    assert.ok(payments.settled > 10);
  }
});

test("what is left out changes the luck of nothing else", async () => {
  const all = await simulate({ ...OPTIONS, isTold: true });
  const kept = all.items.filter((item) => item % 2 === 0);
  const half = await simulate({ ...OPTIONS, only: new Set(kept.map(String)), isTold: true });
  assert.deepEqual(half.items, kept);
  assert.deepEqual(half.strikes, []);
  assert.equal(half.violation, undefined);
});

/** As they were then: what came since would change their luck. */
const FAULTS_THEN: ReadonlySet<FaultKind> = new Set(FAULT_KINDS.filter((kind) => kind !== "stolen-issuer-keys"));
type Regression = Pick<SimulationOptions, "seed" | "days" | "wallets" | "terminals"> & { readonly why: string };
const regressions: readonly Regression[] = JSON.parse(
  await readFile(new URL("regressions.json", import.meta.url), "utf8"),
);
for (const { why, ...options } of regressions)
  test(`once broken: ${why}`, async () => {
    const { violation } = await simulate({ ...OPTIONS, faults: FAULTS_THEN, ...options });
    assert.equal(violation, undefined);
  });
