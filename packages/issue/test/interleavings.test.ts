import assert from "node:assert/strict";
import { test } from "node:test";
import {
  allowanceOf,
  type CertificateView,
  decideIssuance,
  type IssuanceEvent,
  type IssuingPolicy,
  type IssuingView,
  openExposure,
  readPolicy,
} from "@cairn/issue";
import type { KeyProtection } from "@cairn/messages";
import fc from "fast-check";
import { policyArbitrary, scoreBandArbitrary } from "./arbitraries.ts";
import { aCertificate, aDevice, anAccount, certificateId, deviceId, NOW } from "./views.ts";

/**
 * One account, three devices, honest: what can happen to it in any order. The invariant is looked at after each step:
 * the sum of open exposures never exceeds the allowance.
 */
type Step =
  | { readonly kind: "look"; readonly device: number; readonly event: IssuanceEvent }
  | { readonly kind: "pay"; readonly which: number; readonly percent: number }
  | { readonly kind: "settle"; readonly which: number; readonly percent: number }
  | { readonly kind: "give-back"; readonly which: number; readonly percent: number }
  | { readonly kind: "close"; readonly which: number }
  | { readonly kind: "revoke"; readonly which: number }
  | { readonly kind: "restore"; readonly which: number }
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "top-up"; readonly minor: bigint };

type World = {
  now: number;
  balanceMinor: bigint;
  usedMinor: bigint;
  readonly held: { certificate: CertificateView; spentMinor: bigint }[];
};

const which = fc.nat({ max: 20 });
const percent = fc.integer({ min: 1, max: 100 });
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("look" as const),
      device: fc.nat({ max: 2 }),
      event: fc.constantFrom<IssuanceEvent[]>({ kind: "device-online" }, { kind: "requested-ahead" }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("pay" as const), which, percent }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("settle" as const), which, percent }) },
  fc.record({ kind: fc.constant("give-back" as const), which, percent }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("close" as const), which }) },
  fc.record({ kind: fc.constant("revoke" as const), which }),
  fc.record({ kind: fc.constant("restore" as const), which }),
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.nat({ max: 1_500_000 }) }) },
  fc.record({ kind: fc.constant("top-up" as const), minor: fc.bigInt({ min: 0n, max: 20_000n }) }),
);

/** Small certificates out of a large allowance: many of them, and closings that give back in part. */
const manySmall = readPolicy({
  allowance: { balancePercent: 100 },
  protection: {
    0: { allowancePercent: 60, releasedAtClosingPercent: 0 },
    1: { allowancePercent: 90, releasedAtClosingPercent: 33 },
  },
  limit: { floorMinor: "10", stepMinor: "7", perCertificateCapMinor: "30000", perDayCapMinor: "500000" },
});

const worldArbitrary = fc.record({
  policy: fc.oneof(policyArbitrary, { weight: 2, arbitrary: fc.constant(manySmall) }),
  scoreBand: scoreBandArbitrary,
  balanceMinor: fc.bigInt({ min: 0n, max: 200_000n }),
  lineMinor: fc.bigInt({ min: 0n, max: 200_000n }),
  levels: fc.tuple(...[0, 1, 2].map(() => fc.constantFrom<KeyProtection[]>(0, 1, 2, 3))),
  steps: fc.array(stepArbitrary, { minLength: 10, maxLength: 60, size: "max" }),
});

const part = (minor: bigint, share: number): bigint => (minor * BigInt(share) + 99n) / 100n;
const smaller = (left: bigint, right: bigint): bigint => (left < right ? left : right);

