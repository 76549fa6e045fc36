import assert from "node:assert/strict";
import {
  type AccountNumber,
  accountNumber,
  type IssuanceCause,
  type IssuingPolicy,
  REFUSALS_IN_ORDER,
  type ScoreBand,
} from "@cairn/issue";
import type { KeyProtection, MessageId } from "@cairn/messages";
import type fc from "fast-check";
import {
  allowanceOf,
  conditionsMet,
  exposureOfAll,
  factualRefusals,
  issuedToday,
  type ModelAccount,
  type ModelCertificate,
  moneyIn,
  moneyOut,
  overdueOf,
} from "./model.ts";
import type { World } from "./world.ts";

/** What can happen, in any order. Who it happens to is drawn as a number and taken modulo how many there are. */
export type Happening =
  | { readonly kind: "look"; readonly who: number; readonly ahead: boolean; readonly cause: IssuanceCause }
  | { readonly kind: "pay"; readonly who: number; readonly percent: number }
  | { readonly kind: "settle"; readonly who: number; readonly count: number }
  | { readonly kind: "close" | "revoke" | "restore" | "contradict"; readonly who: number }
  | { readonly kind: "top-up" | "withdraw" | "pay-online"; readonly who: number; readonly minor: bigint }
  | {
      readonly kind: "credit";
      readonly who: number;
      readonly lineMinor: bigint;
      readonly overdue: boolean;
      readonly scoreBand: ScoreBand;
    }
  | { readonly kind: "freeze-account" | "freeze-device" | "resolve" | "replace"; readonly who: number }
  | { readonly kind: "enrol"; readonly who: number; readonly protection: KeyProtection }
  | { readonly kind: "wait"; readonly seconds: number }
  | { readonly kind: "policy"; readonly which: number };

export type Economy = {
  readonly policies: readonly IssuingPolicy[];
  readonly accounts: ModelAccount[];
  /** Of every certificate, by its place in this list. */
  readonly certificates: { readonly account: ModelAccount; readonly certificate: ModelCertificate }[];
  /** How often what was decided, to show that the search reached it. */
  readonly reached: Map<string, number>;
};

const MAXIMUM_DEVICES = 12;
const DEADLINE_MARGIN = 1;

export class Step implements fc.AsyncCommand<Economy, World> {
  readonly #happening: Happening;

  constructor(happening: Happening) {
    this.#happening = happening;
  }

  check(): boolean {
    return true;
  }

  async run(economy: Economy, world: World): Promise<void> {
    const before = economy.accounts.map((account) => exposureOfAll(account, world.policy, world.clock.now));
    const wasIssued = await this.#happen(economy, world);
    const { policy, clock } = world;
    for (const [index, account] of economy.accounts.entries()) {
      const exposureMinor = exposureOfAll(account, policy, clock.now);
      const isOther = this.#happening.kind === "policy";
      // Nothing but a certificate raises it, and a certificate never above the allowance.
      if (!wasIssued && !isOther) assert.ok(exposureMinor <= (before[index] ?? 0n), this.toString());
      await sameAsStored(account, accountNumber(index + 1), world);
      if (account.covered)
        assert.ok(
          exposureMinor <= account.balanceMinor + account.lineMinor - account.usedMinor,
          "what may still come is covered",
        );
    }
  }

