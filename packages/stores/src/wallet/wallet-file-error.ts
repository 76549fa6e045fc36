import { CodedError } from "@cairn/cose";

export type WalletFileErrorCode =
  /** A row that this program cannot have written. */
  | "WALLET_FILE_DAMAGED"
  /** Written by a newer version of the program. */
  | "WALLET_FILE_TOO_NEW";

/** A fault of the wallet's file. Faults of the disk come as the database's own errors. */
export class WalletFileError extends CodedError<WalletFileErrorCode> {}
