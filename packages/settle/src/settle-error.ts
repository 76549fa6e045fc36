import { CodedError } from "@cairn/cose";

/** FUNDS_MISSING: the state holds a certificate but not the funds of its account. AMOUNT_INVALID: a top-up of nothing or less. */
export type SettleErrorCode = "FUNDS_MISSING" | "AMOUNT_INVALID";

/** Misuse by the caller, never a message from outside. */
export class SettleError extends CodedError<SettleErrorCode> {}