  toString(): string {
    return JSON.stringify(this.#happening, (_, value: unknown) => (typeof value === "bigint" ? String(value) : value));
  }

  async #happen(economy: Economy, world: World): Promise<boolean> {
    const happening = this.#happening;
    const { store, clock, policy } = world;
    const now = clock.now;
    switch (happening.kind) {
      case "wait":
        clock.now += happening.seconds;
        await world.store.closeStatements({
          at: clock.now,
          everySeconds: policy.creditRepayment.statementEverySeconds,
          dueAfterSeconds: policy.creditRepayment.dueAfterSeconds,
          limit: 100,
        });
        for (const account of economy.accounts) closeStatement(account, policy, clock.now);
        return false;
      case "policy": {
        world.policy = economy.policies[happening.which % economy.policies.length] ?? policy;
        for (const account of economy.accounts) account.covered = false;
        return false;
      }
    }
    const place = happening.who % economy.accounts.length;
    const account = economy.accounts[place];
    const number = accountNumber(place + 1);
    assert.ok(account !== undefined);
    const device = account.devices[Math.floor(happening.who / 7) % account.devices.length];
    const chosen = account.certificates[Math.floor(happening.who / 7) % Math.max(1, account.certificates.length)];
    switch (happening.kind) {
      case "look":
        assert.ok(device !== undefined);
        return look(economy, world, { account, number, device, ...happening });
      case "enrol":
      case "replace": {
        if (economy.accounts.reduce((count, { devices }) => count + devices.length, 0) >= MAXIMUM_DEVICES) return false;
        const old = happening.kind === "replace" ? device : undefined;
        const protection = happening.kind === "enrol" ? happening.protection : (old?.protection ?? 2);
        const enrolled = await world.enrol(number, protection, old?.id);
        account.devices.push({
          id: enrolled.deviceId,
          protection,
          replaces: old !== undefined,
          frozen: false,
          copied: false,
        });
        return false;
      }
      case "pay":
        if (chosen === undefined || chosen.closed || now > chosen.expiresAt) return false;
        pay(chosen, happening.percent);
        return false;
      case "settle":
        if (chosen !== undefined) await settleSome(economy, world, { account, number, chosen, count: happening.count });
        return false;
      case "close":
        if (chosen === undefined || chosen.closed) return false;
        chosen.closed = true;
        await store.recordClosing(chosen.id, closingOf(chosen, now));
        return false;
      case "contradict":
        // A copy of the device closes the same certificate with another last word.
        if (chosen === undefined || !chosen.closed || chosen.device.copied) return false;
        chosen.device.copied = true;
        account.conflicts++;
        for (const each of account.certificates) if (each.device === chosen.device) setRevoked(each, true, now);
        await store.recordClosing(chosen.id, { ...closingOf(chosen, now, "f"), sequence: chosen.sequence + 1 });
        return false;
      case "revoke":
        if (chosen === undefined || chosen.revoked) return false;
        setRevoked(chosen, true, now);
        await store.revokeCertificate(chosen.id, now, "lost");
        return false;
      case "restore":
        if (chosen === undefined || !chosen.revoked) return false;
        assert.equal(await store.restoreCertificate(chosen.id, now), chosen.device.copied ? "in-conflict" : "restored");
        if (!chosen.device.copied) setRevoked(chosen, false, now);
        return false;
      case "top-up":
        await store.topUp({
          account: number,
          amountMinor: happening.minor,
          idempotencyKey: `${now} ${Math.random()}`,
          at: now,
        });
        moneyIn(account, happening.minor);
        return false;
      case "withdraw":
      case "pay-online": {
        const kind = happening.kind === "withdraw" ? "withdraw" : "pay";
        if (await world.moveOnline(kind, number, happening.minor)) {
          assert.ok(!account.frozen, "a blocked account moves no money");
          assert.equal(moneyOut(account, happening.minor), 0n, "the reserve never pays online");
          if (policy.hold !== "whole-limit") account.covered = false;
        }
        return false;
      }
      case "credit": {
        const { lineMinor, scoreBand } = happening;
        const overdueMinor = happening.overdue ? 500n : 0n;
        if (lineMinor < account.lineMinor) account.covered = false;
        Object.assign(account, { lineMinor, scoreBand, overdueMinor, informedAt: now });
        await store.setCredit(number, { lineMinor, overdueMinor, scoreBand, informedAt: now });
        return false;
      }
      case "freeze-account":
        account.frozen = !account.frozen;
        await store.setAccountStatus(number, account.frozen ? "frozen" : "active");
        return false;
      case "freeze-device":
        assert.ok(device !== undefined);
        device.frozen = !device.frozen;
        await store.setDeviceStatus(device.id, device.frozen ? "frozen" : "active");
        return false;
      case "resolve":
        account.conflicts = 0;
        await store.resolveConflicts(number, now);
        return false;
    }
  }
}

