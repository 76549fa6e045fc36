import { MAXIMUM_MINOR } from "@cairn/messages";
import type { AccountRecord } from "@cairn/stores";
import { Type } from "@sinclair/typebox";
import * as api from "../../api/operator-api.ts";
import { DeviceIdText, type Encoded } from "../../api/wire.ts";
import { createEnrolmentCode } from "../../services/enrolment-codes.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { ServiceError } from "../../services/service-error.ts";
import { accountView, certificateView, deviceView } from "../operator-views.ts";
import { AccountPath, numberOf, type OperatorApp, operatorAnswer } from "./routes.ts";

type AccountReply = Encoded<typeof api.Account>;

/** Accounts, their money, their devices. */
export function accountRoutes(app: OperatorApp, context: ServerContext): void {
  const { store, clock, push } = context;
  const unknown = ["ACCOUNT_UNKNOWN"] as const;
  const view = (record: AccountRecord): AccountReply => accountView(record, clock.nowSeconds());

  async function known(account: number): Promise<AccountRecord> {
    const record = await store.account(numberOf(account));
    if (record === undefined) throw new ServiceError("ACCOUNT_UNKNOWN");
    return record;
  }

  app.post(
    "/accounts",
    { schema: { body: api.NewAccount, ...operatorAnswer({ summary: "Opens an account." }, api.Account) } },
    async ({ body }): Promise<AccountReply> => {
      const { name, currency } = body;
      const account = await store.createAccount({ name, currency, createdAt: clock.nowSeconds() });
      context.log.info({ account }, "account opened");
      return view(await known(account));
    },
  );

  app.get("/accounts", { schema: operatorAnswer({ summary: "All accounts." }, api.listOf(api.Account)) }, async () => ({
    items: (await store.accounts()).map(view),
  }));

  app.get(
    "/accounts/:account",
    {
      schema: {
        params: AccountPath,
        ...operatorAnswer({ summary: "One account.", problems: unknown }, api.Account),
      },
    },
    async ({ params }): Promise<AccountReply> => view(await known(params.account)),
  );

  app.post(
    "/accounts/:account/top-ups",
    {
      schema: {
        params: AccountPath,
        body: api.TopUp,
        ...operatorAnswer(
          {
            summary: "Posts money to an account, once for each idempotency key.",
            problems: [...unknown, "AMOUNT_OUT_OF_RANGE", "IDEMPOTENCY_KEY_REUSED"],
          },
          api.TopUpAnswer,
        ),
      },
    },
    async ({ params, body }): Promise<Encoded<typeof api.TopUpAnswer>> => {
      const { account } = await known(params.account);
      const { amountMinor, idempotencyKey } = body;
      if (amountMinor === 0n || amountMinor > MAXIMUM_MINOR) throw new ServiceError("AMOUNT_OUT_OF_RANGE");
      const posted = await store.topUp({ account, amountMinor, idempotencyKey, at: clock.nowSeconds() });
      if (posted === "key-reused") throw new ServiceError("IDEMPOTENCY_KEY_REUSED");
      context.log.info({ account, amountMinor: amountMinor.toString(), posted }, "top-up");
      push.accountChanged(account, "top-up");
      return { repeated: posted === "repeated", account: view(await known(account)) };
    },
  );

  app.put(
    "/accounts/:account/credit",
    {
      schema: {
        params: AccountPath,
        body: api.Credit,
        ...operatorAnswer(
          { summary: "Sets what is known of the account's credit.", problems: [...unknown, "AMOUNT_OUT_OF_RANGE"] },
          api.Account,
        ),
      },
    },
    async ({ params, body }): Promise<AccountReply> => {
      const { account } = await known(params.account);
      const { lineMinor, overdueMinor, scoreBand } = body;
      if (lineMinor > MAXIMUM_MINOR || overdueMinor > MAXIMUM_MINOR) throw new ServiceError("AMOUNT_OUT_OF_RANGE");
      await store.setCredit(account, { lineMinor, overdueMinor, scoreBand, informedAt: clock.nowSeconds() });
      context.log.info({ account, lineMinor: lineMinor.toString(), scoreBand }, "credit set");
      push.accountChanged(account, "credit-changed");
      return view(await known(account));
    },
  );

  app.put(
    "/accounts/:account/status",
    {
      schema: {
        params: AccountPath,
        body: api.StatusChange,
        ...operatorAnswer({ summary: "Freezes or unfreezes an account.", problems: unknown }, api.Account),
      },
    },
    async ({ params, body }): Promise<AccountReply> => {
      const { account } = await known(params.account);
      await store.setAccountStatus(account, body.status);
      context.log.info({ account, status: body.status }, "account status set");
      push.accountChanged(account, "status-changed");
      return view(await known(account));
    },
  );

  app.post(
    "/accounts/:account/enrolment-codes",
    {
      schema: {
        params: AccountPath,
        body: api.NewDeviceCode,
        ...operatorAnswer(
          { summary: "Makes a one-time code for a device of the account.", problems: [...unknown, "DEVICE_UNKNOWN"] },
          api.EnrolmentCodeAnswer,
        ),
      },
    },
    async ({ params, body }): Promise<Encoded<typeof api.EnrolmentCodeAnswer>> => {
      const { account } = await known(params.account);
      const { replacesDeviceId, validitySeconds } = body;
      if (replacesDeviceId !== undefined && (await store.device(replacesDeviceId))?.account !== account)
        throw new ServiceError("DEVICE_UNKNOWN");
      return createEnrolmentCode({ account, replacesDeviceId }, { validitySeconds }, context);
    },
  );

  app.get(
    "/accounts/:account/certificates",
    {
      schema: {
        params: AccountPath,
        ...operatorAnswer(
          { summary: "The account's certificates, each with why and how much.", problems: unknown },
          api.listOf(api.Certificate),
        ),
      },
    },
    async ({ params }) => {
      const { account } = await known(params.account);
      const now = clock.nowSeconds();
      const { policy } = context.policies.at(now);
      const certificates = await store.certificatesOf(account);
      return { items: certificates.map((certificate) => certificateView(certificate, { policy, now })) };
    },
  );

  app.post(
    "/accounts/:account/conflicts/resolve",
    {
      schema: {
        params: AccountPath,
        body: Type.Object({}, { additionalProperties: false }),
        ...operatorAnswer(
          { summary: "Marks the account's conflicts as resolved: its offline right returns.", problems: unknown },
          api.ResolutionAnswer,
        ),
      },
    },
    async ({ params }): Promise<Encoded<typeof api.ResolutionAnswer>> => {
      const { account } = await known(params.account);
      const resolved = await store.resolveConflicts(account, clock.nowSeconds());
      context.log.info({ account, resolved }, "conflicts resolved");
      push.accountChanged(account, "status-changed");
      return { resolved };
    },
  );

  const DevicePath = Type.Object({ deviceId: DeviceIdText });
  app.get(
    "/devices/:deviceId",
    {
      schema: {
        params: DevicePath,
        ...operatorAnswer({ summary: "One wallet device.", problems: ["DEVICE_UNKNOWN"] }, api.Device),
      },
    },
    async ({ params }): Promise<Encoded<typeof api.Device>> => {
      const device = await store.device(params.deviceId);
      if (device === undefined) throw new ServiceError("DEVICE_UNKNOWN");
      return deviceView(device);
    },
  );

  app.put(
    "/devices/:deviceId/status",
    {
      schema: {
        params: DevicePath,
        body: api.StatusChange,
        ...operatorAnswer({ summary: "Freezes or unfreezes a device.", problems: ["DEVICE_UNKNOWN"] }, api.Device),
      },
    },
    async ({ params, body }): Promise<Encoded<typeof api.Device>> => {
      const device = await store.device(params.deviceId);
      if (device === undefined) throw new ServiceError("DEVICE_UNKNOWN");
      await store.setDeviceStatus(device.deviceId, body.status);
      context.log.info({ deviceId: device.deviceId, status: body.status }, "device status set");
      push.accountChanged(device.account, "status-changed");
      return deviceView({ ...device, status: body.status });
    },
  );
}
