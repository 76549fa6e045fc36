import type { PayeeId } from "@cairn/messages";
import * as api from "../api/report-api.ts";
import type { OperatorClientOptions } from "./operator-client.ts";
import { Transport } from "./transport.ts";

type Period = { readonly from: number; readonly to: number };

/** Statements and the reconciliation. Times are seconds since 1970. All methods throw `ClientError`. */
export class ReportClient {
  readonly #transport: Transport;

  constructor(options: OperatorClientOptions) {
    this.#transport = new Transport(options);
  }

  statement(
    of: { readonly account: number } | { readonly payeeId: PayeeId },
    { from, to }: Period,
  ): Promise<api.StatementAnswer> {
    const about = "account" in of ? { account: of.account.toString() } : of;
    const query = { ...about, from: from.toString(), to: to.toString() };
    return this.#transport.json({ method: "GET", path: "/v1/operator/statements", query }, api.StatementAnswer);
  }

  reconciliation({ from, to }: Period): Promise<api.ReconciliationAnswer> {
    const query = { from: from.toString(), to: to.toString() };
    return this.#transport.json(
      { method: "GET", path: "/v1/operator/reconciliation", query },
      api.ReconciliationAnswer,
    );
  }
}
