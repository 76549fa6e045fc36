import { CodedError } from "@cairn/cose";

/**
 * FUNDS_MISSING: the state holds a certificate but not the funds of its account. HISTORY_MISSING: a conflict makes all
 * payments of a certificate count, of which the state holds some (`isBrief`). AMOUNT_INVALID: money to be
 * moved, nothing of it or less.
 */
export type SettleErrorCode = "FUNDS_MISSING" | "HISTORY_MISSING" | "AMOUNT_INVALID";

/** Misuse by the caller, never a message from outside. */
export class SettleError extends CodedError<SettleErrorCode> {}
