import { StoreError } from "@cairn/stores";
import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { ServerContext } from "../../services/server-context.ts";
import { operatorOnly } from "../operator-token.ts";
import { keptMetrics, storedMetrics } from "./issuer-metrics.ts";
import { Counter, Histogram, metric } from "./metric-text.ts";

/** Seconds: a nonce, an upload, a report, trouble. */
const CALL_BOUNDS = [0.005, 0.025, 0.1, 0.5, 2, 10];

/** `GET /metrics` in Prometheus' text format 0.0.4, behind the operator's token (`authorization: Bearer`). */
export function metricsRoutes(
  app: FastifyInstance,
  options: {
    readonly context: ServerContext;
    readonly token: string;
    readonly isReady: () => Promise<boolean>;
    readonly logLines: Counter;
  },
): void {
  const { context } = options;
  const calls = new Counter();
  const durations = new Histogram("route", CALL_BOUNDS);
  app.addHook("onResponse", async (request, reply) => {
    const route = request.routeOptions.url ?? "unknown";
    calls.add({ route, status: reply.statusCode.toString() });
    durations.observe(route, reply.elapsedTime / 1_000);
  });
  app.get(
    "/metrics",
    {
      onRequest: operatorOnly(options.token),
      schema: {
        summary: "Numbers for Prometheus.",
        tags: ["service"],
        security: [{ operator: [] }],
        response: { 200: Type.String() },
      },
      // Text as it is, not as JSON.
      serializerCompiler: () => String,
    },
    async (_request, reply) => {
      reply.type("text/plain; version=0.0.4; charset=utf-8");
      const stored = await storedIfReachable(context);
      return [
        metric("cairn_ready", "gauge", "1 when calls are served and payments settled.", [
          { value: (await options.isReady()) ? 1 : 0 },
        ]),
        metric("cairn_store_reachable", "gauge", "0 when the database did not answer this very scrape.", [
          { value: stored === undefined ? 0 : 1 },
        ]),
        metric("cairn_http_calls_total", "counter", "Calls answered by this process.", calls.samples()),
        durations.text("cairn_http_seconds", "How long calls took, streams included."),
        metric("cairn_log_lines_total", "counter", "Lines of the log by level.", options.logLines.samples()),
        metric("cairn_process_resident_bytes", "gauge", "Memory of this process.", [
          { value: process.memoryUsage.rss() },
        ]),
        ...keptMetrics(context),
        ...(stored ?? []),
      ].join("");
    },
  );
}

/** While the database is away the process still says how it stands itself. */
async function storedIfReachable(context: ServerContext): Promise<string[] | undefined> {
  try {
    return await storedMetrics(context);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    context.log.warn({ code: error.code }, "the database did not answer a scrape");
    return undefined;
  }
}
