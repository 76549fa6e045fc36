import { CodedError } from "@cairn/cose";
import { MAXIMUM_MINOR } from "@cairn/messages";
import type { ScoreBand } from "./model.ts";
import { DEFAULT_POLICY, type IssuingPolicy, type ProtectionPolicy } from "./policy.ts";

export type PolicyErrorCode =
  /** A key that the policy does not have: a typing error would otherwise leave a default in force unseen. */
  | "POLICY_FIELD_UNKNOWN"
  /** A value of the wrong type or outside its range. */
  | "POLICY_FIELD_INVALID"
  /** Each figure is possible, but not together. */
  | "POLICY_INCONSISTENT";

/** The operator's policy cannot be used. `path` names the place, such as "limit.floorMinor"; "" is the whole. */
export class PolicyError extends CodedError<PolicyErrorCode> {
  readonly path: string;

  constructor(code: PolicyErrorCode, path: string, why: string) {
    super(code, path === "" ? `The policy ${why}.` : `${path} ${why}.`);
    this.path = path;
  }
}

/** An object whose keys are all known. Absent keys take the default. */
type Section<Key extends string> = { readonly path: string; readonly values: ReadonlyMap<Key, unknown> };

/** Two years: no certificate, window or deadline is meant to be longer. */
const MAXIMUM_SECONDS = 2 * 366 * 86_400;
const TOP_KEYS = [
  "conditions",
  "allowance",
  "protection",
  "limit",
  "perPayment",
  "validitySecondsByScoreBand",
  "uploadDeadlineSeconds",
  "creditInformationMaximumAgeSeconds",
] as const;
type TopSection = Section<(typeof TOP_KEYS)[number]>;
const SCORE_BANDS = ["A", "B", "C", "D", "E"] as const;
const PROTECTION_LEVELS = ["0", "1", "2", "3"] as const;

/**
 * Reads a policy from parsed JSON of the same shape as {@link IssuingPolicy}: amounts as strings of minor units,
 * everything left out as in {@link DEFAULT_POLICY}, nothing unknown.
 * @throws PolicyError with the path of the first fault.
 */
export function readPolicy(json: unknown): IssuingPolicy {
  const policy = readSections(json);
  checkTogether(policy);
  return policy;
}

function readSections(json: unknown): IssuingPolicy {
  const root = readSection(json, "", TOP_KEYS);
  const fallback = DEFAULT_POLICY;
  const allowance = readChild(root, "allowance", ["balancePercent", "creditPercentByScoreBand"]);
  const limit = readChild(root, "limit", ["floorMinor", "stepMinor", "perCertificateCapMinor", "perDayCapMinor"]);
  const perPayment = readChild(root, "perPayment", ["capMinor", "shareOfLimitPercent"]);
  return {
    conditions: readConditions(root),
    allowance: {
      balancePercent: readPercent(allowance, "balancePercent", fallback.allowance.balancePercent),
      creditPercentByScoreBand: readByBand(
        readChild(allowance, "creditPercentByScoreBand", SCORE_BANDS),
        (bands, band) => readPercent(bands, band, fallback.allowance.creditPercentByScoreBand[band]),
      ),
    },
    protection: readProtection(root),
    limit: {
      floorMinor: readMinor(limit, "floorMinor", { minimum: 1n, fallback: fallback.limit.floorMinor }),
      stepMinor: readMinor(limit, "stepMinor", { minimum: 1n, fallback: fallback.limit.stepMinor }),
      perCertificateCapMinor: readMinor(limit, "perCertificateCapMinor", {
        minimum: 1n,
        fallback: fallback.limit.perCertificateCapMinor,
      }),
      perDayCapMinor: readMinor(limit, "perDayCapMinor", { minimum: 1n, fallback: fallback.limit.perDayCapMinor }),
    },
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
    "requestedAhead",
  ]);
  const readSwitch = (
    name: "noCertificate" | "expired" | "deviceKeyReplaced" | "requestedAhead",
  ): { readonly enabled: boolean } => ({
    enabled: readFlag(readChild(section, name, ["enabled"]), "enabled", fallback[name].enabled),
  });
  const renewal = readChild(section, "renewalWindow", ["enabled", "windowSeconds"]);
  const low = readChild(section, "remainingLow", ["enabled", "belowPercent"]);
  const changed = readChild(section, "allowanceChanged", ["enabled", "abovePercent", "aboveMinor"]);
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
    },
    allowanceChanged: {
      enabled: readFlag(changed, "enabled", fallback.allowanceChanged.enabled),
      abovePercent: readInteger(changed, "abovePercent", {
        minimum: 0,
        maximum: 10_000,
        fallback: fallback.allowanceChanged.abovePercent,
      }),
      aboveMinor: readMinor(changed, "aboveMinor", { minimum: 0n, fallback: fallback.allowanceChanged.aboveMinor }),
    },
    deviceKeyReplaced: readSwitch("deviceKeyReplaced"),
    requestedAhead: readSwitch("requestedAhead"),
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

