import type { ScoreBand } from "./model.ts";
import { DEFAULT_POLICY, HOLD_PARTS, type IssuingPolicy, type ProtectionPolicy } from "./policy.ts";
import { PolicyError } from "./policy-error.ts";
import {
  readChild,
  readFlag,
  readInteger,
  readMinor,
  readName,
  readOneOf,
  readPercent,
  readSeconds,
  readSection,
  type Section,
} from "./policy-fields.ts";

const TOP_KEYS = [
  "version",
  "conditions",
  "allowance",
  "minimumProtection",
  "protection",
  "limit",
  "hold",
  "perPayment",
  "validitySecondsByScoreBand",
  "uploadDeadlineSeconds",
  "creditInformationMaximumAgeSeconds",
  "creditRepayment",
] as const;
type TopSection = Section<(typeof TOP_KEYS)[number]>;
const SCORE_BANDS = ["A", "B", "C", "D", "E"] as const;
const PROTECTION_LEVELS = ["0", "1", "2", "3"] as const;
const HOUR_SECONDS = 3_600;
const DAY_SECONDS = 86_400;
/** What a policy file is called that gives itself no name. */
const UNNAMED = "unnamed";

/** A policy, or all that is wrong with it. */
export type CheckedPolicy =
  | { readonly policy: IssuingPolicy }
  | { readonly faults: readonly [PolicyError, ...PolicyError[]] };

/**
 * Reads a policy from parsed JSON of the same shape as {@link IssuingPolicy}: amounts as strings of minor units,
 * everything left out as in {@link DEFAULT_POLICY}, nothing unknown.
 */
export function checkPolicy(json: unknown): CheckedPolicy {
  const faults: PolicyError[] = [];
  const policy = readSections(json, faults);
  checkLeast(policy, faults);
  // What was replaced by a default says nothing about figures that contradict each other.
  if (faults.length === 0) checkTogether(policy, faults);
  const [first, ...others] = faults;
  return first === undefined ? { policy } : { faults: [first, ...others] };
}

/** As {@link checkPolicy}. @throws PolicyError with the path of the first fault. */
export function readPolicy(json: unknown): IssuingPolicy {
  const checked = checkPolicy(json);
  if ("faults" in checked) throw checked.faults[0];
  return checked.policy;
}

/**
 * One that was in force once, whatever is asked of a policy by now. @throws PolicyError as {@link readPolicy}, when no
 * version ever took such a one
 */
export function readKeptPolicy(json: unknown): IssuingPolicy {
  const faults: PolicyError[] = [];
  const policy = readSections(json, faults);
  if (faults[0] !== undefined) throw faults[0];
  return policy;
}

/** The whole policy as JSON of one form, defaults written out: equal texts are equal policies. */
export function policyText(policy: IssuingPolicy): string {
  return JSON.stringify(policy, (_name, value: unknown) => (typeof value === "bigint" ? value.toString() : value), 2);
}

function readSections(json: unknown, faults: PolicyError[]): IssuingPolicy {
  const root = readSection(json, "", TOP_KEYS, faults);
  const fallback = DEFAULT_POLICY;
  const perPayment = readChild(root, "perPayment", ["capMinor", "shareOfLimitPercent"]);
  const repayment = readChild(root, "creditRepayment", ["enabled", "statementEverySeconds", "dueAfterSeconds"]);
  return {
    version: readName(root, "version", UNNAMED),
    conditions: readConditions(root),
    allowance: readAllowance(root),
    minimumProtection: readOneOf(root, "minimumProtection", [0, 1, 2, 3], fallback.minimumProtection),
    protection: readProtection(root),
    limit: readLimit(root),
    hold: readOneOf(root, "hold", HOLD_PARTS, fallback.hold),
    perPayment: {
      capMinor: readMinor(perPayment, "capMinor", { minimum: 1n, fallback: fallback.perPayment.capMinor }),
      shareOfLimitPercent: readInteger(perPayment, "shareOfLimitPercent", {
        minimum: 1,
        maximum: 100,
        fallback: fallback.perPayment.shareOfLimitPercent,
      }),
    },
    validitySecondsByScoreBand: readByBand(readChild(root, "validitySecondsByScoreBand", SCORE_BANDS), (bands, band) =>
      readSeconds(bands, band, fallback.validitySecondsByScoreBand[band]),
    ),
    uploadDeadlineSeconds: readSeconds(root, "uploadDeadlineSeconds", fallback.uploadDeadlineSeconds),
    creditInformationMaximumAgeSeconds: readSeconds(
      root,
      "creditInformationMaximumAgeSeconds",
      fallback.creditInformationMaximumAgeSeconds,
    ),
    creditRepayment: {
      enabled: readFlag(repayment, "enabled", fallback.creditRepayment.enabled),
      statementEverySeconds: readSeconds(
        repayment,
        "statementEverySeconds",
        fallback.creditRepayment.statementEverySeconds,
      ),
      dueAfterSeconds: readSeconds(repayment, "dueAfterSeconds", fallback.creditRepayment.dueAfterSeconds, 0),
    },
  };
}

