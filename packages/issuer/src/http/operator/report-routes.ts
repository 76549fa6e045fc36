import { type AccountNumber, accountNumber, IssueError } from "@cairn/issue";
import * as api from "../../api/report-api.ts";
import type { Encoded } from "../../api/wire.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { ServiceError } from "../../services/service-error.ts";
import { camt053, statementCsv } from "../../services/statement-documents.ts";
import { type Standing, statement } from "../../services/statements.ts";
import { EdgeError } from "../problems.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** What accountants ask for. */
export function reportRoutes(app: OperatorApp, { store }: ServerContext): void {
  app.get(
    "/statements",
    {
      schema: {
        querystring: api.StatementQuery,
        ...operatorAnswer(
          {
            summary: "A statement of an account or a payee, also as CSV and ISO 20022 camt.053.001.08.",
            problems: ["ACCOUNT_UNKNOWN", "PAYEE_UNKNOWN"],
          },
          api.StatementAnswer,
        ),
      },
    },
    async ({ query }): Promise<Encoded<typeof api.StatementAnswer>> => {
      const { account, payeeId, from, to } = query;
      if ((account === undefined) === (payeeId === undefined))
        throw new EdgeError("INPUT_INVALID", "either account or payeeId");
      const of = payeeId === undefined ? { account: numberOf(account ?? 0) } : { payeeId };
      const told = await statement(of, { from, to }, store);
      return {
        of: told.of,
        currency: told.currency,
        from,
        to,
        opening: standing(told.opening),
        lines: told.lines.map(({ entryId, kind, reference, postedAt, ...change }) => ({
          entryId,
          kind,
          reference,
          postedAt,
          ...standing(change),
        })),
        closing: standing(told.closing),
        csv: statementCsv(told),
        camt053: camt053(told),
      };
    },
  );

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

const standing = ({ balanceMinor, creditUsedMinor }: Standing) => ({
  balanceMinor: balanceMinor.toString(),
  creditUsedMinor: creditUsedMinor.toString(),
});

function numberOf(account: number): AccountNumber {
  try {
    return accountNumber(account);
  } catch (error) {
    if (error instanceof IssueError) throw new ServiceError("ACCOUNT_UNKNOWN");
    throw error;
  }
}
