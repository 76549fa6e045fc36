import { Type } from "@sinclair/typebox";
import { PROBLEM_TYPE, PROBLEMS, type ProblemCode } from "./problems.ts";

/** Every route can meet these. */
const EVERYWHERE = [
  "HTTP_MALFORMED",
  "REQUEST_TIMEOUT",
  "SHUTTING_DOWN",
  "STORE_UNAVAILABLE",
  "INTERNAL_FAULT",
] as const;

/** The problem documents that a route can answer with, by status, for the API description. */
export function problemAnswers(codes: readonly ProblemCode[]): Readonly<Record<string, object>> {
  const byStatus = new Map<number, Set<ProblemCode>>();
  for (const code of [...codes, ...EVERYWHERE]) {
    const { status } = PROBLEMS[code];
    byStatus.set(status, (byStatus.get(status) ?? new Set()).add(code));
  }
  return Object.fromEntries([...byStatus].map(([status, of]) => [status.toString(), problemAnswer([...of])]));
}

function problemAnswer(codes: readonly ProblemCode[]): object {
  const schema = Type.Object({
    type: Type.String(),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.Union(codes.map((code) => Type.Literal(code))),
    detail: Type.Optional(Type.String()),
  });
  const description = codes.map((code) => `${code}: ${PROBLEMS[code].sentence}`).join(" ");
  return { description, content: { [PROBLEM_TYPE]: { schema } } };
}
