import { type PayeeCertificate, type Refusal, refusal } from "@cairn/messages";
import type { Decision } from "./journal.ts";
import type { Acceptance } from "./model.ts";

export type CaptureDecision =
  | { readonly kind: "captured"; readonly acceptance: Acceptance }
  | { readonly kind: "refused"; readonly refusal: Refusal };

/**
 * Fixes the amount of an accepted open payment, once: the same amount again changes nothing, another one is refused
 * (CAPTURE_MISMATCH), because two captures of one payment would be a lie of this terminal. Pure.
 */
export function decideCapture(
  acceptance: Acceptance,
  amountMinor: bigint,
  payee: PayeeCertificate,
): Decision<CaptureDecision, { readonly takenMinor: bigint }> {
  const { takenMinor } = acceptance;
  if (takenMinor === amountMinor) return { result: { kind: "captured", acceptance } };
  if (takenMinor !== undefined) {
    return { result: { kind: "refused", refusal: refusal("CAPTURE_MISMATCH", `captured for ${takenMinor} already`) } };
  }
  const against = refuseCapturedAmount(amountMinor, acceptance.amountMinor, payee);
  if (against !== undefined) return { result: { kind: "refused", refusal: against } };
  return {
    result: { kind: "captured", acceptance: { ...acceptance, takenMinor: amountMinor } },
    write: { takenMinor: amountMinor },
  };
}

/** More strict than the server by one rule: capturing nothing is refused. */
export function refuseCapturedAmount(
  amountMinor: bigint,
  maximumMinor: bigint,
  payee: PayeeCertificate,
): Refusal | undefined {
  if (amountMinor <= 0n) return refusal("AMOUNT_ZERO");
  if (amountMinor > maximumMinor) return refusal("CAPTURE_OVER_MAXIMUM");
  return amountMinor > payee.terms.perPaymentCapMinor ? refusal("AMOUNT_OVER_PAYEE_CAP") : undefined;
}
