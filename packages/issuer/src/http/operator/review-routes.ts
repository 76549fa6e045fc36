import { Type } from "@sinclair/typebox";
import * as api from "../../api/operator-api.ts";
import { type Encoded, PaymentIdText } from "../../api/wire.ts";
import { reviewPayment } from "../../services/review.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { paymentView } from "../operator-views.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** What is held is decided by a person. */
export function reviewRoutes(app: OperatorApp, context: ServerContext): void {
  app.post(
    "/payments/:paymentId/review",
    {
      schema: {
        params: Type.Object({ paymentId: PaymentIdText }),
        body: api.Review,
        ...operatorAnswer(
          {
            summary: "Releases a held payment to its payee, or rejects it, for a reason that is kept.",
            problems: ["PAYMENT_UNKNOWN", "PAYMENT_NOT_HELD", "REVIEW_DECIDED"],
          },
          api.Payment,
        ),
      },
    },
    async ({ params, body }): Promise<Encoded<typeof api.Payment>> => {
      const outcome = await reviewPayment({ ...params, ...body }, context);
      context.log.info({ ...params, ...body, state: outcome.state }, "held payment reviewed");
      return paymentView(outcome);
    },
  );
}
