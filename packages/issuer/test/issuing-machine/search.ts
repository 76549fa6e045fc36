import assert from "node:assert/strict";
import { type IssuanceCause, type IssuingPolicy, readPolicy } from "@cairn/issue";
import type { KeyProtection } from "@cairn/messages";
import type { IssuerStore } from "@cairn/stores";
import fc from "fast-check";
import { type Economy, type Happening, Step } from "./commands.ts";
import type { ModelAccount } from "./model.ts";
import { START, World } from "./world.ts";

const DAY = 86_400;
/** Small certificates and short times, so that a run of some dozen steps meets every rule. */
const BASE = {
  validitySecondsByScoreBand: { A: 4 * DAY, B: 3 * DAY, C: 3 * DAY, D: 2 * DAY, E: 2 * DAY },
  uploadDeadlineSeconds: 2 * DAY,
  creditInformationMaximumAgeSeconds: 3 * DAY,
  creditRepayment: { statementEverySeconds: DAY, dueAfterSeconds: DAY },
  conditions: { renewalWindow: { windowSeconds: DAY / 2 } },
};
const POLICIES: readonly IssuingPolicy[] = [
  readPolicy({ ...BASE, version: "plain" }),
  readPolicy({
    ...BASE,
    version: "split",
    hold: "balance-part",
    allowance: { balancePercent: 100 },
    protection: { 2: { perCertificateCapMinor: "3000", releasedAtClosingPercent: 40 } },
    conditions: {
      ...BASE.conditions,
      remainingLow: { minimumIntervalSeconds: 3_600 },
      requestedAhead: { perCertificateCapMinor: "1000", perDayCapMinor: "2500" },
    },
  }),
  readPolicy({
    ...BASE,
    version: "strict",
    hold: "whole-limit",
    minimumProtection: 1,
    limit: { perDayCapMinor: "6000", perCertificateCapMinor: "2000", stepMinor: "7" },
    conditions: { ...BASE.conditions, deviceKeyReplaced: { perCertificateCapMinor: "600" } },
  }),
  readPolicy({
    ...BASE,
    version: "loose",
    hold: "none",
    conditions: { noCertificate: { enabled: false }, restored: { enabled: false }, ...BASE.conditions },
  }),
];

const who = fc.nat({ max: 200 });
const minor = fc.bigInt({ min: 1n, max: 12_000n });
const of = <Kind extends Happening["kind"]>(...kinds: Kind[]) => fc.constantFrom(...kinds);
const causes: readonly IssuanceCause[] = [
  "sync",
  "top-up",
  "online-payment",
  "credit-changed",
  "settlement-posted",
  "timer",
];
const protection = fc.constantFrom<KeyProtection[]>(0, 1, 2, 3);

const happening: fc.Arbitrary<Happening> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: of("look"), who, ahead: fc.boolean(), cause: fc.constantFrom(...causes) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: of("pay"), who, percent: fc.integer({ min: 1, max: 100 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: of("settle"), who, count: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 4, arbitrary: fc.record({ kind: of("close", "revoke", "restore", "restore", "contradict"), who }) },
  { weight: 4, arbitrary: fc.record({ kind: of("top-up", "withdraw", "pay-online"), who, minor }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: of("credit"),
      who,
      lineMinor: fc.bigInt({ min: 0n, max: 12_000n }),
      overdue: fc.boolean(),
      scoreBand: fc.constantFrom("A" as const, "B" as const, "C" as const, "E" as const),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of("freeze-account", "freeze-device"), who }) },
  { weight: 1, arbitrary: fc.record({ kind: of("resolve", "replace"), who }) },
  { weight: 1, arbitrary: fc.record({ kind: of("enrol"), who, protection }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: of("wait"), seconds: fc.oneof(fc.nat({ max: 7_200 }), fc.nat({ max: 2 * DAY })) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: of("policy"), which: fc.nat({ max: 3 }) }) },
);

/** What a search of some hundred runs has to have met, or it proves little. */
export const MUST_REACH: readonly string[] = [
  "issue",
  "refuse",
  "none",
  "NO_CERTIFICATE",
  "VALIDITY_ENDED",
  "RENEWAL_DUE",
  "REMAINING_LOW",
  "ALLOWANCE_CHANGED",
  "DEVICE_KEY_REPLACED",
  "CERTIFICATE_RESTORED",
  "REQUESTED_AHEAD",
  "ACCOUNT_FROZEN",
  "DEVICE_FROZEN",
  "CONFLICT_UNRESOLVED",
  "DEBT_OVERDUE",
  "CREDIT_INFORMATION_TOO_OLD",
  "EXPOSURE_AT_CAP",
  "KEY_PROTECTION_TOO_LOW",
  "DAILY_CAP_REACHED",
];

/** Runs of up to `steps` happenings each, on a store of its own. Gives how often each decision was reached. */
export async function searchIssuing(
  open: () => IssuerStore,
  options: { readonly runs: number; readonly steps: number; readonly seed?: number },
): Promise<ReadonlyMap<string, number>> {
  const reached = new Map<string, number>();
  const { runs, steps, seed } = options;
  const first = fc.record({
    policy: fc.nat({ max: POLICIES.length - 1 }),
    levels: fc.array(protection, { minLength: 2, maxLength: 4 }),
    balanceMinor: fc.bigInt({ min: 1_000n, max: 20_000n }),
  });
  const commands = fc.commands([happening.map((each) => new Step(each))], { maxCommands: steps, size: "max" });
  await fc.assert(
    fc.asyncProperty(first, commands, async (start, all) => {
      const store = open();
      try {
        await fc.asyncModelRun(async () => begin(store, start, reached), all);
        assert.deepEqual((await store.verifyBooks()).faults, []);
      } finally {
        await store.close();
      }
    }),
    { numRuns: runs, ...(seed === undefined ? {} : { seed }) },
  );
  return reached;
}

async function begin(
  store: IssuerStore,
  start: { readonly policy: number; readonly levels: readonly KeyProtection[]; readonly balanceMinor: bigint },
  reached: Map<string, number>,
): Promise<{ model: Economy; real: World }> {
  const policy = POLICIES[start.policy];
  assert.ok(policy !== undefined);
  const real = await World.open(store, policy);
  const accounts: ModelAccount[] = [];
  for (const place of [0, 1]) {
    const number = await real.openAccount();
    await store.topUp({ account: number, amountMinor: start.balanceMinor, idempotencyKey: "first", at: START });
    const devices: ModelAccount["devices"] = [];
    for (const [index, level] of start.levels.entries()) {
      if (index % 2 !== place) continue;
      const { deviceId } = await real.enrol(number, level, undefined);
      devices.push({ id: deviceId, protection: level, replaces: false, frozen: false, copied: false });
    }
    accounts.push({
      balanceMinor: start.balanceMinor,
      lineMinor: 0n,
      usedMinor: 0n,
      overdueMinor: 0n,
      scoreBand: "E",
      informedAt: START,
      statementAt: START,
      dues: [],
      frozen: false,
      conflicts: 0,
      devices,
      certificates: [],
      covered: true,
    });
  }
  return { model: { policies: POLICIES, accounts, certificates: [], reached }, real };
}
