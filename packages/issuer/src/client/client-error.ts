import { CodedError } from "@cairn/cose";
import type { Problem } from "../api/device-api.ts";

/** Faults that the client itself finds. Every other code of a {@link ClientError} is a problem code of the server. */
export type ClientErrorCode =
  /** No connection: server down, wrong address, no network. */
  | "ISSUER_UNREACHABLE"
  /** No whole answer in time. Whether the call had its effect is not known; every call may be repeated. */
  | "ISSUER_TIMEOUT"
  /** Something answered, but not what an issuer's server answers. */
  | "ISSUER_REPLY_INVALID"
  /** The address is not an http or https URL. */
  | "ISSUER_URL_INVALID";

const SENTENCES: Readonly<Record<ClientErrorCode, string>> = {
  ISSUER_UNREACHABLE: "The issuer cannot be reached. Check the address and the network.",
  ISSUER_TIMEOUT: "The issuer did not answer in time. Try again: nothing is done twice.",
  ISSUER_REPLY_INVALID: "What answered is not an issuer, or not one of this version.",
  ISSUER_URL_INVALID: "The issuer's address must be an http or https URL.",
};

/** A call that did not succeed. `code` is a {@link ClientErrorCode} or the server's problem code. */
export class ClientError extends CodedError {
  /** What the server said, when it did. */
  readonly problem: Problem | undefined;

  constructor(code: string, sentence: string, options: ErrorOptions & { readonly problem?: Problem } = {}) {
    super(code, sentence, options);
    this.problem = options.problem;
  }
}

export function clientFault(code: ClientErrorCode, cause?: unknown): ClientError {
  return new ClientError(code, SENTENCES[code], { cause });
}

export function problemAsError(problem: Problem): ClientError {
  const sentence = problem.detail === undefined ? problem.title : `${problem.title} (${problem.detail})`;
  return new ClientError(problem.code, sentence, { problem });
}
