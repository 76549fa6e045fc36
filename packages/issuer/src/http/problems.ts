import { ONLINE_REFUSALS } from "@cairn/settle";
import { StoreError, type StoreErrorCode } from "@cairn/stores";
import type { Problem } from "../api/device-api.ts";
import { type ServiceCode, ServiceError } from "../services/service-error.ts";

/** Faults that the HTTP edge finds by itself. */
export type EdgeCode =
  | "INPUT_INVALID"
  | "BODY_TOO_LARGE"
  | "BODY_ENCODING_INVALID"
  | "CONTENT_TYPE_UNSUPPORTED"
  | "CONTENT_ENCODING_UNSUPPORTED"
  | "HTTP_MALFORMED"
  | "HEADER_TOO_LARGE"
  | "ROUTE_UNKNOWN"
  | "OPERATOR_TOKEN_INVALID"
  | "REQUEST_TIMEOUT"
  | "SHUTTING_DOWN"
  | "NOT_READY"
  | "STORE_UNAVAILABLE"
  | "INTERNAL_FAULT";
export type ProblemCode = ServiceCode | EdgeCode;

type ProblemRow = { readonly status: number; readonly sentence: string };

/** Every answer that is not a success: closed, and total by the compiler's word. Codes are stable. */
export const PROBLEMS: { readonly [Code in ProblemCode]: ProblemRow } = {
  CALL_MALFORMED: { status: 400, sentence: "The call is damaged or was not made by Cairn." },
  NONCE_INVALID: {
    status: 401,
    sentence: "The call's nonce is used up, expired or not this server's. Fetch a new one.",
  },
  CALLER_UNKNOWN: { status: 401, sentence: "This device or terminal is not enrolled here." },
  CALLER_FROZEN: { status: 403, sentence: "This device or terminal is blocked. Please contact the issuer." },
  CALL_SIGNATURE_INVALID: { status: 401, sentence: "The call's signature is not genuine." },
  ENROLMENT_CODE_INVALID: { status: 403, sentence: "This enrolment code is not right. Check its letters." },
  ENROLMENT_CODE_USED: { status: 409, sentence: "This enrolment code was used already. Ask for a new one." },
  ENROLMENT_CODE_EXPIRED: { status: 410, sentence: "This enrolment code has expired. Ask for a new one." },
  KEY_ALREADY_ENROLLED: { status: 409, sentence: "This device's key is enrolled already." },
  TOO_MANY_ATTEMPTS: { status: 429, sentence: "Too many wrong enrolment codes. Wait a minute." },
  INBOX_FULL: {
    status: 503,
    sentence: "Too many records wait to be settled. Keep these and bring them again in half a minute.",
  },
  ACCOUNT_UNKNOWN: { status: 404, sentence: "There is no such account." },
  PAYEE_UNKNOWN: { status: 404, sentence: "There is no such payee." },
  PAYEE_EXISTS: { status: 409, sentence: "There is a payee with this id already." },
  DEVICE_UNKNOWN: { status: 404, sentence: "There is no such device." },
  TERMINAL_UNKNOWN: { status: 404, sentence: "There is no such terminal." },
  CERTIFICATE_UNKNOWN: { status: 404, sentence: "There is no such certificate." },
  CERTIFICATE_IN_CONFLICT: {
    status: 409,
    sentence: "A conflict was proven for this certificate's device key: a key that was copied stays withdrawn.",
  },
  POLICY_INVALID: { status: 400, sentence: "This is no issuing policy that could be used." },
  PAYMENT_UNKNOWN: { status: 404, sentence: "There is no such payment." },
  AMOUNT_OUT_OF_RANGE: { status: 400, sentence: "The amount is zero or larger than any amount may be." },
  OFFLINE_TIME_TOO_SHORT: {
    status: 400,
    sentence:
      "A terminal's list of withdrawn certificates must be good for an hour at least (maximumOfflineSeconds 3600): it is ten minutes old when it is taken home, and the next one is fetched an hour later.",
  },
  IDEMPOTENCY_KEY_REUSED: { status: 409, sentence: "This idempotency key was used for something else." },
  BACKUP_ELSEWHERE: {
    status: 409,
    sentence: "This database is a server's. Back it up beside the issuer, with cairn issuer backup --store.",
  },
  PUSH_FULL: {
    status: 503,
    sentence: "Too many devices are listening. Ask now and then instead, and try again later.",
  },
  ACCOUNT_FROZEN: { status: 409, sentence: ONLINE_REFUSALS.ACCOUNT_FROZEN },
  CURRENCY_DIFFERS: { status: 409, sentence: ONLINE_REFUSALS.CURRENCY_DIFFERS },
  FUNDS_INSUFFICIENT: { status: 409, sentence: ONLINE_REFUSALS.FUNDS_INSUFFICIENT },
  IBAN_INVALID: { status: 400, sentence: "This is not a bank account number (IBAN): its check digits are wrong." },
  NOTHING_TO_PAY: { status: 409, sentence: "No payee with a bank account has money in this currency." },
  PAYOUT_BATCH_UNKNOWN: { status: 404, sentence: "There is no such payout batch." },
  PAYOUT_UNKNOWN: { status: 404, sentence: "This batch has no payout for this payee." },
  PAYOUT_NOT_EXPORTED: { status: 409, sentence: "This batch has not been handed to the bank yet." },
  PAYOUT_DECIDED: { status: 409, sentence: "The bank's word on this payout is known already, and it was another." },
  PAYMENT_NOT_SETTLED: { status: 409, sentence: "This payment was not paid, so nothing of it can be given back." },
  REFUND_EXCEEDS_PAYMENT: { status: 409, sentence: "With what was given back before, this is more than was paid." },
  PAYEE_FUNDS_INSUFFICIENT: {
    status: 409,
    sentence: "The payee's account holds too little for it. The refund waits: send it again when there is more.",
  },
  RECEIVING_OFF: { status: 403, sentence: "This issuer does not let wallets receive." },
  RECEIVING_KEYS_FULL: {
    status: 409,
    sentence: "This wallet was set up to receive too many times. Please contact your issuer.",
  },
  TILL_REFUNDS_OFF: { status: 403, sentence: "Terminals may not give money back here. Please ask the issuer." },
  PAYMENT_NOT_HELD: { status: 409, sentence: "This payment does not wait for a person." },
  REVIEW_DECIDED: { status: 409, sentence: "This payment was looked at before, and decided otherwise." },
  SAME_ACCOUNT: { status: 409, sentence: ONLINE_REFUSALS.SAME_ACCOUNT },
  KEY_UNKNOWN: { status: 404, sentence: "There is no such issuer key." },
  TRUST_LIST_MISSING: {
    status: 503,
    sentence: "No trust list has been brought from the offline root yet. Devices cannot be served.",
  },
  TRUST_LIST_REFUSED: { status: 409, sentence: "This trust list cannot be taken." },
  INPUT_INVALID: { status: 400, sentence: "The request is not of the form that this route takes." },
  BODY_TOO_LARGE: { status: 413, sentence: "The request is larger than any valid one. Send fewer records." },
  BODY_ENCODING_INVALID: { status: 400, sentence: "The request's body could not be unpacked." },
  CONTENT_TYPE_UNSUPPORTED: { status: 415, sentence: "This route does not take this kind of content." },
  CONTENT_ENCODING_UNSUPPORTED: {
    status: 415,
    sentence: "Supported content encodings are gzip, deflate, br and zstd, one at a time, or none.",
  },
  HTTP_MALFORMED: { status: 400, sentence: "This is not a valid HTTP request." },
  HEADER_TOO_LARGE: { status: 431, sentence: "The request's address and headers are longer than any call needs." },
  ROUTE_UNKNOWN: { status: 404, sentence: "There is nothing at this address." },
  OPERATOR_TOKEN_INVALID: { status: 401, sentence: "The operator's token is missing or wrong." },
  REQUEST_TIMEOUT: { status: 408, sentence: "The request did not arrive in time." },
  SHUTTING_DOWN: { status: 503, sentence: "The server is stopping. Try again in a moment; nothing is done twice." },
  NOT_READY: { status: 503, sentence: "The server cannot do its work at the moment." },
  STORE_UNAVAILABLE: {
    status: 503,
    sentence: "The database cannot be reached or has no room at the moment. Try again; nothing is done twice.",
  },
  INTERNAL_FAULT: { status: 500, sentence: "Something went wrong in the server. Try again; nothing is done twice." },
};

