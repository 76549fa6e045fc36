import {
  amount,
  type CertificateId,
  formatAmount,
  formatMinor,
  IDENTIFIER_BYTES,
  type MessageId,
} from "@cairn/messages";
import type { Command } from "commander";
import type { Entry } from "../../api/operator-api.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { EXIT } from "../outcome.ts";
import { counted, formatTime, table } from "../printer.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";

export function addBookCommands(issuer: Command): void {
  addCommand<OperatorOptions & { last: number }>(
    issuer,
    "ledger",
    "Every posting, the balance of every account, and whether the books are sound.",
    (command) =>
      withOperatorOptions(command).option("--last <count>", "how many entries at most", wholeNumber(1), 1_000),
    async (printer, options) => {
      const client = await operatorClient(options);
      const entries = await client.entries({ limit: options.last });
      const balances = await client.trialBalance();
      const books = await client.verifyBooks();
      for (const line of table(
        [["entry", "time (UTC)", "what", "account", "debit", "credit"], ...entries.flatMap(entryRows)],
        [0, 4, 5],
      ))
        printer.line(line);
      printer.line("\nBalances (debit positive, credit negative)");
      for (const line of table(
        balances.map((each) => [each.ledgerAccount, `${formatMinor(each.minor, each.currency)} ${each.currency}`]),
        [1],
      ))
        printer.line(`  ${line}`);
      for (const [currency, sum] of sums(balances)) printer.line(`  sum of all ${currency}: ${sum}`);
      printer.line(
        books.faults.length === 0
          ? `Books are sound: ${counted(books.entries, "entry", "entries")} recomputed, every one sums to zero.`
          : `Books are NOT sound:\n${books.faults.join("\n")}`,
      );
      printer.result({ entries, balances, books });
      if (books.faults.length > 0) process.exitCode = EXIT.failed;
    },
  );

  addCommand<OperatorOptions>(
    issuer,
    "conflicts",
    "Devices proven to be cloned, with both signed messages as proof.",
    withOperatorOptions,
    async (printer, options) => {
      const conflicts = await (await operatorClient(options)).conflicts();
      if (conflicts.length === 0) printer.line("No conflicts.");
      for (const each of conflicts) {
        printer.line(
          `${formatTime(each.provenAt)} UTC  account ${each.account}, certificate ${each.certificateId} (${each.kind})${each.resolvedAt === null ? "" : ", resolved"}`,
        );
        printer.line(`  signed by the device: ${each.first}`);
        printer.line(`  signed by the device: ${each.second}`);
      }
      printer.result({ conflicts });
    },
  );

  addCommand<OperatorOptions>(
    issuer,
    "held",
    "Payments that wait for a person.",
    withOperatorOptions,
    async (printer, options) => {
      const payments = await (await operatorClient(options)).heldPayments();
      if (payments.length === 0) printer.line("Nothing is held.");
      for (const each of payments) {
        const taken =
          each.currency === null ? String(each.takenMinor) : formatAmount(amount(each.amountMinor, each.currency));
        printer.line(
          `${formatTime(each.decidedAt)} UTC  ${each.paymentId.slice(0, 16)}  ${taken}  ${each.code ?? ""}: ${each.sentence}`,
        );
      }
      printer.result({ payments });
    },
  );

  addCommand<OperatorOptions>(
    issuer,
    "evidence <payment>",
    "Everything that was received about one payment, byte for byte.",
    withOperatorOptions,
    async (printer, options, id = "") => {
      const evidence = await (await operatorClient(options)).evidence(
        idOf<MessageId>(id, IDENTIFIER_BYTES.messageId, "payment"),
      );
      printer.line(
        evidence.payment === null
          ? "No payment of this id was judged."
          : `${evidence.payment.state}: ${evidence.payment.sentence}`,
      );
      for (const each of evidence.records) {
        printer.line(`${formatTime(each.receivedAt)} UTC  from ${each.broughtBy} ${each.senderId}`);
        printer.line(`  ${Buffer.from(each.bytes).toString("hex")}`);
      }
      printer.result(evidence);
    },
  );

  addCommand<OperatorOptions & { reason: string }>(
    issuer,
    "revoke <certificate>",
    "Withdraw a certificate: terminals refuse it from their next sync on.",
    (command) =>
      withOperatorOptions(command).option("--reason <text>", "why, for the records", "withdrawn by the operator"),
    async (printer, options, id = "") => {
      const certificateId = idOf<CertificateId>(id, IDENTIFIER_BYTES.certificateId, "certificate");
      const answer = await (await operatorClient(options)).revoke(certificateId, options.reason);
      printer.line(answer.repeated ? "It was revoked already." : "Revoked; the new status list is published.");
      printer.result(answer);
    },
  );
}

function entryRows(entry: Entry): string[][] {
  return entry.postings.map(({ ledgerAccount, minor }, index) => [
    index === 0 ? String(entry.entryId) : "",
    index === 0 ? formatTime(entry.postedAt) : "",
    index === 0 ? entry.kind : "",
    ledgerAccount,
    minor > 0n ? formatMinor(minor, entry.currency) : "",
    minor < 0n ? formatMinor(-minor, entry.currency) : "",
  ]);
}

function sums(
  balances: readonly { readonly currency: Entry["currency"]; readonly minor: bigint }[],
): [string, string][] {
  const byCurrency = new Map<Entry["currency"], bigint>();
  for (const { currency, minor } of balances) byCurrency.set(currency, (byCurrency.get(currency) ?? 0n) + minor);
  return [...byCurrency].map(([currency, minor]) => [currency, formatMinor(minor, currency)]);
}
