import type { FastifyInstance } from "fastify";
import { ReceivingAnswer, TillRefundAnswer } from "../api/device-api.ts";
import type { Encoded } from "../api/wire.ts";
import { openReceiving } from "../services/receiving.ts";
import type { ServerContext } from "../services/server-context.ts";
import { refundFromTill } from "../services/till-refunds.ts";
import type { ProblemCode } from "./problems.ts";
import { bodyOf } from "./raw-body.ts";
import { CALL_PROBLEMS, signedCall } from "./signed-call-schema.ts";

/** Why a wallet may not receive. */
export const RECEIVING_PROBLEMS = [
  "RECEIVING_OFF",
  "ACCOUNT_FROZEN",
  "RECEIVING_KEYS_FULL",
  "KEY_ALREADY_ENROLLED",
] as const satisfies readonly ProblemCode[];

/** Money the other way round: a wallet that is paid, and a terminal that gives back. */
export function reverseMoneyRoutes(app: FastifyInstance, context: ServerContext): void {
  app.post(
    "/v1/receiving",
    {
      schema: signedCall(
        {
          summary: "A wallet asks for a one-time code to receive with, as a terminal of its own account.",
          problems: [...CALL_PROBLEMS, ...RECEIVING_PROBLEMS],
        },
        ReceivingAnswer,
      ),
    },
    (request): Promise<Encoded<typeof ReceivingAnswer>> => openReceiving(bodyOf(request), context),
  );

  app.post(
    "/v1/refunds",
    {
      schema: signedCall(
        {
          summary: "A terminal gives back a settled payment of its payee, or asks what was given back.",
          problems: [
            ...CALL_PROBLEMS,
            "TILL_REFUNDS_OFF",
            "PAYMENT_UNKNOWN",
            "PAYMENT_NOT_SETTLED",
            "REFUND_EXCEEDS_PAYMENT",
            "PAYEE_FUNDS_INSUFFICIENT",
            "IDEMPOTENCY_KEY_REUSED",
          ],
        },
        TillRefundAnswer,
      ),
    },
    async (request): Promise<Encoded<typeof TillRefundAnswer>> => {
      const { takenMinor, refundedMinor, waitingMinor, repeated } = await refundFromTill(bodyOf(request), context);
      return {
        takenMinor: takenMinor.toString(),
        refundedMinor: refundedMinor.toString(),
        waitingMinor: waitingMinor.toString(),
        repeated,
      };
    },
  );
}
