import assert from "node:assert/strict";
import { test } from "node:test";
import {
  conditionsHolding,
  DEFAULT_POLICY,
  decideIssuance,
  explainIssuance,
  type IssuingView,
  openExposure,
  readPolicy,
} from "@cairn/issue";
import fc from "fast-check";
import { eventArbitrary, policyArbitrary, viewArbitrary } from "./arbitraries.ts";
import { AHEAD, aCertificate, aClosing, aDevice, anAccount, aView, DAY, EUR, NOW, ONLINE } from "./views.ts";

const decide = (view: Partial<IssuingView>, event = ONLINE) =>
  decideIssuance({ view: aView(view), event, policy: DEFAULT_POLICY, now: NOW });

test("issue: reasons, terms and the reckoning", () => {
  const decision = decide({});
  assert.ok(decision.kind === "issue");
  assert.deepEqual(
    decision.reasons.map(({ code }) => code),
    ["NO_CERTIFICATE"],
  );
  assert.deepEqual(decision.terms, {
    currency: EUR,
    limitMinor: 30_000n,
    perPaymentCapMinor: 15_000n,
    protection: 2,
    validitySeconds: 10 * DAY,
  });
  assert.equal(decision.computation.limitMinor, 30_000n);
  assert.equal(decision.computation.allowanceMinor, 96_000n);
});

test("a certificate counts as asked for ahead when nothing else made it due", () => {
  const isAhead = (view: Partial<IssuingView>, event: typeof ONLINE) => {
    const decision = decide(view, event);
    return decision.kind === "issue" ? decision.issuedAhead : undefined;
  };
  assert.equal(isAhead({}, ONLINE), false);
  assert.equal(isAhead({}, AHEAD), false, "the first certificate is due anyway");
  assert.equal(isAhead({ certificates: [aCertificate()] }, AHEAD), true);
});

test("validity follows the score", () => {
  const validity = (scoreBand: "A" | "E") => {
    const decision = decide({ account: anAccount({}, { scoreBand }) });
    return decision.kind === "issue" ? decision.terms.validitySeconds : undefined;
  };
  assert.equal(validity("A"), 14 * DAY);
  assert.equal(validity("E"), 2 * DAY);
});

test("refuse: reasons, what was asked for, and the reckoning", () => {
  const decision = decide({ device: aDevice({ status: "frozen" }) });
  assert.ok(decision.kind === "refuse");
  assert.deepEqual(
    decision.reasons.map(({ code }) => code),
    ["DEVICE_FROZEN"],
  );
  assert.deepEqual(
    decision.conditions.map(({ code }) => code),
    ["NO_CERTIFICATE"],
  );
  assert.ok(decision.computation.lines.length > 0);
});

test("none: a good certificate, even of a frozen account", () => {
  const certificates = [aCertificate()];
  assert.deepEqual(decide({ certificates }), { kind: "none" });
  assert.deepEqual(decide({ certificates, account: anAccount({ status: "frozen" }) }), { kind: "none" });
});

test("none: the account changed while the device is offline", () => {
  assert.deepEqual(decide({}, { kind: "account-changed" }), { kind: "none" });
});

test("a certificate to be replaced counts until it is closed", () => {
  const old = aCertificate({ limitMinor: 90_000n, settledMinor: 20_000n, expiresAt: NOW + 60 });
  const open = decide({ certificates: [old] });
  assert.ok(open.kind === "issue");
  assert.equal(open.terms.limitMinor, 26_000n);
  const closed = decide({ certificates: [{ ...old, closing: aClosing(20_000n) }] });
  assert.ok(closed.kind === "issue");
  assert.equal(closed.terms.limitMinor, 30_000n);
});

