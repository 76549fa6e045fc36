import type { CborCode, CoseCode } from "@cairn/cose";

/**
 * Every reason for which a message, a code or a payment is refused, with the sentence that a person reads.
 * Codes are stable: they are in `vectors/`, in journals and in the API. Never rename one; never reuse one.
 * Spec: docs/spec/refusals.md (the order in which they are checked is the order of precedence).
 */

/** Bytes that are not a message of ours. Thrown by decoders as {@link MessageError}. */
export const MALFORMED_SENTENCES = {
  MESSAGE_TOO_LARGE: "This is larger than any valid message.",
  MESSAGE_FIELD_MISSING: "A part of this message is missing.",
  MESSAGE_FIELD_UNKNOWN: "This message has a part that this version does not know.",
  MESSAGE_FIELD_INVALID: "A part of this message has a value that is not allowed.",
  MESSAGE_INCONSISTENT: "The parts of this message contradict each other.",
  BUNDLE_MALFORMED: "This code does not hold the messages it should.",
  CODE_PREFIX_UNKNOWN: "This is not a Cairn code.",
  CODE_VERSION_UNKNOWN: "This code is of a newer version. Update the app.",
  CODE_TYPE_UNKNOWN: "This kind of code is not known. Update the app.",
  CODE_TYPE_UNEXPECTED: "This is a valid code, but not the one that is needed now.",
  CODE_TEXT_INVALID: "This code was damaged or cut off. Scan it again.",
  SIGNATURE_INVALID: "The signature is not genuine.",
} as const;

/** What a genuine message is refused for. Returned, never thrown. */
export const REFUSAL_SENTENCES = {
  TRUST_LIST_ROLLBACK: "An older trust list than the one already held was offered.",
  TRUST_LIST_EXPIRED: "The list of trusted issuers is out of date. Go online once to refresh it.",
  STATUS_LIST_ROLLBACK: "An older status list than the one already held was offered.",
  STATUS_LIST_STALE: "The list of withdrawn certificates is too old. Go online once to refresh it.",
  ISSUER_UNKNOWN: "The issuer of this certificate is not trusted here.",
  ISSUER_KEY_NOT_ALLOWED: "The issuer's key may not be used for this kind of message.",
  ISSUER_KEY_NOT_VALID: "The issuer's key was not valid when this was signed.",
  CERTIFICATE_MISMATCH: "The payment does not belong to the certificate shown with it.",
  CERTIFICATE_NOT_YET_VALID: "The payer's certificate is not valid yet. Check the clocks.",
  CERTIFICATE_EXPIRED: "The payer's certificate has expired. The payer needs to go online once.",
  CERTIFICATE_REVOKED: "The payer's certificate was withdrawn by its issuer.",
  PAYEE_CERTIFICATE_MISMATCH: "The request does not belong to the payee certificate shown with it.",
  PAYEE_CERTIFICATE_NOT_YET_VALID: "The payee's certificate is not valid yet. Check the clocks.",
  PAYEE_CERTIFICATE_EXPIRED: "The payee's certificate has expired. The payee needs to go online once.",
  REQUEST_UNKNOWN: "This payment answers a request that this terminal did not make.",
  REQUEST_MISMATCH: "This payment answers another request.",
  REQUEST_VOIDED: "The request was cancelled. Make a new one.",
  REQUEST_ALREADY_PAID: "This request is already paid by another payment.",
  REQUEST_NOT_YET_VALID: "The request's time lies in the future. Check the clocks.",
  REQUEST_EXPIRED: "The request has expired. Ask for a new one.",
  REQUEST_VALIDITY_TOO_LONG: "The request would be valid for longer than is allowed.",
  CURRENCY_MISMATCH: "The currencies do not match.",
  AUDIENCE_MISMATCH: "This code is for another payee.",
  PAYMENT_NOT_YET_VALID: "The payment's time lies in the future. Check the clocks.",
  PAYMENT_EXPIRED: "The payment code has expired. The payer needs to show a new one.",
  PAYMENT_VALIDITY_TOO_LONG: "The payment code would be valid for longer than is allowed.",
  PAYMENT_CLOCK_DIFFERS: "The clocks of payer and payee differ too much.",
  AMOUNT_ZERO: "The amount must be more than zero.",
  AMOUNT_MISMATCH: "The payment is not of the amount that was asked for.",
  AMOUNT_OVER_CERTIFICATE_CAP: "The amount is more than the payer may pay at once.",
  AMOUNT_OVER_PAYEE_CAP: "The amount is more than this payee may take at once.",
  SPENT_INCONSISTENT: "The payment's running total is less than its amount.",
  LIMIT_EXCEEDED: "The payer's offline limit is used up.",
  PAYMENT_REPLAYED: "This payment was already accepted. Do not hand over anything for it again.",
  SEQUENCE_CONFLICT: "This payment contradicts another one from the same device.",
  STORED_TOTAL_REACHED: "This terminal has stored as much as it may. Go online to upload.",
  CAPTURE_MISMATCH: "The capture does not belong to this payment.",
  CAPTURE_OVER_MAXIMUM: "More was captured than the payer allowed.",
  RECEIPT_MISMATCH: "The receipt does not belong to this payment.",
} as const;

export type MalformedCode = keyof typeof MALFORMED_SENTENCES;
export type RefusalCode = keyof typeof REFUSAL_SENTENCES;

/** Any code with which a step can turn a message away: strict decoding first, then the rules. */
export type AnyRefusalCode = RefusalCode | MalformedCode | CborCode | CoseCode;

/** A refusal as a value: code for machines, sentence for people, detail for logs. */
export type Refusal = {
  readonly code: AnyRefusalCode;
  readonly sentence: string;
  readonly detail?: string;
};

const ENCODING_SENTENCE = "This is damaged or was not made by Cairn.";

/** The sentence for a code. Faults of the encoding itself share one sentence: a cashier cannot do anything else about them. */
export function sentenceFor(code: AnyRefusalCode): string {
  if (code in REFUSAL_SENTENCES) return REFUSAL_SENTENCES[code as RefusalCode];
  if (code in MALFORMED_SENTENCES) return MALFORMED_SENTENCES[code as MalformedCode];
  return ENCODING_SENTENCE;
}

export function refusal(code: AnyRefusalCode, detail?: string): Refusal {
  const sentence = sentenceFor(code);
  return detail === undefined ? { code, sentence } : { code, sentence, detail };
}