export const PROBLEM_TYPE = "application/problem+json";

/** RFC 9457. `type` is a name and no link: the code says it all. */
export function problemDocument(code: ProblemCode, detail?: string): Problem {
  const { status, sentence } = PROBLEMS[code];
  const type = `urn:cairn:problem:${code.toLowerCase().replaceAll("_", "-")}`;
  return { type, title: sentence, status, code, ...(detail === undefined ? {} : { detail }) };
}

/** A fault of the edge, thrown inside a handler or hook. */
export class EdgeError extends Error {
  readonly problemCode: EdgeCode;
  readonly detail: string | undefined;

  constructor(code: EdgeCode, detail?: string) {
    super(code);
    this.name = "EdgeError";
    this.problemCode = code;
    this.detail = detail;
  }
}

/** Errors of the framework that callers cause. Whatever is not here and not ours is INTERNAL_FAULT. */
const FRAMEWORK_CODES: Readonly<Record<string, EdgeCode>> = {
  FST_ERR_VALIDATION: "INPUT_INVALID",
  FST_ERR_CTP_BODY_TOO_LARGE: "BODY_TOO_LARGE",
  FST_ERR_CTP_INVALID_MEDIA_TYPE: "CONTENT_TYPE_UNSUPPORTED",
  FST_ERR_CTP_EMPTY_TYPE: "CONTENT_TYPE_UNSUPPORTED",
  FST_ERR_CTP_EMPTY_JSON_BODY: "INPUT_INVALID",
  FST_ERR_CTP_INVALID_JSON_BODY: "INPUT_INVALID",
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: "HTTP_MALFORMED",
  FST_ERR_BAD_URL: "HTTP_MALFORMED",
  FST_ERR_MAX_PARAM_LENGTH: "ROUTE_UNKNOWN",
  FST_ERR_NOT_FOUND: "ROUTE_UNKNOWN",
  FST_ERR_HANDLER_TIMEOUT: "NOT_READY",
};

