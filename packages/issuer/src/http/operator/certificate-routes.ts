import type { CertificateId } from "@cairn/messages";
import { Type } from "@sinclair/typebox";
import * as api from "../../api/operator-api.ts";
import { CertificateIdText, DeviceIdText, type Encoded, PaymentIdText } from "../../api/wire.ts";
import { reportFound, reportLoss } from "../../services/device-loss.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { ServiceError } from "../../services/service-error.ts";
import { conflictView, evidenceView, paymentView } from "../operator-views.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** Withdrawing certificates; conflicts, held payments and the evidence for both. */
export function certificateRoutes(app: OperatorApp, context: ServerContext): void {
  const { store, clock, statusLists, push, log } = context;

  async function tellDevices(certificateId: CertificateId): Promise<void> {
    const record = await store.certificate(certificateId);
    if (record !== undefined) push.accountChanged(record.account, "certificate-changed");
  }

  app.post(
    "/certificates/:certificateId/revocation",
    {
      schema: {
        params: Type.Object({ certificateId: CertificateIdText }),
        body: api.Revocation,
        ...operatorAnswer(
          { summary: "Withdraws a certificate: the next status list names it.", problems: ["CERTIFICATE_UNKNOWN"] },
          api.RevocationAnswer,
        ),
      },
    },
    async ({ params, body }): Promise<Encoded<typeof api.RevocationAnswer>> => {
      const { certificateId } = params;
      const revoked = await store.revokeCertificate(certificateId, clock.nowSeconds(), body.reason);
      if (revoked === "unknown-certificate") throw new ServiceError("CERTIFICATE_UNKNOWN");
      statusLists.markChanged();
      log.info({ certificateId }, "certificate withdrawn");
      await tellDevices(certificateId);
      return { repeated: revoked === "repeated" };
    },
  );

  app.post(
    "/certificates/:certificateId/restoration",
    {
      schema: {
        params: Type.Object({ certificateId: CertificateIdText }),
        body: Type.Object({}, { additionalProperties: false }),
        ...operatorAnswer(
          {
            summary: "Takes a mistaken revocation back: the next status list does not name the certificate.",
            problems: ["CERTIFICATE_UNKNOWN", "CERTIFICATE_IN_CONFLICT"],
          },
          api.RestorationAnswer,
        ),
      },
    },
    async ({ params }): Promise<Encoded<typeof api.RestorationAnswer>> => {
      const { certificateId } = params;
      const restored = await store.restoreCertificate(certificateId, clock.nowSeconds());
      if (restored === "unknown-certificate") throw new ServiceError("CERTIFICATE_UNKNOWN");
      if (restored === "in-conflict") throw new ServiceError("CERTIFICATE_IN_CONFLICT");
      statusLists.markChanged();
      log.info({ certificateId }, "certificate restored");
      await tellDevices(certificateId);
      return { repeated: restored === "not-revoked" };
    },
  );

  for (const [path, act, summary] of [
    ["loss", reportLoss, "A device is lost: blocks it and withdraws its certificates."],
    ["recovery", reportFound, "It was found: unblocks it and restores the certificates that the loss withdrew."],
  ] as const)
    app.post(
      `/devices/:deviceId/${path}`,
      {
        schema: {
          params: Type.Object({ deviceId: DeviceIdText }),
          body: Type.Object({}, { additionalProperties: false }),
          ...operatorAnswer({ summary, problems: ["DEVICE_UNKNOWN"] }, api.CertificatesChanged),
        },
      },
      async ({ params }): Promise<Encoded<typeof api.CertificatesChanged>> => ({
        certificates: await act(params.deviceId, context),
      }),
    );

  app.get(
    "/conflicts",
    { schema: operatorAnswer({ summary: "Proven conflicts with their proof." }, api.listOf(api.Conflict)) },
    async () => ({ items: (await store.conflicts()).map(conflictView) }),
  );

  app.get(
    "/held-payments",
    { schema: operatorAnswer({ summary: "Payments that wait for a person." }, api.listOf(api.Payment)) },
    async () => ({ items: (await store.heldPayments()).map(paymentView) }),
  );

  app.get(
    "/payments/:paymentId/evidence",
    {
      schema: {
        params: Type.Object({ paymentId: PaymentIdText }),
        ...operatorAnswer(
          { summary: "A payment's outcome with every record that brought it.", problems: ["PAYMENT_UNKNOWN"] },
          api.Evidence,
        ),
      },
    },
    async ({ params }): Promise<Encoded<typeof api.Evidence>> => {
      const [outcome] = await store.outcomes([params.paymentId]);
      const records = (await store.evidence(params.paymentId)).map(evidenceView);
      if (outcome === undefined && records.length === 0) throw new ServiceError("PAYMENT_UNKNOWN");
      return { payment: outcome === undefined ? null : paymentView(outcome), records };
    },
  );
}
