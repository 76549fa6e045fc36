import * as api from "../../api/report-api.ts";
import type { Encoded } from "../../api/wire.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** What became of payments. */
export function reportRoutes(app: OperatorApp, { store }: ServerContext): void {
  app.get(
    "/reconciliation",
    {
      schema: {
        querystring: api.PeriodQuery,
        ...operatorAnswer(
          { summary: "What became of every payment that came in during a period." },
          api.ReconciliationAnswer,
        ),
      },
    },
    async ({ query }): Promise<Encoded<typeof api.ReconciliationAnswer>> => {
      const lines = await store.reconcile(query);
      return {
        lines: lines.map(({ state, currency, payments, amountMinor, takenMinor }) => ({
          state,
          currency: currency ?? null,
          payments,
          amountMinor: amountMinor.toString(),
          takenMinor: takenMinor.toString(),
        })),
        payments: lines.reduce((sum, { payments }) => sum + payments, 0),
      };
    },
  );
}
