import type { IncomingMessage, ServerResponse } from "node:http";
import { type AccountNumber, accountNumber, IssueError } from "@cairn/issue";
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import type { FastifyBaseLogger, FastifyInstance, RawServerDefault } from "fastify";
import { ServiceError } from "../../services/service-error.ts";
import { problemAnswers } from "../problem-answers.ts";
import type { ProblemCode } from "../problems.ts";
import type { TypeBoxProvider } from "../typebox.ts";

export type OperatorApp = FastifyInstance<
  RawServerDefault,
  IncomingMessage,
  ServerResponse,
  FastifyBaseLogger,
  TypeBoxProvider
>;

/** Summary, answer and problems of an operator's route. */
export function operatorAnswer(
  about: { readonly summary: string; readonly problems?: readonly ProblemCode[] },
  answer: TSchema,
) {
  return {
    summary: about.summary,
    tags: ["operator"],
    security: [{ operator: [] }],
    response: {
      200: answer,
      ...problemAnswers(["OPERATOR_TOKEN_INVALID", "INPUT_INVALID", ...(about.problems ?? [])]),
    },
  };
}

/** @throws ServiceError ACCOUNT_UNKNOWN for what can be nobody's number. */
export function numberOf(account: number): AccountNumber {
  try {
    return accountNumber(account);
  } catch (error) {
    if (error instanceof IssueError) throw new ServiceError("ACCOUNT_UNKNOWN");
    throw error;
  }
}

/** Account numbers in paths. */
export const AccountPath = Type.Object({
  account: Type.Transform(Type.String({ pattern: "^[1-9][0-9]{0,14}$" }))
    .Decode((text) => Number(text))
    .Encode((account) => account.toString()),
});
export type AccountPath = Static<typeof AccountPath>;
