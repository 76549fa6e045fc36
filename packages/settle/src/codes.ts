import { type AnyRefusalCode, sentenceFor } from "@cairn/messages";
import type { PaymentState } from "./model.ts";

/**
 * Why a payment stands as it stands, beyond the refusals that payer, payee and issuer share. A closed set; codes are
 * stable. Final or not, and in which order they are looked for: docs/spec/ledger.md.
 */
export const SETTLEMENT_SENTENCES = {
  CERTIFICATE_UNKNOWN: "The issuer has no record of this payer's certificate.",
  NOT_UPLOADED_IN_TIME: "The payee did not upload this payment in time. The amount was given back to the payer.",
  UPLOAD_TOO_LATE: "This payment was uploaded after its deadline. The issuer looks at it.",
  OPEN_PAYMENT_CAPTURED_ELSEWHERE: "This payment was already credited to somebody else. The issuer looks at it.",
  PAYEE_CEILING_REACHED:
    "The payer's device is proven to contradict itself, and this is more than is paid without review in such a case.",
  REJECTED_IN_REVIEW: "The issuer has looked at this payment and refused it.",
  REQUEST_PAID_TWICE: "Another payment for the same request was already credited. The issuer looks at it.",
  VOIDED_AFTER_SETTLEMENT: "This payment was credited although its payee had cancelled the request.",
} as const;

export type SettlementCode = keyof typeof SETTLEMENT_SENTENCES;
export type OutcomeCode = AnyRefusalCode | SettlementCode;

const STATE_SENTENCES: Readonly<Record<PaymentState, string>> = {
  pending: "Known from the payer alone. It is paid when the payee uploads it.",
  settled: "Paid.",
  refused: "This payment was refused.",
  held: "The issuer looks at this payment.",
  released: "The amount was given back to the payer.",
};

/** What a person reads about a payment in this state for this reason. */
export function outcomeSentence(state: PaymentState, code: OutcomeCode | undefined): string {
  if (code === undefined) return STATE_SENTENCES[state];
  if (state === "released" && code === "REQUEST_VOIDED")
    return "The payee cancelled the request. The amount was given back to the payer.";
  return isSettlementCode(code) ? SETTLEMENT_SENTENCES[code] : sentenceFor(code);
}

export function isSettlementCode(code: string): code is SettlementCode {
  return Object.hasOwn(SETTLEMENT_SENTENCES, code);
}
