import assert from "node:assert/strict";
import { test } from "node:test";
import { checkPolicy, DEFAULT_POLICY, PolicyError, policyText, readKeptPolicy, readPolicy } from "@cairn/issue";
import fc from "fast-check";
import { policyArbitrary } from "./arbitraries.ts";

/** The policy as JSON would carry it. */
function asJson(policy: unknown): unknown {
  return JSON.parse(JSON.stringify(policy, (_, value) => (typeof value === "bigint" ? value.toString() : value)));
}

function refused(json: unknown, code: string, path: string): void {
  assert.throws(
    () => readPolicy(json),
    (error) => {
      assert.ok(error instanceof PolicyError);
      assert.deepEqual({ code: error.code, path: error.path }, { code, path });
      return true;
    },
  );
}

test("nothing said is the default policy, but for its name", () => {
  assert.deepEqual(readPolicy({}), { ...DEFAULT_POLICY, version: "unnamed" });
});

test("the default policy passes its own reader", () => {
  assert.deepEqual(readPolicy(asJson(DEFAULT_POLICY)), DEFAULT_POLICY);
});

test("every policy reads back from its JSON", () => {
  fc.assert(fc.property(policyArbitrary, (policy) => assert.deepEqual(readPolicy(asJson(policy)), policy)));
});

test("one figure changes and the rest stays", () => {
  const policy = readPolicy({ limit: { floorMinor: "700" }, protection: { 1: { allowancePercent: 33 } } });
  assert.equal(policy.limit.floorMinor, 700n);
  assert.equal(policy.limit.stepMinor, DEFAULT_POLICY.limit.stepMinor);
  assert.deepEqual(policy.protection[1], { ...DEFAULT_POLICY.protection[1], allowancePercent: 33 });
  assert.deepEqual(policy.protection[2], DEFAULT_POLICY.protection[2]);
});

test("unknown keys are refused at every depth, with their path", () => {
  refused({ floorMinor: "1" }, "POLICY_FIELD_UNKNOWN", "floorMinor");
  refused({ limit: { floor: "1" } }, "POLICY_FIELD_UNKNOWN", "limit.floor");
  refused({ conditions: { expired: { on: true } } }, "POLICY_FIELD_UNKNOWN", "conditions.expired.on");
  refused({ protection: { 4: {} } }, "POLICY_FIELD_UNKNOWN", "protection.4");
  refused({ validitySecondsByScoreBand: { F: 1 } }, "POLICY_FIELD_UNKNOWN", "validitySecondsByScoreBand.F");
  refused(JSON.parse('{"__proto__": {}}'), "POLICY_FIELD_UNKNOWN", "__proto__");
  refused({ limit: { constructor: "1" } }, "POLICY_FIELD_UNKNOWN", "limit.constructor");
});

test("what is no object is refused", () => {
  for (const json of [undefined, null, [], "policy", 3, new Map(), new Date(0)])
    refused(json, "POLICY_FIELD_INVALID", "");
  refused({ limit: null }, "POLICY_FIELD_INVALID", "limit");
  refused({ conditions: { expired: true } }, "POLICY_FIELD_INVALID", "conditions.expired");
  refused({ limit: undefined }, "POLICY_FIELD_INVALID", "limit");
});

test("values of the wrong type or range are refused", () => {
  for (const value of [5_000, "5e3", "-1", "05", "1.5", "", " 5", "9007199254740992", true, null])
    refused({ limit: { perDayCapMinor: value } }, "POLICY_FIELD_INVALID", "limit.perDayCapMinor");
  for (const name of ["floorMinor", "stepMinor", "perCertificateCapMinor", "perDayCapMinor"])
    refused({ limit: { [name]: "0" } }, "POLICY_FIELD_INVALID", `limit.${name}`);
  refused({ perPayment: { capMinor: "0" } }, "POLICY_FIELD_INVALID", "perPayment.capMinor");
  for (const value of [0, 101, 1.5, "50", null])
    refused({ perPayment: { shareOfLimitPercent: value } }, "POLICY_FIELD_INVALID", "perPayment.shareOfLimitPercent");
  for (const value of [-1, 101, 0.5, "80"])
    refused({ allowance: { balancePercent: value } }, "POLICY_FIELD_INVALID", "allowance.balancePercent");
  refused(
    { allowance: { creditPercentByScoreBand: { C: 101 } } },
    "POLICY_FIELD_INVALID",
    "allowance.creditPercentByScoreBand.C",
  );
  refused(
    { protection: { 0: { releasedAtClosingPercent: 101 } } },
    "POLICY_FIELD_INVALID",
    "protection.0.releasedAtClosingPercent",
  );
  for (const value of [0, 100])
    refused(
      { conditions: { remainingLow: { belowPercent: value } } },
      "POLICY_FIELD_INVALID",
      "conditions.remainingLow.belowPercent",
    );
  refused({ conditions: { expired: { enabled: 1 } } }, "POLICY_FIELD_INVALID", "conditions.expired.enabled");
  for (const value of [0, -1, 1e12, "60", 3_599])
    refused({ uploadDeadlineSeconds: value }, "POLICY_FIELD_INVALID", "uploadDeadlineSeconds");
});

