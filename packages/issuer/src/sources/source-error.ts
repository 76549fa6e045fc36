import { CodedError } from "@cairn/cose";

export type SourceCode =
  | "SOURCE_UNREACHABLE"
  /** No whole answer in time. */
  | "SOURCE_TIMEOUT"
  /** An answer of the 500s: the source has trouble of its own. */
  | "SOURCE_FAULT"
  /** Any other answer that is no success, such as an unknown account or a wrong token. */
  | "SOURCE_REFUSED"
  /** Something answered, but not as the contract says. */
  | "SOURCE_REPLY_INVALID"
  /** It failed so often that it is left alone for a while. */
  | "SOURCE_SUSPENDED";

/** An operator's system that was asked about an account did not answer as it should. Never reaches a device. */
export class SourceError extends CodedError<SourceCode> {}
