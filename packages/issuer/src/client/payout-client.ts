import type { Currency, PayeeId } from "@cairn/messages";
import { type TSchema, Type } from "@sinclair/typebox";
import * as api from "../api/payout-api.ts";
import type { Decoded, Encoded } from "../api/wire.ts";
import type { OperatorClientOptions } from "./operator-client.ts";
import { Transport } from "./transport.ts";

/** Sweeps and payouts. Every call may be repeated after a lost answer. All methods throw `ClientError`. */
export class PayoutClient {
  readonly #transport: Transport;

  constructor(options: OperatorClientOptions) {
    this.#transport = new Transport(options);
  }

  setTerms(payeeId: PayeeId, terms: Encoded<typeof api.Terms>) {
    return this.#send("PUT", `/payees/${payeeId}/terms`, api.Terms, api.Terms, terms);
  }

  async sweep(): Promise<number> {
    return (await this.#send("POST", "/sweeps", api.SweepAnswer, Type.Object({}), {})).swept;
  }

  createBatch(batch: { readonly batchId: string; readonly currency: Currency }) {
    return this.#send("POST", "/payout-batches", api.Batch, api.NewBatch, batch);
  }

  batch(batchId: string): Promise<api.Batch> {
    return this.#transport.json({ method: "GET", path: `/v1/operator/payout-batches/${batchId}` }, api.Batch);
  }

  exportBatch(batchId: string, options: Encoded<typeof api.Export>) {
    return this.#send("POST", `/payout-batches/${batchId}/export`, api.ExportAnswer, api.Export, options);
  }

  decide(batchId: string, payeeId: PayeeId, decision: Encoded<typeof api.PayoutDecision>) {
    const path = `/payout-batches/${batchId}/payouts/${payeeId}`;
    return this.#send("POST", path, api.Batch, api.PayoutDecision, decision);
  }

  #send<Answer extends TSchema, Body extends TSchema>(
    method: "POST" | "PUT",
    path: string,
    answer: Answer,
    _bodySchema: Body,
    body: Encoded<Body>,
  ): Promise<Decoded<Answer>> {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    return this.#transport.json(
      { method, path: `/v1/operator${path}`, body: { type: "application/json", bytes } },
      answer,
    );
  }
}
