import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type CertificateId, type DeviceId, deviceIdOf } from "@cairn/messages";
import type { CertificateLife } from "../src/api/policy-api.ts";
import { MoneyClient } from "../src/client/money-client.ts";
import { PolicyClient } from "../src/client/policy-client.ts";
import { eventually, startTestIssuer } from "./support/issuer.ts";
import { openTill } from "./support/till.ts";
import { crypto, EUR } from "./support/values.ts";
import { TestWallet } from "./support/wallet.ts";
import { KIOSK } from "./support/world.ts";

const DAY = 86_400;
const DAYS = 90;

/** What the test itself did to a certificate, and when: the log must say the same, and no more. */
type Diary = Map<CertificateId, { readonly deviceId: DeviceId; revoked: boolean; readonly events: [string, number][] }>;

/** Small numbers in a fixed order: the same ninety days every time. */
function dice(seed: number): (sides: number) => number {
  let state = seed;
  return (sides) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * sides);
  };
}

test("ninety days: money and credit move, phones get lost, keys rotate, the policy changes, and every certificate's life is in its log", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "cairn-ninety-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const policyFile = join(folder, "policy.json");
  // Renamed into place, as careful editors do: nobody sees half a file.
  const write = async (policy: object) => {
    await writeFile(`${policyFile}.new`, JSON.stringify(policy));
    await rename(`${policyFile}.new`, policyFile);
  };
  await write({ version: "spring" });
  const at = await startTestIssuer(t, { policyFile, policyIntervalMs: 10 });
  const { operator, clock, issuer } = at;
  const access = { url: issuer.url, token: issuer.operatorToken };
  const money = new MoneyClient(access);
  const policies = new PolicyClient(access);
  await operator.createPayee({
    payeeId: KIOSK,
    name: "Harbour Kiosk",
    currency: EUR,
    perCertificateCapMinor: 100_000n,
    storedTotalCapMinor: 1_000_000n,
  });
  const till = await openTill(at);
  const roll = dice(90);
  const diary: Diary = new Map();
  let acceptedMinor = 0n;

  const idOf = (wallet: TestWallet): DeviceId => deviceIdOf(wallet.signer.publicKey, crypto);
  const note = (certificateId: CertificateId, event: string): void => {
    diary.get(certificateId)?.events.push([event, clock.now]);
  };
  const ofDevice = (deviceId: DeviceId) => [...diary].filter(([, entry]) => entry.deviceId === deviceId);

  async function openPerson(name: string, balanceMinor: bigint, lineMinor: bigint) {
    const { account } = await operator.createAccount({ name, currency: EUR });
    await operator.topUp(account, { amountMinor: balanceMinor, idempotencyKey: "first" });
    const person = { account, lineMinor, phone: await addPhone(account), refused: new Set<string>() };
    await informOf(person);
    return person;
  }
  async function addPhone(account: number, replacesDeviceId?: DeviceId): Promise<TestWallet> {
    const { code } = await operator.createDeviceCode(
      account,
      replacesDeviceId === undefined ? {} : { replacesDeviceId },
    );
    return new TestWallet(at).enrol(code);
  }
  const informOf = ({ account, lineMinor }: { account: number; lineMinor: bigint }) =>
    operator.setCredit(account, { lineMinor, overdueMinor: 0n, scoreBand: "B" });

  /** As a wallet does it: what is used up or has expired is closed on the way. */
  async function goOnline(person: Awaited<ReturnType<typeof openPerson>>, ahead = false): Promise<string> {
    const { phone } = person;
    const held = phone.certificate?.content;
    const entry = held === undefined ? undefined : diary.get(held.certificateId);
    const isOver =
      held !== undefined && (held.expiresAt < clock.now || held.terms.limitMinor - phone.spentMinor < 100n);
    const closes = isOver && entry !== undefined && !entry.events.some(([event]) => event === "CLOSED");
    const answer = await phone.sync({
      ahead,
      records: closes ? [await phone.closingRecord()] : [],
      holds: held === undefined ? [] : [held.certificateId],
    });
    if (closes) note(held.certificateId, "CLOSED");
    const { decision, certificateId } = answer;
    if (decision.kind === "refuse") for (const { code } of decision.reasons) person.refused.add(code);
    if (decision.kind === "issue" && certificateId !== null) {
      const [previous] = ofDevice(idOf(phone)).filter(
        ([, { events }]) => !events.some(([code]) => code === "SUPERSEDED"),
      );
      if (previous !== undefined) note(previous[0], "SUPERSEDED");
      diary.set(certificateId, { deviceId: idOf(phone), revoked: false, events: [["ISSUED", clock.now]] });
    }
    return decision.kind;
  }

  async function payOffline({ phone }: { readonly phone: TestWallet }): Promise<void> {
    const held = phone.certificate?.content;
    if (held === undefined || held.expiresAt < clock.now) return;
    const leftMinor = held.terms.limitMinor - phone.spentMinor;
    const minor = BigInt(100 + roll(900));
    if (minor > leftMinor || minor > held.terms.perPaymentCapMinor) return;
    if ((await till.take(phone, minor)) === "accepted") acceptedMinor += minor;
  }

  const ada = await openPerson("Ada", 60_000n, 20_000n);
  const bob = await openPerson("Bob", 100n, 20_000n);
  const eve = await openPerson("Eve", 30_000n, 0n);
  const people = [ada, bob, eve];
  let lost: TestWallet | undefined;

  for (let day = 1; day <= DAYS; day++) {
    clock.now += DAY - 3_600;
    for (const person of people) if (day % 5 === 0) await informOf(person);
    if (day % 30 === 1) await operator.topUp(ada.account, { amountMinor: 40_000n, idempotencyKey: `wages ${day}` });
    if (day % 7 === 3) {
      const rent = { amountMinor: BigInt(1_000 + roll(4_000)), idempotencyKey: `rent ${day}` };
      await money.withdraw(ada.account, rent).catch(() => undefined);
      await money.pay(eve.account, { ...rent, payeeId: KIOSK }).catch(() => undefined);
    }
    if (day === 10) {
      lost = ada.phone;
      for (const [id, entry] of ofDevice(idOf(lost))) {
        entry.revoked = true;
        note(id, "REVOKED");
      }
      await operator.reportLoss(idOf(lost));
      ada.phone = await addPhone(ada.account, idOf(lost));
      // Whoever found it pays where the news has not arrived.
      await payOffline({ phone: lost });
    }
    if (day === 20 || day === 22) {
      const isLost = day === 20;
      for (const [id, entry] of ofDevice(idOf(bob.phone)))
        if (entry.revoked !== isLost) {
          entry.revoked = isLost;
          note(id, isLost ? "REVOKED" : "RESTORED");
        }
      await (isLost ? operator.reportLoss(idOf(bob.phone)) : operator.reportFound(idOf(bob.phone)));
    }
    if (day === 25) {
      const { certificateId } = eve.phone.held().content;
      await operator.revoke(certificateId, "typing error");
      note(certificateId, "REVOKED");
      clock.now += 60;
      await operator.restore(certificateId);
      note(certificateId, "RESTORED");
    }
    if (day === 30 || day === 65) await operator.rotateKeys({ overlapSeconds: 7 * DAY });
    if (day === 45) {
      await write({ version: "summer", hold: "balance-part", limit: { perCertificateCapMinor: "10000" } });
      await eventually(async () => (await policies.inForce()).version === "summer");
    }
    if (day === 70) {
      const repaid = await operator.topUp(bob.account, { amountMinor: 60_000n, idempotencyKey: "heritage" });
      assert.deepEqual([repaid.account.creditUsedMinor, repaid.account.dues], [0n, []]);
    }
    // Housekeeping closes statements in its own time.
    if (day === 31) await eventually(async () => (await operator.account(bob.account)).dues.length > 0);

    for (const person of people) {
      const isBlocked = person === bob && day >= 20 && day < 22;
      if (!isBlocked && (person === bob || roll(3) > 0)) await goOnline(person, day % 11 === 0);
    }
    clock.now += 3_600;
    for (const person of people) for (let times = roll(3); times > 0; times--) await payOffline(person);
    if (day % 2 === 0) assert.deepEqual(await till.sync(), [], `the till's lists on day ${day}`);
    await assertExposure(day);
    if (day === 60) assert.ok(bob.refused.has("DEBT_OVERDUE"), "who does not repay may not pay offline");
  }
  await till.sync();
  const certificates = (await Promise.all(people.map(({ account }) => operator.certificates(account)))).flat();
  await eventually(async () => {
    const now = (await Promise.all(people.map(({ account }) => operator.certificates(account)))).flat();
    return now.reduce((sumMinor, { settledMinor }) => sumMinor + settledMinor, 0n) === acceptedMinor;
  });

  assert.equal(await goOnline(bob, true), "issue", "once it is repaid, the right is back");
  assert.deepEqual((await operator.verifyBooks()).faults, []);
  const trial = await operator.trialBalance();
  assert.equal(trial.find(({ ledgerAccount }) => ledgerAccount === "loss-reserve")?.minor ?? 0n, 0n);
  const known = await policies.all();
  assert.deepEqual(
    known.map(({ version }) => version),
    ["spring", "summer"],
  );
  assert.equal(certificates.length, diary.size - 1);
  const states = new Map<string, number>();
  for (const { certificateId } of certificates) {
    const life = await policies.certificate(certificateId);
    assertLife(life);
    states.set(life.state, (states.get(life.state) ?? 0) + 1);
  }
  for (const state of ["past-deadline", "open", "closed"]) assert.ok(states.has(state), `none is ${state}`);

  /** Nothing that could still be spent offline is without cover, on any day. */
  async function assertExposure(day: number): Promise<void> {
    for (const { account } of people) {
      const { balanceMinor, creditLineMinor, creditUsedMinor } = await operator.account(account);
      const open = (await operator.certificates(account)).reduce((sumMinor, each) => sumMinor + each.exposureMinor, 0n);
      assert.ok(open <= balanceMinor + creditLineMinor - creditUsedMinor, `account ${account} on day ${day}`);
    }
  }

  function assertLife({ certificate, state, events, exposureMinor }: CertificateLife): void {
    const { certificateId, limitMinor, settledMinor, issuedAt, expiresAt } = certificate;
    const { reasons, policy, computation } = JSON.parse(JSON.stringify(certificate.explanation));
    assert.ok(reasons.length > 0, "why it was issued");
    const inForce = known.find(({ fingerprint }) => fingerprint === policy.fingerprint);
    assert.ok(inForce !== undefined && (inForce.inForceFrom[0] ?? Number.NaN) <= issuedAt, "under which policy");
    assert.equal(BigInt(computation.limitMinor), limitMinor, "how much");

    const told = (code: string) => events.filter(({ event }) => event === code);
    const times = events.map(({ at }) => at);
    assert.deepEqual(
      times,
      times.toSorted((left, right) => left - right),
    );
    const byTheClock = ["PAYMENT_DECIDED", "EXPIRED", "DEADLINE_PASSED"];
    assert.deepEqual(
      events
        .filter(({ event }) => !byTheClock.includes(event))
        .map(({ event, at }) => [event, at])
        .toSorted(),
      diary.get(certificateId)?.events.toSorted(),
    );
    const deadlineAt = expiresAt + 7 * DAY;
    assert.equal(told("EXPIRED").length, clock.now > expiresAt ? 1 : 0);
    assert.equal(told("DEADLINE_PASSED").length, clock.now > deadlineAt ? 1 : 0);
    const settled = told("PAYMENT_DECIDED").filter(({ sentence }) => sentence.includes(": settled of "));
    assert.equal(settled.length > 0, settledMinor > 0n, "what was settled is told");

    const because: Readonly<Record<string, boolean>> = {
      "past-deadline": told("DEADLINE_PASSED").length === 1,
      "in-conflict": told("CONFLICT_PROVEN").length === 1,
      revoked: told("REVOKED").length > told("RESTORED").length,
      closed: told("CLOSED").length === 1,
      expired: told("EXPIRED").length === 1,
      open: told("EXPIRED").length === 0 && told("CLOSED").length === 0,
    };
    assert.equal(because[state], true, `${certificateId} is ${state}`);
    if (state === "past-deadline") assert.equal(exposureMinor, 0n);
    if (state === "open") assert.equal(exposureMinor, limitMinor - settledMinor);
  }
});
