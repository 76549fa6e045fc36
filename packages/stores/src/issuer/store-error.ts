import { CodedError } from "@cairn/cose";

export type StoreErrorCode =
  | "ACCOUNT_UNKNOWN"
  | "DEVICE_UNKNOWN"
  | "TERMINAL_UNKNOWN"
  | "PAYEE_UNKNOWN"
  | "CERTIFICATE_UNKNOWN"
  /** An amount of zero or below, or an item of another partition. */
  | "STORE_INPUT_INVALID"
  /** Another process has the database open. */
  | "STORE_IN_USE"
  /** The database was written by a newer version. */
  | "STORE_TOO_NEW"
  /** The database was laid out by an earlier build, from which no migration leads here. */
  | "STORE_TOO_OLD"
  /** A row holds what no version ever wrote. */
  | "STORE_DAMAGED"
  /** The database server cannot be reached, or pushed this aside again and again. Try again. */
  | "STORE_UNAVAILABLE"
  /** The database took longer than is allowed. Try again. */
  | "STORE_TIMEOUT"
  /** No room on the database's disk. Make room and try again. */
  | "STORE_FULL"
  /** The database was lost after it was told to commit, and does not say whether it did. Ask for the outcome. */
  | "STORE_OUTCOME_UNKNOWN"
  /** The disk failed to keep what was committed last. The store does nothing more until it is opened anew. */
  | "STORE_LOST"
  /** Another worker settles this partition: the batch is its now. */
  | "LEASE_LOST";

/** Misuse of a store, or a store that cannot be used. What outsiders can cause is returned, never thrown. */
export class StoreError extends CodedError<StoreErrorCode> {}

/** Of stores that recover by themselves whatever happens to them. */
export const NEVER_LOST = new Promise<StoreError>(() => undefined);

const WHAT: Readonly<Partial<Record<StoreErrorCode, string>>> = {
  ACCOUNT_UNKNOWN: "account",
  DEVICE_UNKNOWN: "device",
  TERMINAL_UNKNOWN: "terminal",
  PAYEE_UNKNOWN: "payee",
  CERTIFICATE_UNKNOWN: "certificate",
};

/** What was looked for. @throws StoreError with the code given when it is not there. */
export function found<Value>(value: Value | undefined, code: StoreErrorCode, id: string | number): Value {
  if (value === undefined) throw new StoreError(code, `There is no ${WHAT[code] ?? "such thing"} ${id}.`);
  return value;
}
