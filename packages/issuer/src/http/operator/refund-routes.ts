import { MAXIMUM_MINOR } from "@cairn/messages";
import { Type } from "@sinclair/typebox";
import * as api from "../../api/refund-api.ts";
import { PaymentIdText } from "../../api/wire.ts";
import { refund } from "../../services/refunds.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { ServiceError } from "../../services/service-error.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** Settled payments are given back. */
export function refundRoutes(app: OperatorApp, context: ServerContext): void {
  app.post(
    "/payments/:paymentId/refunds",
    {
      schema: {
        params: Type.Object({ paymentId: PaymentIdText }),
        body: api.Refund,
        ...operatorAnswer(
          {
            summary: "Gives a settled payment back, in full or in part, at the payee's expense.",
            problems: [
              "AMOUNT_OUT_OF_RANGE",
              "IDEMPOTENCY_KEY_REUSED",
              "PAYMENT_UNKNOWN",
              "PAYMENT_NOT_SETTLED",
              "REFUND_EXCEEDS_PAYMENT",
              "PAYEE_FUNDS_INSUFFICIENT",
            ],
          },
          api.RefundAnswer,
        ),
      },
    },
    async ({ params: { paymentId }, body: { amountMinor, idempotencyKey } }) => {
      if (amountMinor === 0n || amountMinor > MAXIMUM_MINOR) throw new ServiceError("AMOUNT_OUT_OF_RANGE");
      const { repeated } = await refund({ paymentId, amountMinor, idempotencyKey }, context);
      context.log.info({ paymentId, amountMinor: amountMinor.toString(), repeated }, "refund");
      return { repeated };
    },
  );
}
