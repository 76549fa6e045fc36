import type { LedgerAccount } from "@cairn/settle";
import { Type } from "@sinclair/typebox";
import type { FastifyInstance } from "fastify";
import type { ServerContext } from "../services/server-context.ts";
import { operatorOnly } from "./operator-token.ts";

type Sample = { readonly labels?: Readonly<Record<string, string>>; readonly value: number | bigint };

const MONEY = ["clearing", "payee", "payouts", "fees", "loss-reserve", "cash", "wallet", "credit"] as const;

/**
 * `GET /metrics` in Prometheus' text format 0.0.4, behind the operator's token (`authorization: Bearer`). What the
 * database knows is asked for when it is scraped: every server of an issuer says the same of it.
 */
export function metricsRoutes(
  app: FastifyInstance,
  options: { readonly context: ServerContext; readonly token: string; readonly isReady: () => boolean },
): void {
  const calls = new Map<string, { readonly labels: Readonly<Record<string, string>>; value: number }>();
  app.addHook("onResponse", async (request, reply) => {
    const labels = { route: request.routeOptions.url ?? "unknown", status: reply.statusCode.toString() };
    const key = JSON.stringify(labels);
    const counter = calls.get(key);
    if (counter === undefined) calls.set(key, { labels, value: 1 });
    else counter.value++;
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
      const process = [
        metric("cairn_ready", "gauge", "1 when calls are served and payments settled.", [
          { value: options.isReady() ? 1 : 0 },
        ]),
        metric("cairn_clock_trusted", "gauge", "0 for an hour after the machine's clock jumped.", [
          { value: options.context.clockWatch?.isTrusted === false ? 0 : 1 },
        ]),
        metric("cairn_http_calls_total", "counter", "Calls answered by this process.", [...calls.values()]),
        metric("cairn_process_resident_bytes", "gauge", "Memory of this process.", [
          { value: globalThis.process.memoryUsage.rss() },
        ]),
      ];
      return [...process, ...(await issuerMetrics(options.context))].join("");
    },
  );
}

async function issuerMetrics({ store, clock, policies }: ServerContext): Promise<string[]> {
  const now = clock.nowSeconds();
  const held = await store.heldPayments();
  const conflicts = (await store.conflicts()).filter(({ resolvedAt }) => resolvedAt === undefined);
  const oldest = held.reduce((oldestAt, { decidedAt }) => Math.min(oldestAt, decidedAt), now);
  const transfers = await store.operationRecords("open-transfer");
  const money: Sample[] = [];
  for (const kind of MONEY) money.push(...(await sums(store, kind)));
  const { policy, fingerprint } = policies.at(now);
  return [
    metric("cairn_policy_info", "gauge", "Always 1; the labels say which issuing policy is in force.", [
      { labels: { version: policy.version, fingerprint }, value: 1 },
    ]),
    metric("cairn_policy_file_refused", "gauge", "1 when the policy file as it is now could not be taken over.", [
      { value: policies.failure === undefined ? 0 : 1 },
    ]),
    metric("cairn_held_payments", "gauge", "Payments that wait for a person.", [{ value: held.length }]),
    metric("cairn_held_oldest_seconds", "gauge", "How long the oldest of them has waited.", [{ value: now - oldest }]),
    metric("cairn_unresolved_conflicts", "gauge", "Devices proven to be cloned that nobody has looked at.", [
      { value: conflicts.length },
    ]),
    metric("cairn_inbox_waiting_records", "gauge", "Records that were received and not judged yet.", [
      { value: await store.waitingRecords() },
    ]),
    metric("cairn_transfers_open", "gauge", "Transfers that left a partition and have not arrived.", [
      { value: transfers.length },
    ]),
    metric("cairn_ledger_minor", "gauge", "Sum of each kind of ledger account, minor units; debit positive.", money),
  ];
}

async function sums(store: ServerContext["store"], kind: LedgerAccount["kind"]): Promise<Sample[]> {
  const byCurrency = new Map<string, bigint>();
  for (const { currency, minor } of await store.ledgerBalances(kind))
    byCurrency.set(currency, (byCurrency.get(currency) ?? 0n) + minor);
  return [...byCurrency].map(([currency, value]) => ({ labels: { kind, currency }, value }));
}

function metric(name: string, type: "gauge" | "counter", help: string, samples: readonly Sample[]): string {
  const lines = samples.map(({ labels = {}, value }) => {
    const pairs = Object.entries(labels).map(([label, text]) => `${label}=${JSON.stringify(text)}`);
    return `${name}${pairs.length === 0 ? "" : `{${pairs.join(",")}}`} ${value}\n`;
  });
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("")}`;
}
