import { CodedError } from "@cairn/cose";

export type RootErrorCode =
  /** A folder has one root for ever. */
  | "ROOT_EXISTS"
  | "ROOT_MISSING"
  /** The list would name no key. */
  | "ROOT_KEYS_NONE"
  | "ROOT_KEY_UNKNOWN"
  /** A withdrawn key never comes back. */
  | "ROOT_KEY_WITHDRAWN"
  | "ROOT_STATEMENT_MALFORMED";

/** The offline root cannot do what it was asked. */
export class RootError extends CodedError<RootErrorCode> {}
