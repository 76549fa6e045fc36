import { CodedError } from "@cairn/cose";

export type KeyFileCode =
  /** Wrong passphrase, or the file was altered: the two cannot be told apart. */
  | "KEY_FILE_PASSPHRASE_WRONG"
  /** Not a key file. */
  | "KEY_FILE_MALFORMED"
  /** Written by a newer version. */
  | "KEY_FILE_VERSION_UNKNOWN"
  /** There are accounts, but no keys: new keys could not read a single certificate id. */
  | "KEY_FILE_MISSING"
  /** No issuer key may sign now: rotate. */
  | "ISSUER_KEY_EXPIRED"
  /** Another root key than the one that this issuer's devices have pinned. */
  | "ROOT_KEY_DIFFERS"
  | "ROOT_KEY_MALFORMED"
  /** A passphrase of less than eight characters. */
  | "PASSPHRASE_TOO_SHORT";

/** The issuer's keys cannot be used. */
export class KeyFileError extends CodedError<KeyFileCode> {}
