import { MAXIMUM_MINOR, type PayeeId } from "@cairn/messages";
import type { PayeeRecord } from "@cairn/stores";
import { Type } from "@sinclair/typebox";
import * as api from "../../api/operator-api.ts";
import { type Encoded, PayeeIdText, TerminalIdText } from "../../api/wire.ts";
import { MINIMUM_OFFLINE_SECONDS } from "../../lists/status-list-publisher.ts";
import { createEnrolmentCode } from "../../services/enrolment-codes.ts";
import { forgetLoss } from "../../services/receiving.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { ServiceError } from "../../services/service-error.ts";
import { payeeView, terminalView } from "../operator-views.ts";
import { type OperatorApp, operatorAnswer } from "./routes.ts";

/** A small shop's ceilings in a currency with two decimals; every one can be set for each payee. */
const DEFAULT_CEILINGS = {
  perPaymentCapMinor: 20_000n,
  storedTotalCapMinor: 500_000n,
  perCertificateCapMinor: 50_000n,
  maximumOfflineSeconds: 7 * 86_400,
};

/** Payees and their terminals. */
export function payeeRoutes(app: OperatorApp, context: ServerContext): void {
  const { store, clock } = context;
  const PayeePath = Type.Object({ payeeId: PayeeIdText });
  const TerminalPath = Type.Object({ terminalId: TerminalIdText });

  async function known(payeeId: PayeeId): Promise<PayeeRecord> {
    const payee = await store.payee(payeeId);
    if (payee === undefined) throw new ServiceError("PAYEE_UNKNOWN");
    return payee;
  }

  app.post(
    "/payees",
    {
      schema: {
        body: api.NewPayee,
        ...operatorAnswer(
          { summary: "Signs up a payee.", problems: ["PAYEE_EXISTS", "AMOUNT_OUT_OF_RANGE", "OFFLINE_TIME_TOO_SHORT"] },
          api.Payee,
        ),
      },
    },
    async ({ body }): Promise<Encoded<typeof api.Payee>> => {
      const { payeeId, name, currency } = body;
      const payee: PayeeRecord = {
        payeeId,
        name,
        currency,
        perPaymentCapMinor: ceiling(body.perPaymentCapMinor ?? DEFAULT_CEILINGS.perPaymentCapMinor),
        storedTotalCapMinor: ceiling(body.storedTotalCapMinor ?? DEFAULT_CEILINGS.storedTotalCapMinor),
        perCertificateCapMinor: ceiling(body.perCertificateCapMinor ?? DEFAULT_CEILINGS.perCertificateCapMinor),
        maximumOfflineSeconds: offlineTime(body.maximumOfflineSeconds ?? DEFAULT_CEILINGS.maximumOfflineSeconds),
        createdAt: clock.nowSeconds(),
      };
      if ((await store.createPayee(payee)) === "exists") throw new ServiceError("PAYEE_EXISTS");
      context.log.info({ payeeId }, "payee signed up");
      return payeeView(payee);
    },
  );

  app.get("/payees", { schema: operatorAnswer({ summary: "All payees." }, api.listOf(api.Payee)) }, async () => ({
    items: (await store.payees()).map(payeeView),
  }));

  app.get(
    "/payees/:payeeId",
    {
      schema: {
        params: PayeePath,
        ...operatorAnswer({ summary: "One payee.", problems: ["PAYEE_UNKNOWN"] }, api.Payee),
      },
    },
    async ({ params }): Promise<Encoded<typeof api.Payee>> => payeeView(await known(params.payeeId)),
  );

  app.post(
    "/payees/:payeeId/enrolment-codes",
    {
      schema: {
        params: PayeePath,
        body: api.NewEnrolmentCode,
        ...operatorAnswer(
          { summary: "Makes a one-time code for a terminal of the payee.", problems: ["PAYEE_UNKNOWN"] },
          api.EnrolmentCodeAnswer,
        ),
      },
    },
    async ({ params, body }): Promise<Encoded<typeof api.EnrolmentCodeAnswer>> => {
      const { payeeId } = await known(params.payeeId);
      return createEnrolmentCode({ payeeId }, { validitySeconds: body.validitySeconds }, context);
    },
  );

  app.get(
    "/payees/:payeeId/terminals",
    {
      schema: {
        params: PayeePath,
        ...operatorAnswer(
          { summary: "The payee's terminals, in the order of enrolment.", problems: ["PAYEE_UNKNOWN"] },
          api.listOf(api.Terminal),
        ),
      },
    },
    async ({ params }) => {
      const { payeeId } = await known(params.payeeId);
      return { items: (await store.terminalsOf(payeeId)).map(terminalView) };
    },
  );

  app.get(
    "/terminals/:terminalId",
    {
      schema: {
        params: TerminalPath,
        ...operatorAnswer({ summary: "One terminal.", problems: ["TERMINAL_UNKNOWN"] }, api.Terminal),
      },
    },
    async ({ params }): Promise<Encoded<typeof api.Terminal>> => {
      const terminal = await store.terminal(params.terminalId);
      if (terminal === undefined) throw new ServiceError("TERMINAL_UNKNOWN");
      return terminalView(terminal);
    },
  );

  app.put(
    "/terminals/:terminalId/status",
    {
      schema: {
        params: TerminalPath,
        body: api.StatusChange,
        ...operatorAnswer(
          { summary: "Freezes or unfreezes a terminal.", problems: ["TERMINAL_UNKNOWN"] },
          api.Terminal,
        ),
      },
    },
    async ({ params, body }): Promise<Encoded<typeof api.Terminal>> => {
      const terminal = await store.terminal(params.terminalId);
      if (terminal === undefined) throw new ServiceError("TERMINAL_UNKNOWN");
      await forgetLoss(terminal, context);
      await store.setTerminalStatus(terminal.terminalId, body.status);
      context.log.info({ terminalId: terminal.terminalId, status: body.status }, "terminal status set");
      return terminalView({ ...terminal, status: body.status });
    },
  );
}

/** @throws ServiceError AMOUNT_OUT_OF_RANGE: such a ceiling could not be written into a certificate. */
function ceiling(minor: bigint): bigint {
  if (minor > MAXIMUM_MINOR) throw new ServiceError("AMOUNT_OUT_OF_RANGE");
  return minor;
}

/** @throws ServiceError OFFLINE_TIME_TOO_SHORT: it would refuse payments while it is online. */
function offlineTime(seconds: number): number {
  if (seconds < MINIMUM_OFFLINE_SECONDS) throw new ServiceError("OFFLINE_TIME_TOO_SHORT");
  return seconds;
}