test("one look finds every fault, in the order of the file's sections", () => {
  const checked = checkPolicy({
    version: "",
    conditions: { requestedAhead: { perDayCapMinor: 5 }, restored: { withinSeconds: 0 } },
    hold: "some",
    minimumProtection: 4,
    limits: {},
  });
  assert.ok("faults" in checked);
  assert.deepEqual(
    checked.faults.map(({ code, path }) => [code, path]),
    [
      ["POLICY_FIELD_UNKNOWN", "limits"],
      ["POLICY_FIELD_INVALID", "version"],
      ["POLICY_FIELD_INVALID", "conditions.restored.withinSeconds"],
      ["POLICY_FIELD_INVALID", "conditions.requestedAhead.perDayCapMinor"],
      ["POLICY_FIELD_INVALID", "minimumProtection"],
      ["POLICY_FIELD_INVALID", "hold"],
    ],
  );
  const [unknown, , , , , hold] = checked.faults;
  assert.match(unknown.message, /^limits is not part of a policy; here can be version, conditions, /);
  assert.equal(hold?.message, 'hold must be one of "none", "balance-part", "whole-limit".');
  assert.deepEqual(checkPolicy({ version: "a name" }), { policy: { ...DEFAULT_POLICY, version: "a name" } });
});

test("equal policies have equal texts, whichever way they were written", () => {
  const short = readPolicy({ hold: "none", version: "x" });
  assert.equal(policyText(short), policyText(readPolicy(asJson(short))));
  assert.notEqual(policyText(short), policyText(readPolicy({ version: "x" })));
  assert.equal(policyText(readPolicy({ version: "built-in" })), policyText(DEFAULT_POLICY));
});

test("figures that contradict each other are refused", () => {
  refused({ limit: { floorMinor: "50001" } }, "POLICY_INCONSISTENT", "limit.perCertificateCapMinor");
  refused({ limit: { stepMinor: "60000" } }, "POLICY_INCONSISTENT", "limit.perCertificateCapMinor");
  refused({ limit: { perDayCapMinor: "499" } }, "POLICY_INCONSISTENT", "limit.perDayCapMinor");
  refused(
    { protection: { 0: { perCertificateCapMinor: "499" } } },
    "POLICY_INCONSISTENT",
    "protection.0.perCertificateCapMinor",
  );
  for (const [name, cap] of [
    ["deviceKeyReplaced", "perCertificateCapMinor"],
    ["requestedAhead", "perCertificateCapMinor"],
    ["requestedAhead", "perDayCapMinor"],
  ] as const) {
    const json = (enabled: boolean) => ({ conditions: { [name]: { enabled, [cap]: "499" } } });
    refused(json(true), "POLICY_INCONSISTENT", `conditions.${name}.${cap}`);
    assert.equal(readPolicy(json(false)).conditions[name].enabled, false);
  }
  refused({ validitySecondsByScoreBand: { E: 86_400 } }, "POLICY_INCONSISTENT", "validitySecondsByScoreBand.E");
});

test("a cap of zero shuts a protection level out", () => {
  assert.equal(
    readPolicy({ protection: { 0: { perCertificateCapMinor: "0" } } }).protection[0].perCertificateCapMinor,
    0n,
  );
});