/** The server looks while the device is online: the three things that must hold, whatever came before. */
async function look(
  economy: Economy,
  world: World,
  at: {
    readonly account: ModelAccount;
    readonly number: AccountNumber;
    readonly device: ModelAccount["devices"][number];
    readonly ahead: boolean;
    readonly cause: IssuanceCause;
  },
): Promise<boolean> {
  const { account, device, ahead, cause } = at;
  const { policy, clock } = world;
  const { now } = clock;
  const met = conditionsMet(account, device, policy, { now, ahead });
  const facts = factualRefusals(account, device, policy, now);
  const event = ahead ? ({ kind: "requested-ahead" } as const) : ({ kind: "device-online", cause } as const);
  const { decision, issued } = await world.look(device.id, event);
  const reach = (what: string): void => void economy.reached.set(what, (economy.reached.get(what) ?? 0) + 1);
  reach(decision.kind);
  if (decision.kind === "none") {
    assert.deepEqual(met, [], "a condition that holds leads to a certificate or to a refusal");
    return false;
  }
  const reasons: readonly string[] = (decision.kind === "issue" ? decision.reasons : decision.conditions).map(
    ({ code }) => code,
  );
  for (const code of reasons) reach(code);
  assert.deepEqual(
    reasons.filter((code) => code !== "ALLOWANCE_CHANGED"),
    met,
  );
  if (decision.kind === "refuse") {
    const codes = decision.reasons.map(({ code }) => code);
    const order = Object.keys(REFUSALS_IN_ORDER);
    reach(codes[0] ?? "");
    assert.deepEqual(
      codes,
      order.filter((code) => codes.some((each) => each === code)),
      "in order of precedence",
    );
    assert.deepEqual(codes.slice(0, facts.length), facts);
    assert.equal(codes.length > facts.length, decision.computation.limitMinor === 0n);
    return false;
  }
  assert.deepEqual(facts, [], "nothing is issued against a refusal");
  assert.ok(issued !== undefined);
  const { limitMinor, protection, validitySeconds } = decision.terms;
  assert.ok(limitMinor + issuedToday(account, now) <= policy.limit.perDayCapMinor);
  assert.ok(protection >= policy.minimumProtection);
  const certificate: ModelCertificate = {
    id: issued.certificateId,
    device,
    limitMinor,
    issuedAt: now,
    expiresAt: now + validitySeconds,
    protection,
    spentMinor: 0n,
    settledMinor: 0n,
    waiting: [],
    sequence: 0,
    closed: false,
    revoked: false,
    restoredAt: undefined,
  };
  account.certificates.push(certificate);
  economy.certificates.push({ account, certificate });
  if (decision.heldMinor !== limitMinor) account.covered = false;
  assert.ok(exposureOfAll(account, policy, now) <= allowanceOf(account, policy), "exposure within the allowance");
  return true;
}

function pay(certificate: ModelCertificate, percent: number): void {
  const minor = ((certificate.limitMinor - certificate.spentMinor) * BigInt(percent)) / 100n;
  if (minor === 0n) return;
  certificate.spentMinor += minor;
  certificate.sequence++;
  certificate.waiting.push({ sequence: certificate.sequence, minor, spentMinor: certificate.spentMinor });
}

async function settleSome(
  economy: Economy,
  world: World,
  at: { account: ModelAccount; number: AccountNumber; chosen: ModelCertificate; count: number },
): Promise<void> {
  const { account, number, chosen, count } = at;
  if (world.clock.now + DEADLINE_MARGIN > chosen.expiresAt + world.policy.uploadDeadlineSeconds) return;
  const payments = chosen.waiting.splice(0, count);
  if (payments.length === 0 || chosen.device.copied) return;
  const place = economy.certificates.findIndex(({ certificate }) => certificate === chosen) + 1;
  const outcomes = await world.settle(number, { id: chosen.id, number: place }, payments);
  assert.ok(outcomes.every(({ state }) => state === "settled"));
  for (const { minor } of payments) {
    chosen.settledMinor += minor;
    const lossMinor = moneyOut(account, minor);
    if (account.covered) assert.equal(lossMinor, 0n, "an honest payment never costs the reserve anything");
  }
}

function closeStatement(account: ModelAccount, policy: IssuingPolicy, now: number): void {
  const { statementEverySeconds, dueAfterSeconds } = policy.creditRepayment;
  if (now - account.statementAt < statementEverySeconds) return;
  account.statementAt = now;
  const askedMinor = account.dues.reduce((sumMinor, { minor }) => sumMinor + minor, 0n);
  if (account.usedMinor > askedMinor)
    account.dues.push({ dueAt: now + dueAfterSeconds, minor: account.usedMinor - askedMinor });
}

function setRevoked(certificate: ModelCertificate, revoked: boolean, now: number): void {
  if (certificate.revoked === revoked) return;
  certificate.revoked = revoked;
  certificate.restoredAt = revoked ? undefined : now;
}

const closingOf = ({ sequence, spentMinor, id }: ModelCertificate, closedAt: number, mark = "c") => ({
  sequence,
  spentMinor,
  messageId: `${mark}${id}`.padEnd(64, "0") as MessageId,
  bytes: Uint8Array.of(mark.charCodeAt(0)),
  closedAt,
});

/** The issuer's books and the plain arithmetic tell the same story. */
async function sameAsStored(account: ModelAccount, number: AccountNumber, { store, clock }: World): Promise<void> {
  const stored = await store.account(number);
  assert.deepEqual(
    [stored?.balanceMinor, stored?.credit.usedMinor, stored?.credit.dues],
    [account.balanceMinor, account.usedMinor, account.dues],
  );
  assert.equal(overdueOf(account, clock.now) >= 0n, true);
}
