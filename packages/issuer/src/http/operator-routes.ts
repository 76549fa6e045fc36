import type { FastifyInstance } from "fastify";
import type { ServerContext } from "../services/server-context.ts";
import { accountRoutes } from "./operator/account-routes.ts";
import { auditRoute } from "./operator/audit-route.ts";
import { backupRoutes } from "./operator/backup-routes.ts";
import { bookRoutes } from "./operator/book-routes.ts";
import { certificateRoutes } from "./operator/certificate-routes.ts";
import { journalRoutes } from "./operator/journal-routes.ts";
import { keyRoutes } from "./operator/key-routes.ts";
import { moneyRoutes } from "./operator/money-routes.ts";
import { payeeRoutes } from "./operator/payee-routes.ts";
import { payoutRoutes } from "./operator/payout-routes.ts";
import { policyRoutes } from "./operator/policy-routes.ts";
import { refundRoutes } from "./operator/refund-routes.ts";
import { reportRoutes } from "./operator/report-routes.ts";
import { reviewRoutes } from "./operator/review-routes.ts";
import { statementRoute } from "./operator/statement-route.ts";
import { operatorOnly } from "./operator-token.ts";
import type { TypeBoxProvider } from "./typebox.ts";

/** Longest JSON body of an operator's call: a payee with all its fields has about 400 bytes. */
const MAXIMUM_JSON_BYTES = 16_384;

/** The operator's routes: JSON alone, behind the bearer token. */
export async function operatorRoutes(
  plain: FastifyInstance,
  options: { readonly context: ServerContext; readonly token: string },
): Promise<void> {
  // Before the body is read: who has no token sends nothing that we keep.
  plain.addHook("onRequest", operatorOnly(options.token));
  plain.removeContentTypeParser("text/plain");
  plain.addHook("onRoute", (route) => {
    route.bodyLimit = MAXIMUM_JSON_BYTES;
  });
  const app = plain.withTypeProvider<TypeBoxProvider>();
  for (const routes of [
    accountRoutes,
    payeeRoutes,
    journalRoutes,
    certificateRoutes,
    bookRoutes,
    auditRoute,
    moneyRoutes,
    reportRoutes,
    statementRoute,
    reviewRoutes,
    refundRoutes,
    payoutRoutes,
    keyRoutes,
    backupRoutes,
    policyRoutes,
  ])
    routes(app, options.context);
}
