import { policyText } from "@cairn/issue";
import { Type } from "@sinclair/typebox";
import { listOf } from "../../api/operator-api.ts";
import * as api from "../../api/policy-api.ts";
import { CertificateIdText, type Encoded } from "../../api/wire.ts";
import type { PolicyRecord } from "../../policy/policies.ts";
import { PolicyFileError, parsePolicy } from "../../policy/policy-file.ts";
import { lifeOf } from "../../services/certificate-life.ts";
import { type Answer, explain } from "../../services/explaining.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { ServiceError } from "../../services/service-error.ts";
import { certificateView } from "../operator-views.ts";
import { AccountPath, numberOf, type OperatorApp, operatorAnswer } from "./routes.ts";

/** The issuing policy, what it would lead to, and what it led to. */
export function policyRoutes(app: OperatorApp, context: ServerContext): void {
  const { store, clock, policies } = context;

  app.get(
    "/policy",
    { schema: operatorAnswer({ summary: "The issuing policy in force." }, api.PolicyInForce) },
    async (): Promise<Encoded<typeof api.PolicyInForce>> => {
      const inForce = policies.records.at(-1);
      if (inForce === undefined) throw new Error("No policy is in force.");
      const { failure } = policies;
      return {
        ...policyView(inForce),
        file: policies.file ?? null,
        refused:
          failure === undefined
            ? null
            : {
                at: failure.at,
                code: failure.error.code,
                sentence: failure.error.message,
                faults: [...failure.error.faults],
              },
      };
    },
  );

  app.get(
    "/policies",
    {
      schema: operatorAnswer(
        { summary: "All policies that were ever in force, the present one last." },
        listOf(api.Policy),
      ),
    },
    async () => ({ items: policies.records.map(policyView) }),
  );

  app.post(
    "/accounts/:account/explanation",
    {
      schema: {
        params: AccountPath,
        body: api.ExplanationQuestion,
        ...operatorAnswer(
          {
            summary: "What the account's devices would be given now, line by line. Nothing is issued.",
            problems: ["ACCOUNT_UNKNOWN", "DEVICE_UNKNOWN", "POLICY_INVALID"],
          },
          api.Explanation,
        ),
      },
    },
    async ({ params, body }) => {
      const { deviceId, protection, ahead = false } = body;
      const policy = body.policy === undefined ? undefined : readPolicyOf(body.policy);
      const account = numberOf(params.account);
      return explanationView(await explain({ account, deviceId, protection, ahead, policy }, context));
    },
  );

  app.get(
    "/certificates/:certificateId",
    {
      schema: {
        params: Type.Object({ certificateId: CertificateIdText }),
        ...operatorAnswer(
          { summary: "A certificate with everything that happened to it.", problems: ["CERTIFICATE_UNKNOWN"] },
          api.CertificateLife,
        ),
      },
    },
    async ({ params }): Promise<Encoded<typeof api.CertificateLife>> => {
      const record = await store.certificate(params.certificateId);
      if (record === undefined) throw new ServiceError("CERTIFICATE_UNKNOWN");
      const [certificates, payments, account] = await Promise.all([
        store.certificatesOf(record.account),
        store.outcomesOfCertificate(record.certificateId),
        store.account(record.account),
      ]);
      if (account === undefined) throw new ServiceError("ACCOUNT_UNKNOWN");
      const { currency } = account;
      const now = clock.nowSeconds();
      const { policy } = policies.at(now);
      const life = lifeOf(record, { certificates, payments, currency, policy, now });
      return {
        certificate: certificateView(record, { policy, now }),
        currency,
        state: life.state,
        exposureMinor: life.exposureMinor.toString(),
        heldMinor: life.heldMinor.toString(),
        events: [...life.events],
      };
    },
  );
}

function readPolicyOf(json: unknown) {
  try {
    return parsePolicy(JSON.stringify(json));
  } catch (error) {
    if (error instanceof PolicyFileError) throw new ServiceError("POLICY_INVALID", error.message);
    throw error;
  }
}

function policyView({ policy, fingerprint, inForceFrom }: PolicyRecord): Encoded<typeof api.Policy> {
  return {
    version: policy.version,
    fingerprint,
    policy: JSON.parse(policyText(policy)),
    inForceFrom: [...inForceFrom],
  };
}

function explanationView({ account, inForce, open, devices }: Answer): Encoded<typeof api.Explanation> {
  return {
    version: inForce.policy.version,
    fingerprint: inForce.fingerprint,
    account: account.account,
    currency: account.currency,
    open: open.map(({ certificate, state, exposureMinor, heldMinor }) => ({
      certificateId: certificate.certificateId,
      deviceId: certificate.deviceId,
      state,
      limitMinor: certificate.limitMinor.toString(),
      settledMinor: certificate.settledMinor.toString(),
      exposureMinor: exposureMinor.toString(),
      heldMinor: heldMinor.toString(),
      expiresAt: certificate.expiresAt,
    })),
    devices: devices.map(({ device, explanation }) => ({
      deviceId: device.deviceId,
      protection: device.protection,
      decision: explanation.decision,
      conditions: [...explanation.conditions],
      refusals: [...explanation.refusals],
      lines: explanation.computation.lines.map(({ label, minor, note }) => ({ label, minor: minor.toString(), note })),
      limitMinor: explanation.computation.limitMinor.toString(),
      perPaymentCapMinor: explanation.computation.perPaymentCapMinor.toString(),
      heldMinor: explanation.heldMinor.toString(),
      validitySeconds: explanation.validitySeconds,
    })),
  };
}
