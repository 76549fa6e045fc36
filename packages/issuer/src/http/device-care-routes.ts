import type { FastifyInstance } from "fastify";
import { DevicesAnswer, LossAnswer } from "../api/device-api.ts";
import type { Encoded } from "../api/wire.ts";
import { takeLossReport, tellDevices } from "../services/device-loss.ts";
import type { ServerContext } from "../services/server-context.ts";
import { bodyOf } from "./raw-body.ts";
import { CALL_PROBLEMS, signedCall } from "./signed-call-schema.ts";

/** What an account's devices ask about each other. */
export function deviceCareRoutes(app: FastifyInstance, context: ServerContext): void {
  app.post(
    "/v1/devices",
    { schema: signedCall({ summary: "The devices of the caller's account." }, DevicesAnswer) },
    async (request): Promise<Encoded<typeof DevicesAnswer>> => {
      const { caller, devices } = await tellDevices(bodyOf(request), context);
      return {
        devices: devices.map(({ deviceId, label, enrolledAt, status }) => ({
          deviceId,
          label,
          enrolledAt,
          status,
          isCaller: deviceId === caller.deviceId,
        })),
      };
    },
  );

  app.post(
    "/v1/losses",
    {
      schema: signedCall(
        { summary: "Reports another device of the account lost.", problems: [...CALL_PROBLEMS, "DEVICE_UNKNOWN"] },
        LossAnswer,
      ),
    },
    async (request): Promise<Encoded<typeof LossAnswer>> => ({
      withdrawn: await takeLossReport(bodyOf(request), context),
    }),
  );
}
