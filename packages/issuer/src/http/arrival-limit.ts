import type { FastifyInstance } from "fastify";
import { answerBrokenConnection } from "./broken-connection.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** The route reads its body bit by bit and keeps its own time. */
    readonly streamsItsBody?: boolean;
  }
}

/** Time for a full call on a slow line; and what a slow sender may hold a connection for. */
export const ARRIVAL_TIMEOUT_MS = 30_000;

/** A whole request has to arrive in time, so that slow senders hold no connection for long. */
export function limitArrival(app: FastifyInstance, milliseconds: number): void {
  app.addHook("onRequest", async ({ raw, routeOptions }) => {
    if (routeOptions.config.streamsItsBody === true) return;
    const onLate = (): void => {
      const late = Object.assign(new Error("late"), { code: "ERR_HTTP_REQUEST_TIMEOUT" });
      if (!raw.complete) answerBrokenConnection(late, raw.socket);
    };
    const timer = setTimeout(onLate, milliseconds).unref();
    raw.once("close", () => clearTimeout(timer));
  });
}
