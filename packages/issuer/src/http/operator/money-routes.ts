import { MAXIMUM_MINOR } from "@cairn/messages";
import * as api from "../../api/money-api.ts";
import type { Encoded } from "../../api/wire.ts";
import { type MoneyOrder, type Moved, payOnline, transfer, withdraw } from "../../services/online-money.ts";
import type { ServerContext } from "../../services/server-context.ts";
import { ServiceError } from "../../services/service-error.ts";
import { accountView } from "../operator-views.ts";
import { AccountPath, numberOf, type OperatorApp, operatorAnswer } from "./routes.ts";

const PROBLEMS = [
  "ACCOUNT_UNKNOWN",
  "ACCOUNT_FROZEN",
  "AMOUNT_OUT_OF_RANGE",
  "FUNDS_INSUFFICIENT",
  "IDEMPOTENCY_KEY_REUSED",
] as const;

/** Money that moves online. Offline promises are kept: what open certificates may still take cannot be spent here. */
export function moneyRoutes(app: OperatorApp, context: ServerContext): void {
  const { store, push, clock } = context;

  async function answered(
    path: { readonly account: number },
    body: { readonly amountMinor: bigint; readonly idempotencyKey: string },
    run: (order: MoneyOrder) => Promise<Moved>,
  ): Promise<Encoded<typeof api.MoneyAnswer>> {
    const { amountMinor, idempotencyKey } = body;
    const account = numberOf(path.account);
    if (amountMinor === 0n || amountMinor > MAXIMUM_MINOR) throw new ServiceError("AMOUNT_OUT_OF_RANGE");
    const moved = await run({ account, amountMinor, idempotencyKey });
    push.accountChanged(account, "online-payment");
    const record = await store.account(account);
    if (record === undefined) throw new ServiceError("ACCOUNT_UNKNOWN");
    context.log.info({ account, amountMinor: amountMinor.toString(), moved }, "online money");
    return { repeated: moved === "repeated", account: accountView(record, clock.nowSeconds()) };
  }

  app.post(
    "/accounts/:account/withdrawals",
    {
      schema: {
        params: AccountPath,
        body: api.Withdrawal,
        ...operatorAnswer({ summary: "Pays money out of an account.", problems: PROBLEMS }, api.MoneyAnswer),
      },
    },
    ({ params, body }) => answered(params, body, (order) => withdraw(order, context)),
  );

  app.post(
    "/accounts/:account/transfers",
    {
      schema: {
        params: AccountPath,
        body: api.Transfer,
        ...operatorAnswer(
          {
            summary: "Moves money to another account.",
            problems: [...PROBLEMS, "CURRENCY_DIFFERS", "SAME_ACCOUNT"],
          },
          api.MoneyAnswer,
        ),
      },
    },
    ({ params, body }) =>
      answered(params, body, async (order) => {
        const to = numberOf(body.to);
        const moved = await transfer({ ...order, to }, context);
        push.accountChanged(to, "top-up");
        return moved;
      }),
  );

  app.post(
    "/accounts/:account/payments",
    {
      schema: {
        params: AccountPath,
        body: api.OnlinePayment,
        ...operatorAnswer(
          {
            summary: "Pays a payee online: of the balance, then of the credit line.",
            problems: [...PROBLEMS, "CURRENCY_DIFFERS", "PAYEE_UNKNOWN"],
          },
          api.MoneyAnswer,
        ),
      },
    },
    ({ params, body }) => answered(params, body, (order) => payOnline({ ...order, payeeId: body.payeeId }, context)),
  );
}
