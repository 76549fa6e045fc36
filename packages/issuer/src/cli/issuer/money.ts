import { randomUUID } from "node:crypto";
import { amount, formatAmount, IDENTIFIER_BYTES, isPayeeId, type MessageId, parseAmount } from "@cairn/messages";
import type { Command } from "commander";
import { MoneyClient } from "../../client/money-client.ts";
import { addCommand } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { type OperatorOptions, operatorAccess, operatorClient, withOperatorOptions } from "./operator.ts";

type MoneyOptions = OperatorOptions & { readonly key?: string };
type Order = { readonly amountMinor: bigint; readonly idempotencyKey: string };
type Send = (client: MoneyClient, account: number, order: Order) => ReturnType<MoneyClient["withdraw"]>;

/** Money that moves online. */
export function addMoneyCommands(issuer: Command): void {
  const money = issuer
    .command("money")
    .description("Move money online. What is promised to offline payments stays where it is.");

  addMove(money, "withdraw <account> <amount>", "Pay money out of an account's balance.", (text) => {
    const [account = "", sum = ""] = text;
    return { account, sum, send: (client, from, order) => client.withdraw(from, order) };
  });
  addMove(money, "transfer <account> <to> <amount>", "Move money to another account.", (text) => {
    const [account = "", to = "", sum = ""] = text;
    return { account, sum, send: (client, from, order) => client.transfer(from, { ...order, to: numberIn(to) }) };
  });
  addMove(money, "pay <account> <payee> <amount>", "Pay a payee: of the balance, then of the credit.", (text) => {
    const [account = "", payeeId = "", sum = ""] = text;
    if (!isPayeeId(payeeId)) throw wrong("PAYEE_ID_INVALID", `"${payeeId}" is not a payee id.`);
    return { account, sum, send: (client, from, order) => client.pay(from, { ...order, payeeId }) };
  });
  addRefund(money);
}

function addRefund(money: Command): void {
  addCommand<MoneyOptions>(
    money,
    "refund <payment> <amount>",
    "Give a settled payment back, in full or in part, at the payee's expense.",
    (command) =>
      withOperatorOptions(command).option("--key <text>", "idempotency key: the same key gives back once, ever"),
    async (printer, options, id = "", sum = "") => {
      const paymentId = idOf<MessageId>(id, IDENTIFIER_BYTES.messageId, "payment");
      const { payment } = await (await operatorClient(options)).evidence(paymentId);
      if (payment === null || payment.currency === null) throw wrong("PAYMENT_UNKNOWN", "There is no such payment.");
      const order = {
        amountMinor: parseAmount(sum, payment.currency).minor,
        idempotencyKey: options.key ?? randomUUID(),
      };
      const answer = await new MoneyClient(await operatorAccess(options)).refund(paymentId, order);
      printer.line(answer.repeated ? "This key was used for it before; nothing moved." : "Given back.");
      printer.result(answer);
    },
  );
}

function addMove(
  money: Command,
  usage: string,
  about: string,
  read: (text: readonly string[]) => { account: string; sum: string; send: Send },
): void {
  addCommand<MoneyOptions>(
    money,
    usage,
    about,
    (command) =>
      withOperatorOptions(command).option("--key <text>", "idempotency key: the same key moves money once, ever"),
    async (printer, options, ...text) => {
      const { account, sum, send } = read(text);
      const from = numberIn(account);
      const { currency } = await (await operatorClient(options)).account(from);
      const order = { amountMinor: parseAmount(sum, currency).minor, idempotencyKey: options.key ?? randomUUID() };
      const answer = await send(new MoneyClient(await operatorAccess(options)), from, order);
      const left = formatAmount(amount(answer.account.balanceMinor, currency));
      printer.line(answer.repeated ? "This key was used for it before; nothing moved." : `Done. Balance: ${left}`);
      printer.result(answer);
    },
  );
}

function numberIn(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw wrong("ACCOUNT_INVALID", `"${text}" is not an account number.`);
}

const wrong = (code: string, sentence: string): CommandError =>
  new CommandError({ code, sentence, next: "See cairn issuer money --help.", exitCode: EXIT.usage });
