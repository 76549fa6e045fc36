import { rename, rm, writeFile } from "node:fs/promises";
import { formatMinor, isPayeeId, type PayeeId } from "@cairn/messages";
import type { Command } from "commander";
import { ReportClient } from "../../client/report-client.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { formatTime, table } from "../printer.ts";
import { type OperatorOptions, operatorAccess, withOperatorOptions } from "./operator.ts";

type PeriodOptions = OperatorOptions & { readonly from: string; readonly to: string };
type StatementOptions = PeriodOptions & {
  readonly account?: number;
  readonly payee?: string;
  readonly csv?: string;
  readonly camt?: string;
};

/** What accountants ask for. */
export function addReportCommands(issuer: Command): void {
  const withPeriod = (command: Command): Command =>
    withOperatorOptions(command)
      .requiredOption("--from <date>", "first day, YYYY-MM-DD (UTC), or a time in ISO 8601")
      .requiredOption("--to <date>", "the day after the last");

  addCommand<StatementOptions>(
    issuer,
    "statement",
    "A statement of an account or a payee: opening, what changed (balance and credit apart), closing.",
    (command) =>
      withPeriod(command)
        .option("--account <number>", "whose account", wholeNumber(1))
        .option("--payee <payee>", "or which payee's")
        .option("--csv <file>", "write it as CSV too")
        .option("--camt <file>", "write it as ISO 20022 camt.053.001.08 too"),
    async (printer, options) => {
      const client = new ReportClient(await operatorAccess(options));
      const [of, period] = [ownerOf(options), periodOf(options)];
      for (const [format, file] of [["csv", options.csv] as const, ["camt053", options.camt] as const]) {
        if (file === undefined) continue;
        printer.progress(`Writing ${file}...`);
        await writeWhole(file, await client.statementFile(of, period, format));
      }
      const told = await client.statement(of, period);
      const money = (minor: bigint): string => formatMinor(minor, told.currency);
      const rows = [
        { what: "opening", when: "", ...told.opening },
        ...told.lines.map((line) => ({ what: line.kind, when: formatTime(line.postedAt), ...line })),
        { what: "closing", when: "", ...told.closing },
      ].map(({ when, what, balanceMinor, creditUsedMinor }) => [
        when,
        what,
        money(balanceMinor),
        money(creditUsedMinor),
      ]);
      printer.line(`Statement of ${told.of}, ${told.currency}`);
      for (const line of table([["time (UTC)", "what", "balance", "credit used"], ...rows], [2, 3])) printer.line(line);
      printer.result({ statement: told });
    },
  );

  addCommand<PeriodOptions>(
    issuer,
    "reconcile",
    "What became of every payment that came in during a period: the lines add up to all of them.",
    withPeriod,
    async (printer, options) => {
      const answer = await new ReportClient(await operatorAccess(options)).reconciliation(periodOf(options));
      const rows = answer.lines.map(({ state, currency, payments, amountMinor, takenMinor }) => [
        state,
        payments.toString(),
        currency === null ? "" : formatMinor(amountMinor, currency),
        currency === null ? "" : formatMinor(takenMinor, currency),
        currency ?? "",
      ]);
      const all = ["all", answer.payments.toString(), "", "", ""];
      for (const line of table([["state", "payments", "signed", "credited", ""], ...rows, all], [1, 2, 3]))
        printer.line(line);
      printer.result(answer);
    },
  );
}

/** A file that breaks off is none: it has its name when all of it is there. */
async function writeWhole(file: string, bytes: ReadableStream<Uint8Array>): Promise<void> {
  const partial = `${file}.partial`;
  try {
    await writeFile(partial, bytes);
    await rename(partial, file);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

function periodOf({ from, to }: PeriodOptions): { readonly from: number; readonly to: number } {
  const [first, last] = [from, to].map((text) => Date.parse(text) / 1_000);
  if (first === undefined || last === undefined || !(first <= last))
    throw wrong("PERIOD_INVALID", "This is no period.", "Give two dates like 2026-11-01, the earlier one first.");
  return { from: Math.floor(first), to: Math.floor(last) };
}

function ownerOf({ account, payee }: StatementOptions): { readonly account: number } | { readonly payeeId: PayeeId } {
  if (account !== undefined && payee === undefined) return { account };
  if (account === undefined && payee !== undefined && isPayeeId(payee)) return { payeeId: payee };
  throw wrong("OWNER_INVALID", "Whose statement?", "Give either --account or --payee.");
}

const wrong = (code: string, sentence: string, next: string): CommandError =>
  new CommandError({ code, sentence, next, exitCode: EXIT.usage });
