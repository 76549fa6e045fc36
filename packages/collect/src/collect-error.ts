import { CodedError } from "@cairn/cose";

export type CollectErrorCode =
  /** The terminal holds no certificate yet. */
  | "NOT_ENROLLED"
  /** Enrolment at another issuer: the root key is pinned for good. */
  | "ROOT_KEY_DIFFERS"
  /** The journal belongs to another terminal's key. */
  | "TERMINAL_KEY_DIFFERS"
  /** No payment with this id was accepted here. */
  | "ACCEPTANCE_UNKNOWN"
  /** Only open payments are captured. */
  | "CAPTURE_NOT_OPEN"
  /** A receipt was asked for before the amount was fixed. */
  | "NOT_CAPTURED"
  /** A limit that is not a whole number from 1 to MAXIMUM_RECORDS. */
  | "UPLOAD_LIMIT_RANGE"
  /** Another process kept changing the lists at the same moment. Try again. */
  | "SETUP_CONTENDED";

/** Misuse by the caller or a mixed-up folder, never a message from outside. */
export class CollectError extends CodedError<CollectErrorCode> {}
