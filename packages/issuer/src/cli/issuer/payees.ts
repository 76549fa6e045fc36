import { amount, currency, formatAmount, isPayeeId, type PayeeId, parseAmount } from "@cairn/messages";
import type { Command } from "commander";
import type { Payee } from "../../api/operator-api.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { formatTime, type Printer, table } from "../printer.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";

type CreateOptions = OperatorOptions & {
  readonly id: string;
  readonly name: string;
  readonly currency: string;
  readonly perPayment?: string;
  readonly stored?: string;
  readonly perCertificate?: string;
  readonly offlineDays?: number;
};

export function addPayeeCommands(issuer: Command): void {
  const payee = issuer.command("payee").description("Payees: who terminals collect for, and within which ceilings.");

  addCommand<CreateOptions>(
    payee,
    "create",
    "Register a payee. Ceilings that are left out take the server's defaults.",
    (command) =>
      withOperatorOptions(command)
        .requiredOption("--id <text>", "1 to 16 characters of A-Z, 0-9 and -")
        .requiredOption("--name <text>", "what payers see before they consent")
        .option("--currency <code>", "ISO 4217 code", "EUR")
        .option("--per-payment <amount>", "most that one payment may take")
        .option("--stored <amount>", "most that a terminal may hold without an upload")
        .option("--per-certificate <amount>", "most that is paid without review for one certificate in conflict")
        .option("--offline-days <days>", "how old a terminal's lists may be", wholeNumber(1)),
    async (printer, options) => {
      const client = await operatorClient(options);
      const of = currency(options.currency);
      const minor = (text: string): bigint => parseAmount(text, of).minor;
      const created = await client.createPayee({
        payeeId: payeeIdOf(options.id),
        name: options.name,
        currency: of,
        ...(options.perPayment === undefined ? {} : { perPaymentCapMinor: minor(options.perPayment) }),
        ...(options.stored === undefined ? {} : { storedTotalCapMinor: minor(options.stored) }),
        ...(options.perCertificate === undefined ? {} : { perCertificateCapMinor: minor(options.perCertificate) }),
        ...(options.offlineDays === undefined ? {} : { maximumOfflineSeconds: options.offlineDays * 86_400 }),
      });
      showPayee(printer, created);
    },
  );

  addCommand<OperatorOptions>(payee, "list", "All payees.", withOperatorOptions, async (printer, options) => {
    const payees = await (await operatorClient(options)).payees();
    for (const line of table([
      ["payee", "name", "currency"],
      ...payees.map((each) => [each.payeeId, each.name, each.currency]),
    ]))
      printer.line(line);
    printer.result({ payees });
  });

  addCommand<OperatorOptions>(
    payee,
    "show <payee>",
    "One payee with its ceilings.",
    withOperatorOptions,
    async (printer, options, id = "") => {
      showPayee(printer, await (await operatorClient(options)).payee(payeeIdOf(id)));
    },
  );

  addCommand<OperatorOptions & { valid: number }>(
    payee,
    "code <payee>",
    "A one-time code with which one terminal enrols.",
    (command) =>
      withOperatorOptions(command).option("--valid <seconds>", "how long the code works", wholeNumber(1), 3_600),
    async (printer, options, id = "") => {
      const answer = await (await operatorClient(options)).createTerminalCode(payeeIdOf(id), {
        validitySeconds: options.valid,
      });
      printer.line(`${answer.code}   (works once, until ${formatTime(answer.expiresAt)} UTC)`);
      printer.result(answer);
    },
  );
}

export function payeeIdOf(text: string): PayeeId {
  if (isPayeeId(text)) return text;
  throw new CommandError({
    code: "PAYEE_ID_INVALID",
    sentence: `"${text}" is not a payee id.`,
    next: "Use 1 to 16 characters of A-Z, 0-9 and -.",
    exitCode: EXIT.usage,
  });
}

function showPayee(printer: Printer, payee: Payee): void {
  const money = (minor: bigint): string => formatAmount(amount(minor, payee.currency));
  printer.line(`Payee ${payee.payeeId} "${payee.name}"`);
  printer.line(
    `  at most ${money(payee.perPaymentCapMinor)} a payment, ${money(payee.storedTotalCapMinor)} stored, ${money(payee.perCertificateCapMinor)} for a certificate in conflict`,
  );
  printer.line(`  lists may be ${Math.floor(payee.maximumOfflineSeconds / 86_400)} days old`);
  printer.result({ payee });
}
