import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import { problemAnswers } from "./problem-answers.ts";
import { EdgeError } from "./problems.ts";

/** What whoever runs the server asks: alive, ready, and what can be called. */
export function serviceRoutes(app: FastifyInstance, isReady: () => Promise<boolean>): void {
  const Answer = Type.Object({ status: Type.String() });
  app.get(
    "/health",
    { schema: { summary: "The process is alive.", tags: ["service"], response: { 200: Answer } } },
    async () => ({ status: "alive" }),
  );
  app.get(
    "/ready",
    {
      schema: {
        summary: "Calls are served and payments settled.",
        tags: ["service"],
        response: { 200: Answer, ...problemAnswers(["NOT_READY"]) },
      },
    },
    async () => {
      if (!(await isReady())) throw new EdgeError("NOT_READY");
      return { status: "ready" };
    },
  );
  app.get(
    "/openapi.json",
    { schema: { summary: "This description.", tags: ["service"], response: { 200: Type.Any() } } },
    async () => app.swagger(),
  );
}
