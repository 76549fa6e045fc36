import { DEFAULT_POLICY, type IssuingPolicy } from "@cairn/issue";
import { Seeded } from "../kernel/seeded.ts";

const DAY_SECONDS = 86_400;

/** Issuers have policies of their own: each economy goes by one of these. */
const POLICIES: readonly IssuingPolicy[] = [
  DEFAULT_POLICY,
  // Keys in software get nothing, and a day brings no more than a person spends in town.
  {
    ...DEFAULT_POLICY,
    version: "strict",
    minimumProtection: 1,
    limit: { ...DEFAULT_POLICY.limit, perDayCapMinor: 6_000n },
  },
  // A statement every other day: who does not repay within a day gets nothing more.
  {
    ...DEFAULT_POLICY,
    version: "short statements",
    creditRepayment: { enabled: true, statementEverySeconds: 2 * DAY_SECONDS, dueAfterSeconds: DAY_SECONDS },
  },
];

export function policyOf(seed: string): IssuingPolicy {
  return new Seeded(seed, "policy").pick(POLICIES);
}
