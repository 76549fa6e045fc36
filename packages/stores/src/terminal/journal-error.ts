import { CodedError } from "@cairn/cose";

export type TerminalJournalErrorCode =
  /** A row that this program cannot have written. */
  | "JOURNAL_CORRUPT"
  /** Written by a newer version of the program. */
  | "JOURNAL_TOO_NEW"
  /** A write that names a request or certificate which the journal does not hold, or the same one twice. */
  | "JOURNAL_MISUSED";

/** A fault of the journal's file or of its caller. Faults of the disk come as the database's own errors. */
export class TerminalJournalError extends CodedError<TerminalJournalErrorCode> {}
