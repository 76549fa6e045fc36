import { accountNumber } from "@cairn/issue";
import * as api from "../../api/operator-api.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { entryView } from "../operator-views.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

const DEFAULT_ENTRIES = 100;

/** The ledger, as it is. */
export function bookRoutes(app: OperatorApp, { store }: ServerContext): void {
  app.get(
    "/entries",
    {
      schema: {
        querystring: api.EntriesQuery,
        ...operatorAnswer({ summary: "Ledger entries in the order of posting." }, api.listOf(api.Entry)),
      },
    },
    async ({ query }) => {
      const { account, payeeId, after, limit } = query;
      const entries = await store.entries({
        limit: limit ?? DEFAULT_ENTRIES,
        ...(account === undefined ? {} : { account: accountNumber(account) }),
        ...(payeeId === undefined ? {} : { payeeId }),
        ...(after === undefined ? {} : { after }),
      });
      return { items: entries.map(entryView) };
    },
  );

  app.get(
    "/trial-balance",
    { schema: operatorAnswer({ summary: "The sum of every ledger account." }, api.listOf(api.TrialBalanceLine)) },
    async () => ({
      items: (await store.trialBalance()).map(({ ledgerAccount, currency, minor }) => ({
        ledgerAccount,
        currency,
        minor: minor.toString(),
      })),
    }),
  );
}
