import { type TSchema, Type } from "@sinclair/typebox";
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
/** Comes with every answer to a signed call, so that the next one need not fetch its own. RFC 8555 section 6.5.1. */
export const NONCE_HEADER = "replay-nonce";
const NONCE_HEADERS = {
  [NONCE_HEADER]: Type.String({
    pattern: "^[0-9a-f]{48}$",
    description: "A nonce for the next signed call, as from /v1/nonce. With problems too.",
  }),
};

/** A signed call: its body is no JSON and is read by the protocol's own strict decoder. */
export function signedCall<Answer extends TSchema>(
  about: { readonly summary: string; readonly status?: number; readonly problems?: readonly ProblemCode[] },
  answer: Answer,
) {
  return {
    summary: about.summary,
    tags: ["devices"],
    consumes: [SIGNED_CALL_TYPE],
    response: {
      [about.status ?? 200]: { ...answer, headers: NONCE_HEADERS },
      ...problemAnswers(about.problems ?? CALL_PROBLEMS),
    },
  };
}