/** Each figure of a policy as JSON, with another value in its place. */
function* otherwise(json: unknown, path: readonly string[] = []): Iterable<readonly [readonly string[], unknown]> {
  if (typeof json === "object" && json !== null)
    for (const [name, value] of Object.entries(json)) yield* otherwise(value, [...path, name]);
  else if (typeof json === "boolean") yield [path, !json];
  else if (typeof json === "number") yield [path, json === 0 ? 1 : json - 1];
  else if (path.at(-1) === "hold") yield [path, "none"];
  else if (path.at(-1) === "version") yield [path, "another"];
  else yield [path, `${BigInt(json as string) + 100n}`];
}

function changed(json: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  const section = json as Record<string, unknown>;
  return { ...section, [name]: changed(section[name], rest, value) };
}

test("each figure of a policy is read from its own place", () => {
  let figures = 0;
  for (const [path, value] of otherwise(asJson(DEFAULT_POLICY))) {
    const json = changed(asJson(DEFAULT_POLICY), path, value);
    const checked = checkPolicy(json);
    assert.ok("policy" in checked, path.join("."));
    assert.deepEqual(asJson(checked.policy), json, path.join("."));
    figures++;
  }
  assert.ok(figures > 50, figures.toString());
});

test("the bounds of amounts, of names and of caps that are rounded down", () => {
  const most = (2n ** 53n - 1n).toString();
  assert.equal(readPolicy({ limit: { perDayCapMinor: most } }).limit.perDayCapMinor, 2n ** 53n - 1n);
  refused({ limit: { perDayCapMinor: (2n ** 53n).toString() } }, "POLICY_FIELD_INVALID", "limit.perDayCapMinor");
  for (const version of [7, true, " a", "a ", "a\n", "\na", "", "a".repeat(41), "\u00e9"])
    refused({ version }, "POLICY_FIELD_INVALID", "version");
  assert.equal(readPolicy({ version: "a".repeat(40) }).version, "a".repeat(40));
  // 5.99 in steps of 1.00 is 5.00: just the least.
  assert.equal(readPolicy({ limit: { perDayCapMinor: "599" } }).limit.perDayCapMinor, 599n);
  refused({ limit: { perDayCapMinor: "499" } }, "POLICY_INCONSISTENT", "limit.perDayCapMinor");
});

test("a figure that was replaced by its default contradicts no other", () => {
  const checked = checkPolicy({ limit: { floorMinor: 7, perCertificateCapMinor: "100" } });
  assert.ok("faults" in checked);
  assert.deepEqual(
    checked.faults.map(({ path }) => path),
    ["limit.floorMinor"],
  );
});

test("spans of minutes, where hours or days are meant, are refused with the reason; one that was in force stays readable", () => {
  const short = {
    validitySecondsByScoreBand: { A: 86_401, E: 3_599 },
    conditions: { renewalWindow: { windowSeconds: 60 } },
    uploadDeadlineSeconds: 3_599,
    creditInformationMaximumAgeSeconds: 60,
    creditRepayment: { statementEverySeconds: 86_399 },
  };
  const checked = checkPolicy(short);
  assert.deepEqual("faults" in checked && checked.faults.map(({ message }) => message), [
    "validitySecondsByScoreBand.E must be at least 3600 seconds: a certificate would end on the way to the till.",
    "uploadDeadlineSeconds must be at least 3600 seconds: payments would be given back before their till is online.",
    "creditInformationMaximumAgeSeconds must be at least 3600 seconds: news of the credit would be too old as they come in.",
    "creditRepayment.statementEverySeconds must be at least 86400 seconds: whatever was used would be asked for at once.",
  ]);
  assert.equal(readKeptPolicy(short).uploadDeadlineSeconds, 3_599);
  assert.throws(() => readKeptPolicy({ uploadDeadlineSeconds: 0 }), { code: "POLICY_FIELD_INVALID" });
  const least = { ...short, validitySecondsByScoreBand: { A: 86_401, E: 3_600 }, uploadDeadlineSeconds: 3_600 };
  const others = { creditInformationMaximumAgeSeconds: 3_600, creditRepayment: { statementEverySeconds: 86_400 } };
  assert.ok("policy" in checkPolicy({ ...least, ...others }));
});
