import type { Currency, KeyProtection } from "@cairn/messages";
import {
  allConditions,
  type Condition,
  type ConditionState,
  type ConditionsInput,
  conditionsHolding,
} from "./conditions.ts";
import { computeLimit, isAheadAlone, type LimitComputation } from "./limit.ts";
import type { IssuingPolicy } from "./policy.ts";
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
      /** What of the limit is held on the account's balance. */
      readonly heldMinor: bigint;
      /** It was asked for ahead, and nothing else made it due. */
      readonly issuedAhead: boolean;
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
  const computation = computeLimit(view, policy, now, conditions);
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
    heldMinor: heldOf(computation, policy),
    issuedAhead: isAheadAlone(conditions),
    computation,
  };
}

/** Everything that a decision rests on, for whoever asks why, and what if: nothing is issued. */
export type IssuanceExplanation = {
  readonly decision: IssuanceDecision["kind"];
  readonly conditions: readonly ConditionState[];
  /** In order of precedence; those too that would hold if a condition did. */
  readonly refusals: readonly IssuingRefusal[];
  /** Of the certificate that would be issued, or that would be if a condition held. */
  readonly computation: LimitComputation;
  readonly heldMinor: bigint;
  readonly validitySeconds: number;
};

/** What {@link decideIssuance} would decide, with all of its grounds. */
export function explainIssuance(input: ConditionsInput): IssuanceExplanation {
  const { view, policy, now } = input;
  const computation = computeLimit(view, policy, now, conditionsHolding(input));
  return {
    decision: decideIssuance(input).kind,
    conditions: allConditions(input),
    refusals: issuingRefusals({ view, computation, policy, now }),
    computation,
    heldMinor: heldOf(computation, policy),
    validitySeconds: policy.validitySecondsByScoreBand[view.account.credit.scoreBand],
  };
}

/** Rounded up: a fraction of a cent is held as well. */
function heldOf({ limitMinor, balanceShareMinor, allowanceMinor }: LimitComputation, { hold }: IssuingPolicy): bigint {
  if (hold === "none" || limitMinor === 0n) return 0n;
  if (hold === "whole-limit") return limitMinor;
  return (limitMinor * balanceShareMinor + allowanceMinor - 1n) / allowanceMinor;
}
