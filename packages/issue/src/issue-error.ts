import { CodedError } from "@cairn/cose";

export type IssueErrorCode =
  /** An account number that is not a whole number from 1 to 2^48-1. */
  | "ACCOUNT_NUMBER_RANGE"
  /** A serial that is not a whole number from 0 to 2^32-1. */
  | "SERIAL_RANGE"
  /** The cipher handed in does not give blocks of 16 bytes. */
  | "CIPHER_BLOCK_INVALID";

/** Misuse by the caller, never a message from outside. */
export class IssueError extends CodedError<IssueErrorCode> {}
