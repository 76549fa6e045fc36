import { Type } from "@sinclair/typebox";
import * as api from "../../api/payout-api.ts";
import { type Encoded, PayeeIdText } from "../../api/wire.ts";
import { pain001, payoutCsv } from "../../services/payouts/documents.ts";
import { isIban } from "../../services/payouts/iban.ts";
import {
  batchView,
  createBatch,
  decidePayout,
  markExported,
  type PayoutView,
  setPayeeTerms,
} from "../../services/payouts/payouts.ts";
import { sweepAll } from "../../services/payouts/sweep.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { ServiceError } from "../../services/service-error.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

const BatchPath = Type.Object({ batchId: api.BatchIdText });

/** From clearing to the payees' banks. */
export function payoutRoutes(app: OperatorApp, context: ServerContext): void {
  app.put(
    "/payees/:payeeId/terms",
    {
      schema: {
        params: Type.Object({ payeeId: PayeeIdText }),
        body: api.Terms,
        ...operatorAnswer(
          { summary: "Says where a payee is paid out and what it costs.", problems: ["PAYEE_UNKNOWN", "IBAN_INVALID"] },
          api.Terms,
        ),
      },
    },
    async ({ params: { payeeId }, body }): Promise<Encoded<typeof api.Terms>> => {
      const terms = {
        holder: body.holder,
        iban: body.iban,
        feeBasisPoints: body.feeBasisPoints,
        feeFixedMinor: body.feeFixedMinor.toString(),
        feeMinimumMinor: body.feeMinimumMinor.toString(),
        feeMaximumMinor: body.feeMaximumMinor?.toString() ?? null,
      };
      await setPayeeTerms({ payeeId, ...terms }, context);
      context.log.info({ payeeId }, "payee terms set");
      return terms;
    },
  );

  app.post(
    "/sweeps",
    {
      schema: {
        body: Type.Object({}, { additionalProperties: false }),
        ...operatorAnswer({ summary: "Moves clearing to the payees' own accounts." }, api.SweepAnswer),
      },
    },
    async () => ({ swept: await sweepAll(context) }),
  );

  app.post(
    "/payout-batches",
    {
      schema: {
        body: api.NewBatch,
        ...operatorAnswer(
          {
            summary: "Orders a payout for every payee with money and a bank account.",
            problems: ["NOTHING_TO_PAY", "IDEMPOTENCY_KEY_REUSED"],
          },
          api.Batch,
        ),
      },
    },
    async ({ body }) => {
      const view = await createBatch(body, context);
      context.log.info({ batchId: body.batchId, payouts: view.payouts.length }, "payout batch");
      return shown(view);
    },
  );

  app.get(
    "/payout-batches/:batchId",
    {
      schema: {
        params: BatchPath,
        ...operatorAnswer({ summary: "One payout batch.", problems: ["PAYOUT_BATCH_UNKNOWN"] }, api.Batch),
      },
    },
    async ({ params }) => shown(await batchView(params.batchId, context)),
  );

  app.post(
    "/payout-batches/:batchId/export",
    {
      schema: {
        params: BatchPath,
        body: api.Export,
        ...operatorAnswer(
          {
            summary: "The batch as ISO 20022 pain.001.001.09 or CSV, for the bank. From the first export on it is out.",
            problems: ["PAYOUT_BATCH_UNKNOWN", "IBAN_INVALID"],
          },
          api.ExportAnswer,
        ),
      },
    },
    async ({ params, body }): Promise<Encoded<typeof api.ExportAnswer>> => {
      const { debtorName: name, debtorIban: iban, executionDate, format } = body;
      if (!isIban(iban)) throw new ServiceError("IBAN_INVALID");
      const view = await markExported(params.batchId, context);
      context.log.info({ batchId: params.batchId, format }, "payout batch exported");
      const document = format === "csv" ? payoutCsv(view) : pain001(view, { name, iban, executionDate });
      return { document, batch: shown(view) };
    },
  );

  app.post(
    "/payout-batches/:batchId/payouts/:payeeId",
    {
      schema: {
        params: Type.Object({ batchId: api.BatchIdText, payeeId: PayeeIdText }),
        body: api.PayoutDecision,
        ...operatorAnswer(
          {
            summary: "The bank's word on one payout: paid, or returned.",
            problems: ["PAYOUT_BATCH_UNKNOWN", "PAYOUT_UNKNOWN", "PAYOUT_NOT_EXPORTED", "PAYOUT_DECIDED"],
          },
          api.Batch,
        ),
      },
    },
    async ({ params, body }) => {
      await decidePayout({ ...params, ...body }, context);
      context.log.info({ ...params, state: body.state }, "payout decided");
      return shown(await batchView(params.batchId, context));
    },
  );
}

function shown({ batch, payouts }: PayoutView): Encoded<typeof api.Batch> {
  const { batchId, currency, createdAt, exportedAt } = batch;
  const isDone = exportedAt !== null && payouts.every(({ state }) => state !== "ordered");
  return {
    batchId,
    currency,
    state: isDone ? "done" : exportedAt === null ? "draft" : "exported",
    createdAt,
    exportedAt,
    payouts: payouts.map(({ batchId: _, currency: __, ...payout }) => payout),
  };
}