test("once issued, the same look at the account asks for nothing more", () => {
  fc.assert(
    fc.property(viewArbitrary, policyArbitrary, (view, policy) => {
      const decision = decideIssuance({ view, event: ONLINE, policy, now: NOW });
      if (decision.kind !== "issue") return;
      const issued = aCertificate({
        issuedAt: NOW,
        expiresAt: NOW + decision.terms.validitySeconds,
        limitMinor: decision.terms.limitMinor,
        allowanceMinor: decision.computation.allowanceMinor,
        protection: decision.terms.protection,
        settledMinor: 0n,
      });
      // What other open certificates of the device have left may still be low; alone, the new one is good.
      const others = view.certificates.filter(({ deviceId }) => deviceId !== view.device.deviceId);
      const after = { ...view, certificates: [...others, issued] };
      assert.deepEqual(decideIssuance({ view: after, event: ONLINE, policy, now: NOW }), { kind: "none" });
    }),
  );
});

test("a condition that holds always leads to issue or refuse; without one there is never either", () => {
  const seen = { issue: 0, refuse: 0, none: 0 };
  fc.assert(
    fc.property(viewArbitrary, eventArbitrary, policyArbitrary, (view, event, policy) => {
      const input = { view, event, policy, now: NOW };
      const conditions = conditionsHolding(input);
      const decision = decideIssuance(input);
      seen[decision.kind]++;
      assert.equal(decision.kind === "none", conditions.length === 0);
      if (decision.kind === "none") return;
      assert.ok(decision.reasons.length > 0);
      assert.deepEqual(decision.kind === "issue" ? decision.reasons : decision.conditions, conditions);
      if (decision.kind === "refuse") return;
      const { terms, computation } = decision;
      assert.ok(terms.limitMinor > 0n && terms.perPaymentCapMinor > 0n && terms.perPaymentCapMinor <= terms.limitMinor);
      assert.ok(terms.limitMinor + openExposure(view.certificates, policy, NOW) <= computation.allowanceMinor);
      assert.equal(view.account.status, "active");
      assert.equal(view.device.status, "active");
    }),
    { numRuns: 1_000 },
  );
  assert.ok(
    Object.values(seen).every((count) => count > 2),
    JSON.stringify(seen),
  );
});

test("asking ahead twice never gives the same room twice", () => {
  const first = decide({}, AHEAD);
  assert.ok(first.kind === "issue");
  const held = aCertificate({ issuedAt: NOW, limitMinor: first.terms.limitMinor, settledMinor: 0n });
  const second = decide({ certificates: [held, { ...held, limitMinor: 60_000n }] }, AHEAD);
  assert.ok(second.kind === "issue");
  assert.equal(second.terms.limitMinor, 6_000n);
});

test("what is held: nothing, the balance's part rounded up, or the whole limit", () => {
  const account = anAccount({ balanceMinor: 10_000n }, { lineMinor: 10_000n, usedMinor: 0n, scoreBand: "B" });
  const held = (hold: string, balanceMinor = account.balanceMinor) => {
    const view = aView({ account: { ...account, balanceMinor } });
    const decision = decideIssuance({ view, event: ONLINE, policy: readPolicy({ hold }), now: NOW });
    assert.ok(decision.kind === "issue");
    return [decision.terms.limitMinor, decision.heldMinor];
  };
  assert.deepEqual(held("none"), [12_000n, 0n]);
  // 80 % of 100.00 and 40 % of 100.00: two thirds come from the balance.
  assert.deepEqual(held("balance-part"), [12_000n, 8_000n]);
  assert.deepEqual(held("whole-limit"), [12_000n, 12_000n]);
  assert.deepEqual(held("balance-part", 10_101n), [12_000n, 8_027n]);
});

test("an explanation has the grounds of the decision that is made, and of the one that would be", () => {
  fc.assert(
    fc.property(viewArbitrary, eventArbitrary, policyArbitrary, (view, event, policy) => {
      const input = { view, event, policy, now: NOW };
      const decision = decideIssuance(input);
      const explained = explainIssuance(input);
      assert.equal(explained.decision, decision.kind);
      if (decision.kind !== "none") assert.deepEqual(explained.computation, decision.computation);
      if (decision.kind === "issue") {
        assert.deepEqual(explained.refusals, []);
        assert.deepEqual(
          [explained.heldMinor, explained.validitySeconds],
          [decision.heldMinor, decision.terms.validitySeconds],
        );
      }
      if (decision.kind === "refuse") assert.deepEqual(explained.refusals, decision.reasons);
    }),
  );
});