function readAllowance(root: TopSection): IssuingPolicy["allowance"] {
  const section = readChild(root, "allowance", ["balancePercent", "creditPercentByScoreBand"]);
  const fallback = DEFAULT_POLICY.allowance;
  return {
    balancePercent: readPercent(section, "balancePercent", fallback.balancePercent),
    creditPercentByScoreBand: readByBand(readChild(section, "creditPercentByScoreBand", SCORE_BANDS), (bands, band) =>
      readPercent(bands, band, fallback.creditPercentByScoreBand[band]),
    ),
  };
}

function readLimit(root: TopSection): IssuingPolicy["limit"] {
  const names = ["floorMinor", "stepMinor", "perCertificateCapMinor", "perDayCapMinor"] as const;
  const section = readChild(root, "limit", names);
  const read = (name: (typeof names)[number]): bigint =>
    readMinor(section, name, { minimum: 1n, fallback: DEFAULT_POLICY.limit[name] });
  return {
    floorMinor: read("floorMinor"),
    stepMinor: read("stepMinor"),
    perCertificateCapMinor: read("perCertificateCapMinor"),
    perDayCapMinor: read("perDayCapMinor"),
  };
}

function readConditions(root: TopSection): IssuingPolicy["conditions"] {
  const fallback = DEFAULT_POLICY.conditions;
  const section = readChild(root, "conditions", [
    "noCertificate",
    "expired",
    "renewalWindow",
    "remainingLow",
    "allowanceChanged",
    "deviceKeyReplaced",
    "restored",
    "requestedAhead",
  ]);
  const readSwitch = (name: "noCertificate" | "expired"): { readonly enabled: boolean } => ({
    enabled: readFlag(readChild(section, name, ["enabled"]), "enabled", fallback[name].enabled),
  });
  const renewal = readChild(section, "renewalWindow", ["enabled", "windowSeconds"]);
  const low = readChild(section, "remainingLow", ["enabled", "belowPercent", "minimumIntervalSeconds"]);
  const changed = readChild(section, "allowanceChanged", [
    "enabled",
    "abovePercent",
    "aboveMinor",
    "minimumIntervalSeconds",
  ]);
  const replaced = readChild(section, "deviceKeyReplaced", ["enabled", "cautiousSeconds", "perCertificateCapMinor"]);
  const restored = readChild(section, "restored", ["enabled", "withinSeconds"]);
  const ahead = readChild(section, "requestedAhead", ["enabled", "perCertificateCapMinor", "perDayCapMinor"]);
  const cap = <Key extends string>(part: Section<Key>, name: Key, fallback: bigint): bigint =>
    readMinor(part, name, { minimum: 1n, fallback });
  return {
    noCertificate: readSwitch("noCertificate"),
    expired: readSwitch("expired"),
    renewalWindow: {
      enabled: readFlag(renewal, "enabled", fallback.renewalWindow.enabled),
      windowSeconds: readSeconds(renewal, "windowSeconds", fallback.renewalWindow.windowSeconds),
    },
    remainingLow: {
      enabled: readFlag(low, "enabled", fallback.remainingLow.enabled),
      // 100 would hold for every certificate not wholly unspent, 101 for a fresh one.
      belowPercent: readInteger(low, "belowPercent", {
        minimum: 1,
        maximum: 99,
        fallback: fallback.remainingLow.belowPercent,
      }),
      minimumIntervalSeconds: readSeconds(
        low,
        "minimumIntervalSeconds",
        fallback.remainingLow.minimumIntervalSeconds,
        0,
      ),
    },
    allowanceChanged: {
      enabled: readFlag(changed, "enabled", fallback.allowanceChanged.enabled),
      abovePercent: readInteger(changed, "abovePercent", {
        minimum: 0,
        maximum: 10_000,
        fallback: fallback.allowanceChanged.abovePercent,
      }),
      aboveMinor: readMinor(changed, "aboveMinor", { minimum: 0n, fallback: fallback.allowanceChanged.aboveMinor }),
      minimumIntervalSeconds: readSeconds(
        changed,
        "minimumIntervalSeconds",
        fallback.allowanceChanged.minimumIntervalSeconds,
        0,
      ),
    },
    deviceKeyReplaced: {
      enabled: readFlag(replaced, "enabled", fallback.deviceKeyReplaced.enabled),
      cautiousSeconds: readSeconds(replaced, "cautiousSeconds", fallback.deviceKeyReplaced.cautiousSeconds, 0),
      perCertificateCapMinor: cap(
        replaced,
        "perCertificateCapMinor",
        fallback.deviceKeyReplaced.perCertificateCapMinor,
      ),
    },
    restored: {
      enabled: readFlag(restored, "enabled", fallback.restored.enabled),
      withinSeconds: readSeconds(restored, "withinSeconds", fallback.restored.withinSeconds),
    },
    requestedAhead: {
      enabled: readFlag(ahead, "enabled", fallback.requestedAhead.enabled),
      perCertificateCapMinor: cap(ahead, "perCertificateCapMinor", fallback.requestedAhead.perCertificateCapMinor),
      perDayCapMinor: cap(ahead, "perDayCapMinor", fallback.requestedAhead.perDayCapMinor),
    },
  };
}