/** Figures that would make every decision come out the same way, which nobody wants and few would notice. */
function checkTogether(policy: IssuingPolicy): void {
  const { floorMinor, stepMinor, perCertificateCapMinor, perDayCapMinor } = policy.limit;
  const lower = (path: string, capMinor: bigint): void => {
    if (capMinor - (capMinor % stepMinor) < floorMinor)
      throw new PolicyError("POLICY_INCONSISTENT", path, "rounded down to limit.stepMinor is below limit.floorMinor");
  };
  lower("limit.perCertificateCapMinor", perCertificateCapMinor);
  lower("limit.perDayCapMinor", perDayCapMinor);
  for (const [level, { perCertificateCapMinor: capMinor }] of Object.entries(policy.protection))
    if (capMinor !== 0n) lower(`protection.${level}.perCertificateCapMinor`, capMinor);
  for (const band of SCORE_BANDS)
    if (policy.conditions.renewalWindow.windowSeconds >= policy.validitySecondsByScoreBand[band])
      throw new PolicyError(
        "POLICY_INCONSISTENT",
        `validitySecondsByScoreBand.${band}`,
        "is not longer than conditions.renewalWindow.windowSeconds",
      );
}

function readSection<const Key extends string>(json: unknown, path: string, known: readonly Key[]): Section<Key> {
  if (typeof json !== "object" || json === null || !isPlain(json)) throw invalid(path, "must be an object");
  const values = new Map<Key, unknown>();
  for (const [name, value] of Object.entries(json)) {
    const key = known.find((candidate) => candidate === name);
    if (key === undefined) throw new PolicyError("POLICY_FIELD_UNKNOWN", join(path, name), "is not part of a policy");
    values.set(key, value);
  }
  return { path, values };
}

/** Anything with a prototype of its own (an array, a Map) would look like an object without keys: all defaults. */
function isPlain(json: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(json);
  return prototype === Object.prototype || prototype === null;
}

function readChild<Parent extends string, const Key extends string>(
  parent: Section<Parent>,
  name: Parent,
  known: readonly Key[],
): Section<Key> {
  const path = join(parent.path, name);
  return parent.values.has(name) ? readSection(parent.values.get(name), path, known) : { path, values: new Map() };
}

function readByBand<Value>(
  bands: Section<ScoreBand>,
  read: (bands: Section<ScoreBand>, band: ScoreBand) => Value,
): Readonly<Record<ScoreBand, Value>> {
  return { A: read(bands, "A"), B: read(bands, "B"), C: read(bands, "C"), D: read(bands, "D"), E: read(bands, "E") };
}

function readFlag<Key extends string>(section: Section<Key>, name: Key, fallback: boolean): boolean {
  if (!section.values.has(name)) return fallback;
  const value = section.values.get(name);
  if (typeof value !== "boolean") throw invalid(join(section.path, name), "must be true or false");
  return value;
}

function readInteger<Key extends string>(
  section: Section<Key>,
  name: Key,
  { minimum, maximum, fallback }: { minimum: number; maximum: number; fallback: number },
): number {
  if (!section.values.has(name)) return fallback;
  const value = section.values.get(name);
  if (typeof value !== "number" || !Number.isInteger(value) || value < minimum || value > maximum)
    throw invalid(join(section.path, name), `must be a whole number from ${minimum} to ${maximum}`);
  return value;
}

function readPercent<Key extends string>(section: Section<Key>, name: Key, fallback: number): number {
  return readInteger(section, name, { minimum: 0, maximum: 100, fallback });
}

function readSeconds<Key extends string>(section: Section<Key>, name: Key, fallback: number): number {
  return readInteger(section, name, { minimum: 1, maximum: MAXIMUM_SECONDS, fallback });
}

function readMinor<Key extends string>(
  section: Section<Key>,
  name: Key,
  { minimum, fallback }: { minimum: bigint; fallback: bigint },
): bigint {
  if (!section.values.has(name)) return fallback;
  const value = section.values.get(name);
  const why = `must be a string of minor units from ${minimum} to ${MAXIMUM_MINOR}, such as "5000"`;
  if (typeof value !== "string" || !/^(?:0|[1-9]\d{0,15})$/.test(value)) throw invalid(join(section.path, name), why);
  const minor = BigInt(value);
  if (minor < minimum || minor > MAXIMUM_MINOR) throw invalid(join(section.path, name), why);
  return minor;
}

function join(path: string, name: string): string {
  return path === "" ? name : `${path}.${name}`;
}

function invalid(path: string, why: string): PolicyError {
  return new PolicyError("POLICY_FIELD_INVALID", path, why);
}
