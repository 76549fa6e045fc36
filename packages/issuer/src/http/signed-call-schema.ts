import type { TSchema } from "@sinclair/typebox";
import { problemAnswers } from "./problem-answers.ts";
import type { ProblemCode } from "./problems.ts";
import { SIGNED_CALL_TYPE } from "./raw-body.ts";

/** What can be wrong with any signed call. */
export const CALL_PROBLEMS = [
  "CALL_MALFORMED",
  "NONCE_INVALID",
  "CALLER_UNKNOWN",
  "CALLER_FROZEN",
  "CALL_SIGNATURE_INVALID",
  "BODY_TOO_LARGE",
  "BODY_ENCODING_INVALID",
  "CONTENT_TYPE_UNSUPPORTED",
  "CONTENT_ENCODING_UNSUPPORTED",
  "INPUT_INVALID",
] as const satisfies readonly ProblemCode[];
/** A signed call: its body is no JSON and is read by the protocol's own strict decoder. */
export function signedCall<Answer extends TSchema>(
  about: { readonly summary: string; readonly status?: number; readonly problems?: readonly ProblemCode[] },
  answer: Answer,
) {
  return {
    summary: about.summary,
    tags: ["devices"],
    consumes: [SIGNED_CALL_TYPE],
    response: { [about.status ?? 200]: answer, ...problemAnswers(about.problems ?? CALL_PROBLEMS) },
  };
}
