import { DEFAULT_POLICY, type IssuingPolicy } from "@cairn/issue";
import { POLICY } from "../../packages/settle/test/world.ts";
import { LIMIT_MINOR } from "./cast.ts";

/** The issuing policy in coins: all of balance and credit may be spent offline. */
export function policyOf(releasedPercent: number): IssuingPolicy {
  const level = {
    allowancePercent: 100,
    perCertificateCapMinor: LIMIT_MINOR,
    releasedAtClosingPercent: releasedPercent,
  };
  return {
    ...DEFAULT_POLICY,
    allowance: { balancePercent: 100, creditPercentByScoreBand: { A: 100, B: 100, C: 100, D: 100, E: 100 } },
    protection: { 0: level, 1: level, 2: level, 3: level },
    limit: { ...DEFAULT_POLICY.limit, floorMinor: 1n, stepMinor: 1n, perCertificateCapMinor: LIMIT_MINOR },
    perPayment: { ...DEFAULT_POLICY.perPayment, capMinor: LIMIT_MINOR, shareOfLimitPercent: 100 },
    uploadDeadlineSeconds: POLICY.uploadDeadlineSeconds,
    creditInformationMaximumAgeSeconds: 1_000 * 86_400,
  };
}
