/** What the cashier should do about a refusal: a key of the messages under `advice`. */
export type Advice =
  | "scan-again"
  | "ask-payer-for-payment-code"
  | "new-request"
  | "payer-new-code"
  | "payer-go-online"
  | "terminal-go-online"
  | "check-clocks"
  | "another-means"
  | "do-not-hand-over"
  | "smaller-amount"
  | "update-app";

const BY_CODE: Readonly<Record<string, Advice>> = {
  CODE_PREFIX_UNKNOWN: "ask-payer-for-payment-code",
  CODE_TYPE_UNEXPECTED: "ask-payer-for-payment-code",
  CODE_VERSION_UNKNOWN: "update-app",
  CODE_TYPE_UNKNOWN: "update-app",
  MESSAGE_FIELD_UNKNOWN: "update-app",
  SIGNATURE_INVALID: "another-means",
  TRUST_LIST_EXPIRED: "terminal-go-online",
  STATUS_LIST_STALE: "terminal-go-online",
  STORED_TOTAL_REACHED: "terminal-go-online",
  PAYEE_CERTIFICATE_EXPIRED: "terminal-go-online",
  PAYEE_CERTIFICATE_NOT_YET_VALID: "check-clocks",
  ISSUER_UNKNOWN: "another-means",
  ISSUER_KEY_NOT_ALLOWED: "another-means",
  ISSUER_KEY_NOT_VALID: "payer-go-online",
  CERTIFICATE_MISMATCH: "another-means",
  CERTIFICATE_NOT_YET_VALID: "check-clocks",
  CERTIFICATE_EXPIRED: "payer-go-online",
  CERTIFICATE_REVOKED: "another-means",
  REQUEST_UNKNOWN: "new-request",
  REQUEST_MISMATCH: "new-request",
  REQUEST_VOIDED: "new-request",
  REQUEST_EXPIRED: "new-request",
  REQUEST_NOT_YET_VALID: "check-clocks",
  REQUEST_ALREADY_PAID: "do-not-hand-over",
  CURRENCY_MISMATCH: "another-means",
  AUDIENCE_MISMATCH: "payer-new-code",
  PAYMENT_NOT_YET_VALID: "check-clocks",
  PAYMENT_CLOCK_DIFFERS: "check-clocks",
  PAYMENT_EXPIRED: "payer-new-code",
  PAYMENT_VALIDITY_TOO_LONG: "payer-new-code",
  AMOUNT_OVER_CERTIFICATE_CAP: "smaller-amount",
  AMOUNT_OVER_PAYEE_CAP: "smaller-amount",
  AMOUNT_MISMATCH: "new-request",
  LIMIT_EXCEEDED: "payer-go-online",
  PAYMENT_REPLAYED: "do-not-hand-over",
  SEQUENCE_CONFLICT: "another-means",
  CAPTURE_OVER_MAXIMUM: "smaller-amount",
};

/** A code without its own advice is most often a code that was read badly. */
export function adviceFor(code: string): Advice {
  return BY_CODE[code] ?? "scan-again";
}