function readProtection(root: TopSection): IssuingPolicy["protection"] {
  const levels = readChild(root, "protection", PROTECTION_LEVELS);
  const readLevel = (level: "0" | "1" | "2" | "3", fallback: ProtectionPolicy): ProtectionPolicy => {
    const section = readChild(levels, level, [
      "allowancePercent",
      "perCertificateCapMinor",
      "releasedAtClosingPercent",
    ]);
    return {
      allowancePercent: readPercent(section, "allowancePercent", fallback.allowancePercent),
      perCertificateCapMinor: readMinor(section, "perCertificateCapMinor", {
        minimum: 0n,
        fallback: fallback.perCertificateCapMinor,
      }),
      releasedAtClosingPercent: readPercent(section, "releasedAtClosingPercent", fallback.releasedAtClosingPercent),
    };
  };
  const fallback = DEFAULT_POLICY.protection;
  return {
    0: readLevel("0", fallback[0]),
    1: readLevel("1", fallback[1]),
    2: readLevel("2", fallback[2]),
    3: readLevel("3", fallback[3]),
  };
}

/** Figures that somebody wrote in minutes, or hours, where they are seconds. */
function checkLeast(policy: IssuingPolicy, faults: PolicyError[]): void {
  const least = (path: string, seconds: number, leastSeconds: number, why: string): void => {
    if (seconds < leastSeconds)
      faults.push(new PolicyError("POLICY_FIELD_INVALID", path, `must be at least ${leastSeconds} seconds: ${why}`));
  };
  for (const band of SCORE_BANDS)
    least(
      `validitySecondsByScoreBand.${band}`,
      policy.validitySecondsByScoreBand[band],
      HOUR_SECONDS,
      "a certificate would end on the way to the till",
    );
  const { uploadDeadlineSeconds, creditInformationMaximumAgeSeconds, creditRepayment } = policy;
  least(
    "uploadDeadlineSeconds",
    uploadDeadlineSeconds,
    HOUR_SECONDS,
    "payments would be given back before their till is online",
  );
  least(
    "creditInformationMaximumAgeSeconds",
    creditInformationMaximumAgeSeconds,
    HOUR_SECONDS,
    "news of the credit would be too old as they come in",
  );
  least(
    "creditRepayment.statementEverySeconds",
    creditRepayment.statementEverySeconds,
    DAY_SECONDS,
    "whatever was used would be asked for at once",
  );
}

/** Figures that would make every decision come out the same way, which nobody wants and few would notice. */
function checkTogether(policy: IssuingPolicy, faults: PolicyError[]): void {
  const { conditions, limit, protection, validitySecondsByScoreBand } = policy;
  const { floorMinor, stepMinor, perCertificateCapMinor, perDayCapMinor } = limit;
  const { deviceKeyReplaced, requestedAhead, renewalWindow } = conditions;
  const inconsistent = (path: string, why: string) => faults.push(new PolicyError("POLICY_INCONSISTENT", path, why));
  const lower = (path: string, capMinor: bigint): void => {
    if (capMinor - (capMinor % stepMinor) < floorMinor)
      inconsistent(path, "rounded down to limit.stepMinor is below limit.floorMinor");
  };
  lower("limit.perCertificateCapMinor", perCertificateCapMinor);
  lower("limit.perDayCapMinor", perDayCapMinor);
  for (const [level, { perCertificateCapMinor: capMinor }] of Object.entries(protection))
    if (capMinor !== 0n) lower(`protection.${level}.perCertificateCapMinor`, capMinor);
  if (deviceKeyReplaced.enabled)
    lower("conditions.deviceKeyReplaced.perCertificateCapMinor", deviceKeyReplaced.perCertificateCapMinor);
  if (requestedAhead.enabled) {
    lower("conditions.requestedAhead.perCertificateCapMinor", requestedAhead.perCertificateCapMinor);
    lower("conditions.requestedAhead.perDayCapMinor", requestedAhead.perDayCapMinor);
  }
  for (const band of SCORE_BANDS)
    if (renewalWindow.windowSeconds >= validitySecondsByScoreBand[band])
      inconsistent(`validitySecondsByScoreBand.${band}`, "is not longer than conditions.renewalWindow.windowSeconds");
}

function readByBand<Value>(
  bands: Section<ScoreBand>,
  read: (bands: Section<ScoreBand>, band: ScoreBand) => Value,
): Readonly<Record<ScoreBand, Value>> {
  return { A: read(bands, "A"), B: read(bands, "B"), C: read(bands, "C"), D: read(bands, "D"), E: read(bands, "E") };
}
