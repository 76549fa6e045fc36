import { CodedError } from "@cairn/cose";
import type { OnlineRefusal } from "@cairn/settle";

/** Every way in which a call can fail for a reason of its own. The HTTP edge has one problem document for each. */
export type ServiceCode =
  | "CALL_MALFORMED"
  | "NONCE_INVALID"
  | "CALLER_UNKNOWN"
  | "CALLER_FROZEN"
  | "CALL_SIGNATURE_INVALID"
  | "ENROLMENT_CODE_INVALID"
  | "ENROLMENT_CODE_USED"
  | "ENROLMENT_CODE_EXPIRED"
  | "KEY_ALREADY_ENROLLED"
  | "TOO_MANY_ATTEMPTS"
  | "INBOX_FULL"
  | "ACCOUNT_UNKNOWN"
  | "PAYEE_UNKNOWN"
  | "PAYEE_EXISTS"
  | "DEVICE_UNKNOWN"
  | "TERMINAL_UNKNOWN"
  | "CERTIFICATE_UNKNOWN"
  | "CERTIFICATE_IN_CONFLICT"
  | "POLICY_INVALID"
  | "PAYMENT_UNKNOWN"
  | "AMOUNT_OUT_OF_RANGE"
  | "OFFLINE_TIME_TOO_SHORT"
  | "IDEMPOTENCY_KEY_REUSED"
  | "PUSH_FULL"
  | OnlineRefusal
  | "PAYMENT_NOT_HELD"
  | "REVIEW_DECIDED"
  | "PAYMENT_NOT_SETTLED"
  | "REFUND_EXCEEDS_PAYMENT"
  | "PAYEE_FUNDS_INSUFFICIENT"
  | "RECEIVING_OFF"
  | "RECEIVING_KEYS_FULL"
  | "TILL_REFUNDS_OFF"
  | "IBAN_INVALID"
  | "NOTHING_TO_PAY"
  | "PAYOUT_BATCH_UNKNOWN"
  | "PAYOUT_UNKNOWN"
  | "PAYOUT_NOT_EXPORTED"
  | "PAYOUT_DECIDED"
  | "KEY_UNKNOWN"
  | "BACKUP_ELSEWHERE"
  | "TRUST_LIST_MISSING"
  | "TRUST_LIST_REFUSED";

/** A call that is turned away. The message is for logs; what the caller reads is in http/problems.ts. */
export class ServiceError extends CodedError<ServiceCode> {
  /** Told to the caller beside the sentence: never anything secret. */
  readonly detail: string | undefined;

  constructor(code: ServiceCode, detail?: string, options?: ErrorOptions) {
    super(code, detail === undefined ? code : `${code}: ${detail}`, options);
    this.detail = detail;
  }
}
