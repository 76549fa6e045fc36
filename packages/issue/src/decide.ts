import type { Currency, KeyProtection } from "@cairn/messages";
import { type Condition, type ConditionsInput, conditionsHolding } from "./conditions.ts";
import { computeLimit, type LimitComputation } from "./limit.ts";
import { type IssuingRefusal, issuingRefusals } from "./refusals.ts";

/** What a new certificate will say, but for its id, key and times. Amounts in minor units of `currency`. */
export type IssuanceTerms = {
  readonly currency: Currency;
  readonly limitMinor: bigint;
  readonly perPaymentCapMinor: bigint;
  readonly protection: KeyProtection;
  readonly validitySeconds: number;
};

export type IssuanceDecision =
  /** `reasons`: the conditions that hold, at least one. */
  | {
      readonly kind: "issue";
      readonly reasons: readonly Condition[];
      readonly terms: IssuanceTerms;
      readonly computation: LimitComputation;
    }
  /** `reasons`: the refusals in order of precedence, at least one. `computation` shows where the room went. */
  | {
      readonly kind: "refuse";
      readonly reasons: readonly IssuingRefusal[];
      readonly conditions: readonly Condition[];
      readonly computation: LimitComputation;
    }
  /** No condition holds. */
  | { readonly kind: "none" };

/**
 * Whether the account's device gets a certificate now, and on which terms. A condition that holds leads to "issue" or
 * "refuse", never to "none". A certificate that the new one is meant to replace counts in full until it is closed:
 * the wallet closes it in the same sync, before this is asked.
 *
 * To be called under the lock that also writes the certificate, with every certificate that {@link IssuingView} asks
 * for: two decisions on one view would grant the same allowance twice.
 */
export function decideIssuance(input: ConditionsInput): IssuanceDecision {
  const { view, policy, now } = input;
  const conditions = conditionsHolding(input);
  if (conditions.length === 0) return { kind: "none" };
  const computation = computeLimit(view, policy, now);
  const refusals = issuingRefusals({ view, computation, policy, now });
  if (refusals.length > 0) return { kind: "refuse", reasons: refusals, conditions, computation };
  return {
    kind: "issue",
    reasons: conditions,
    terms: {
      currency: view.account.currency,
      limitMinor: computation.limitMinor,
      perPaymentCapMinor: computation.perPaymentCapMinor,
      protection: view.device.protection,
      validitySeconds: policy.validitySecondsByScoreBand[view.account.credit.scoreBand],
    },
    computation,
  };
}
