import { CodedError } from "@cairn/cose";
import { type AnyRefusalCode, type MalformedCode, type Refusal, refusal, sentenceFor } from "./codes.ts";

/** Bytes or text from outside that are not a valid message. The message text is the sentence for people, with the detail behind it. */
export class MessageError extends CodedError<MalformedCode> {
  readonly detail: string | undefined;

  constructor(code: MalformedCode, detail?: string, options?: ErrorOptions) {
    super(code, detail === undefined ? sentenceFor(code) : `${sentenceFor(code)} (${detail})`, options);
    this.detail = detail;
  }
}

/**
 * Turns the coded error of a decoder into a refusal value; anything else is a fault of ours and is thrown on.
 * Steps use it at their edge, so that "malformed" and "against the rules" reach people in one form.
 */
export function refusalFromError(error: unknown): Refusal {
  if (error instanceof CodedError) {
    const detail = error instanceof MessageError ? error.detail : error.message;
    return refusal(error.code as AnyRefusalCode, detail);
  }
  throw error;
}