/** A store's word for something that is not there, when an operator's call named it; and for its own trouble. */
const STORE_CODES: Readonly<Partial<Record<StoreErrorCode, ServiceCode | EdgeCode>>> = {
  STORE_UNAVAILABLE: "STORE_UNAVAILABLE",
  STORE_TIMEOUT: "STORE_UNAVAILABLE",
  STORE_FULL: "STORE_UNAVAILABLE",
  STORE_OUTCOME_UNKNOWN: "STORE_UNAVAILABLE",
  STORE_LOST: "STORE_UNAVAILABLE",
  ACCOUNT_UNKNOWN: "ACCOUNT_UNKNOWN",
  DEVICE_UNKNOWN: "DEVICE_UNKNOWN",
  TERMINAL_UNKNOWN: "TERMINAL_UNKNOWN",
  PAYEE_UNKNOWN: "PAYEE_UNKNOWN",
  CERTIFICATE_UNKNOWN: "CERTIFICATE_UNKNOWN",
};

export type Failure = { readonly code: ProblemCode; readonly detail: string | undefined };

/**
 * The problem that an error becomes. Details come from errors of ours alone, so nothing internal leaves.
 * @param broken The error of the connection itself: a caller who hangs up in the middle of a body is no fault of ours.
 */
export function problemOf(error: unknown, broken: Error | null = null): Failure {
  if (broken !== null && error === broken) return { code: "HTTP_MALFORMED", detail: undefined };
  if (error instanceof ServiceError || error instanceof EdgeError) {
    const code = error instanceof EdgeError ? error.problemCode : error.code;
    return { code, detail: error.detail };
  }
  if (error instanceof StoreError) return { code: STORE_CODES[error.code] ?? "INTERNAL_FAULT", detail: undefined };
  if (error instanceof Error && "code" in error && typeof error.code === "string") {
    const code = Object.hasOwn(FRAMEWORK_CODES, error.code) ? FRAMEWORK_CODES[error.code] : undefined;
    if (code !== undefined) return { code, detail: code === "INPUT_INVALID" ? error.message : undefined };
  }
  return { code: "INTERNAL_FAULT", detail: undefined };
}