/** Runs the steps. `settlementTakes`: whether settled payments leave balance and credit, as they do in earnest. */
function run(
  start: {
    policy: IssuingPolicy;
    scoreBand: "A" | "B" | "C" | "D" | "E";
    balanceMinor: bigint;
    lineMinor: bigint;
    levels: readonly KeyProtection[];
    steps: readonly Step[];
  },
  settlementTakes: boolean,
): { issued: number; settledMinor: bigint; shortMinor: bigint } {
  const { policy } = start;
  const world: World = { now: NOW, balanceMinor: start.balanceMinor, usedMinor: 0n, held: [] };
  const told = { issued: 0, settledMinor: 0n, shortMinor: 0n };
  const viewFor = (device: number): IssuingView => ({
    account: anAccount(
      { balanceMinor: world.balanceMinor },
      { lineMinor: start.lineMinor, usedMinor: world.usedMinor, scoreBand: start.scoreBand, informedAt: world.now },
    ),
    device: aDevice({ deviceId: deviceId(device + 1), protection: start.levels[device] ?? 0 }),
    certificates: world.held.map(({ certificate }) => certificate),
  });
  for (const step of start.steps) {
    const chosen = "which" in step ? world.held[step.which % Math.max(1, world.held.length)] : undefined;
    const change = (changes: Partial<CertificateView>): void => {
      if (chosen !== undefined) chosen.certificate = { ...chosen.certificate, ...changes };
    };
    if (step.kind === "wait") world.now += step.seconds;
    if (step.kind === "top-up") world.balanceMinor += step.minor;
    if (step.kind === "look") {
      const view = viewFor(step.device);
      const decision = decideIssuance({ view, event: step.event, policy, now: world.now });
      if (decision.kind === "issue") {
        told.issued++;
        const certificate = aCertificate({
          certificateId: certificateId(told.issued),
          deviceId: view.device.deviceId,
          issuedAt: world.now,
          expiresAt: world.now + decision.terms.validitySeconds,
          limitMinor: decision.terms.limitMinor,
          heldMinor: decision.heldMinor,
          issuedAhead: decision.issuedAhead,
          allowanceMinor: decision.computation.allowanceMinor,
          protection: decision.terms.protection,
          settledMinor: 0n,
        });
        world.held.push({ certificate, spentMinor: 0n });
      }
    }
    if (chosen !== undefined) {
      const { limitMinor, settledMinor, releasedMinor, expiresAt, closing } = chosen.certificate;
      const pendingMinor = chosen.spentMinor - settledMinor - releasedMinor;
      const deadlinePassed = world.now > expiresAt + policy.uploadDeadlineSeconds;
      if (step.kind === "pay" && closing === undefined && world.now <= expiresAt)
        chosen.spentMinor += part(limitMinor - chosen.spentMinor, step.percent);
      if (step.kind === "settle" && !deadlinePassed) {
        const minor = part(pendingMinor, step.percent);
        change({ settledMinor: settledMinor + minor });
        told.settledMinor += minor;
        if (settlementTakes) {
          const fromBalance = smaller(minor, world.balanceMinor);
          const fromCredit = smaller(minor - fromBalance, start.lineMinor - world.usedMinor);
          world.balanceMinor -= fromBalance;
          world.usedMinor += fromCredit;
          told.shortMinor += minor - fromBalance - fromCredit;
        }
      }
      if (step.kind === "give-back") change({ releasedMinor: releasedMinor + part(pendingMinor, step.percent) });
      if (step.kind === "revoke") change({ revokedAt: world.now, restoredAt: undefined });
      if (step.kind === "restore" && chosen.certificate.revokedAt !== undefined)
        change({ revokedAt: undefined, restoredAt: world.now });
      if (step.kind === "close" && closing === undefined)
        change({ closing: { sequence: 1, spentMinor: chosen.spentMinor, closedAt: world.now } });
    }
    const view = viewFor(0);
    const { allowanceMinor } = allowanceOf(view.account, policy);
    assert.ok(openExposure(view.certificates, policy, world.now) <= allowanceMinor, JSON.stringify(step.kind));
  }
  return told;
}

function explore(settlementTakes: boolean): void {
  let issued = 0;
  let settledMinor = 0n;
  fc.assert(
    fc.property(worldArbitrary, (start) => {
      const told = run(start, settlementTakes);
      issued += told.issued;
      settledMinor += told.settledMinor;
      // An honest payer's settlements never reach the issuer's reserve.
      assert.equal(told.shortMinor, 0n);
    }),
    { numRuns: 500 },
  );
  // Some five times as much is usual.
  assert.ok(issued > 150 && settledMinor > 100_000n, `explored too little: ${issued} issued, ${settledMinor} settled`);
}

test("in any interleaving open exposures stay within an allowance that does not shrink", () => explore(false));

test("settlement shrinks the allowance by no more than the exposure that it ends, and honest payments are always covered", () =>
  explore(true));

test("when the allowance shrinks under open certificates, nothing more is issued until they fit again", () => {
  fc.assert(
    fc.property(worldArbitrary, fc.bigInt({ min: 0n, max: 200_000n }), (start, balanceMinor) => {
      const view: IssuingView = {
        account: anAccount({ balanceMinor }, { lineMinor: 0n, usedMinor: 0n }),
        device: aDevice(),
        certificates: start.levels.map((protection, index) =>
          aCertificate({
            certificateId: certificateId(index),
            protection,
            limitMinor: start.balanceMinor / 3n + 1n,
            settledMinor: 0n,
          }),
        ),
      };
      const event = { kind: "requested-ahead" } as const;
      const decision = decideIssuance({ view, event, policy: start.policy, now: NOW });
      const openMinor = openExposure(view.certificates, start.policy, NOW);
      const { allowanceMinor } = allowanceOf(view.account, start.policy);
      if (openMinor >= allowanceMinor) assert.notEqual(decision.kind, "issue");
      if (decision.kind === "issue") assert.ok(openMinor + decision.terms.limitMinor <= allowanceMinor);
    }),
  );
});
