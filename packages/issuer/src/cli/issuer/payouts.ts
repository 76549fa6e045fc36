import { writeFile } from "node:fs/promises";
import { currency, formatMinor, isPayeeId, type PayeeId, parseAmount } from "@cairn/messages";
import type { Command } from "commander";
import type { Batch } from "../../api/payout-api.ts";
import { PayoutClient } from "../../client/payout-client.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { counted, type Printer, table } from "../printer.ts";
import { type OperatorOptions, operatorAccess, operatorClient, withOperatorOptions } from "./operator.ts";

type TermsOptions = OperatorOptions & {
  readonly holder: string;
  readonly iban: string;
  readonly feeBasisPoints: number;
  readonly feeFixed: string;
  readonly feeMinimum: string;
  readonly feeMaximum?: string;
};
type ExportOptions = OperatorOptions & {
  readonly debtor: string;
  readonly iban: string;
  readonly date: string;
  readonly csv?: boolean;
  readonly out: string;
};

/** Payees are paid out. */
export function addPayoutCommands(issuer: Command): void {
  const payout = issuer.command("payout").description("Sweep what payees earned and pay it out to their banks.");
  const client = async (options: OperatorOptions) => new PayoutClient(await operatorAccess(options));

  addCommand<TermsOptions>(
    payout,
    "terms <payee>",
    "Say where a payee is paid out, and what each payout costs it.",
    (command) =>
      withOperatorOptions(command)
        .requiredOption("--holder <name>", "whose bank account it is")
        .requiredOption("--iban <iban>", "the bank account")
        .option("--fee-basis-points <count>", "share of the payout, in hundredths of a percent", wholeNumber(0), 0)
        .option("--fee-fixed <amount>", "added to the share", "0")
        .option("--fee-minimum <amount>", "never less than this", "0")
        .option("--fee-maximum <amount>", "never more than this"),
    async (printer, options, id = "") => {
      const payeeId = payeeIdOf(id);
      const { currency: of } = await (await operatorClient(options)).payee(payeeId);
      const minor = (text: string): string => parseAmount(text, of).minor.toString();
      const terms = await (await client(options)).setTerms(payeeId, {
        holder: options.holder,
        iban: options.iban.replaceAll(" ", ""),
        feeBasisPoints: options.feeBasisPoints,
        feeFixedMinor: minor(options.feeFixed),
        feeMinimumMinor: minor(options.feeMinimum),
        feeMaximumMinor: options.feeMaximum === undefined ? null : minor(options.feeMaximum),
      });
      printer.line(`${payeeId} is paid out to ${terms.iban}.`);
      printer.result({ terms });
    },
  );

  addCommand<OperatorOptions>(
    payout,
    "sweep",
    "Move what payees earned to their own accounts.",
    withOperatorOptions,
    async (printer, options) => {
      const swept = await (await client(options)).sweep();
      printer.line(`${counted(swept, "clearing account")} emptied.`);
      printer.result({ swept });
    },
  );

  addCommand<OperatorOptions & { currency: string }>(
    payout,
    "create <batch>",
    "Sweep, and order a payout for every payee with money and a bank account.",
    (command) => withOperatorOptions(command).option("--currency <code>", "ISO 4217 code", "EUR"),
    async (printer, options, batchId = "") =>
      show(printer, await (await client(options)).createBatch({ batchId, currency: currency(options.currency) })),
  );

  addCommand<OperatorOptions>(
    payout,
    "show <batch>",
    "One batch.",
    withOperatorOptions,
    async (printer, options, batchId = "") => show(printer, await (await client(options)).batch(batchId)),
  );

  addCommand<ExportOptions>(
    payout,
    "export <batch>",
    "Write a batch for the bank: ISO 20022 pain.001.001.09, or CSV.",
    (command) =>
      withOperatorOptions(command)
        .requiredOption("--debtor <name>", "whose money is paid out: yours")
        .requiredOption("--iban <iban>", "your bank account")
        .requiredOption("--date <date>", "when the bank is to pay, YYYY-MM-DD")
        .requiredOption("--out <file>", "where to write it")
        .option("--csv", "CSV instead of pain.001"),
    async (printer, options, batchId = "") => {
      const { document, batch } = await (await client(options)).exportBatch(batchId, {
        format: options.csv === true ? "csv" : "pain.001",
        debtorName: options.debtor,
        debtorIban: options.iban.replaceAll(" ", ""),
        executionDate: options.date,
      });
      await writeFile(options.out, document);
      printer.line(`${counted(batch.payouts.length, "payout")} written to ${options.out}.`);
      printer.result({ batch, file: options.out });
    },
  );

  for (const [state, about] of [
    ["paid", "The bank paid it."],
    ["returned", "The bank returned it: the money, and the fee, are the payee's again."],
  ] as const)
    addCommand<OperatorOptions & { reason?: string }>(
      payout,
      `${state} <batch> <payee>`,
      about,
      (command) => withOperatorOptions(command).option("--reason <text>", "what the bank says, for the records"),
      async (printer, options, batchId = "", id = "") => {
        const decision = { state, reason: options.reason ?? null };
        show(printer, await (await client(options)).decide(batchId, payeeIdOf(id), decision));
      },
    );
}

function show(printer: Printer, batch: Batch): void {
  printer.line(`Batch ${batch.batchId}: ${batch.state}`);
  const rows = batch.payouts.map(({ payeeId, grossMinor, feeMinor, netMinor, state, reason }) => [
    payeeId,
    ...[grossMinor, feeMinor, netMinor].map((minor) => formatMinor(minor, batch.currency)),
    state,
    reason ?? "",
  ]);
  for (const line of table([["payee", "gross", "fee", "net", "state", "reason"], ...rows], [1, 2, 3]))
    printer.line(line);
  printer.result({ batch });
}

function payeeIdOf(text: string): PayeeId {
  if (isPayeeId(text)) return text;
  throw new CommandError({
    code: "PAYEE_ID_INVALID",
    sentence: `"${text}" is not a payee id.`,
    next: "Use 1 to 16 characters of A-Z, 0-9 and -.",
    exitCode: EXIT.usage,
  });
}
