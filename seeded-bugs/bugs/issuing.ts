import type { SeededBug } from "../bug.ts";

/** Of deciding on certificates, where many devices, debts and days meet. */
export const issuingBugs: readonly SeededBug[] = [
  {
    name: "only-own-certificates-counted",
    says: "A new limit counts what is open on the device that asks, not what is open on the account's other devices.",
    breaks: 5,
    search: "issuing search",
    edits: [
      {
        file: "packages/issue/src/limit.ts",
        find: "const exposureMinor = openExposure(certificates, policy, now);",
        replace:
          "const exposureMinor = openExposure(certificates.filter(({ deviceId }) => deviceId === device.deviceId), policy, now);",
      },
    ],
  },
  {
    name: "revoked-not-counted",
    says: "A revoked certificate no longer counts, although a terminal that is offline still takes it.",
    breaks: 5,
    search: "issuing search",
    edits: [
      {
        file: "packages/issue/src/exposure.ts",
        find: "if (closing === undefined) return atLeastZero(limitMinor - settledMinor);",
        replace:
          "if (certificate.revokedAt !== undefined) return 0n;\n  if (closing === undefined) return atLeastZero(limitMinor - settledMinor);",
      },
    ],
  },
  {
    name: "own-statements-forgotten",
    says: "Only the bureau's word makes a debt overdue: whoever never repays the built-in credit gets new limits.",
    breaks: 5,
    search: "issuing search",
    edits: [
      {
        file: "packages/issue/src/credit-dues.ts",
        find: "return largerOf(overdueMinor, smallerOf(pastMinor, usedMinor));",
        replace: "return overdueMinor;",
      },
    ],
  },
  {
    name: "day-cap-per-certificate",
    says: "The cap for a day is looked at for each certificate alone.",
    breaks: 5,
    search: "issuing search",
    edits: [
      {
        file: "packages/issue/src/limit.ts",
        find: "let dailyRoomMinor = atLeastZero(policy.limit.perDayCapMinor - issuedMinor);",
        replace: "let dailyRoomMinor = policy.limit.perDayCapMinor;",
      },
    ],
  },
  {
    name: "minimum-protection-ignored",
    says: "A policy's least key protection refuses nobody.",
    breaks: 5,
    search: "issuing search",
    edits: [
      {
        file: "packages/issue/src/limit.ts",
        find: "const isBelowMinimum = device.protection < policy.minimumProtection;",
        replace: "const isBelowMinimum = false;",
      },
      {
        file: "packages/issue/src/refusals.ts",
        find: "device.protection < policy.minimumProtection ||\n    ",
        replace: "",
      },
    ],
  },
  {
    name: "blocked-device-certified",
    says: "A device that was reported lost gets a new certificate as long as its account is not blocked.",
    breaks: 5,
    search: "issuing search",
    edits: [
      {
        file: "packages/issue/src/refusals.ts",
        find: 'report(device.status !== "active", "DEVICE_FROZEN");',
        replace: "",
      },
    ],
  },
];
