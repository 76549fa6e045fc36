import type { HistoryEntry } from "@cairn/collect";
import { amount, formatAmount } from "@cairn/messages";
import type { Command } from "commander";
import { addCommand, wholeNumber } from "../command.ts";
import { counted, formatTime, table } from "../printer.ts";
import { type TerminalOptions, withTerminal, withTerminalOptions } from "./open.ts";

export function addLookCommands(terminal: Command): void {
  addCommand<TerminalOptions & { last: number }>(
    terminal,
    "history",
    "What was accepted, asked for and refused here, newest first, with each payment's state.",
    (command) => withTerminalOptions(command).option("--last <count>", "how many at most", wholeNumber(1), 100),
    async (printer, options) => {
      const { entries, currency } = await withTerminal(options, async (opened) => ({
        currency: (await opened.standing()).payee.terms.currency,
        entries: await opened.history({ limit: options.last }),
      }));
      const money = (minor: bigint): string => formatAmount(amount(minor, currency));
      const payments = entries.filter((entry) => entry.kind === "payment").map(paymentOf);
      const requests = entries
        .filter((entry) => entry.kind === "request")
        .map(({ requestId, state, at, request }) => ({
          requestId,
          state,
          at,
          amountMinor: request.amountMinor,
          reference: request.orderReference ?? null,
        }));
      const refusedPayments = entries
        .filter((entry) => entry.kind === "refused")
        .map(({ refused }) => ({
          paymentId: refused.paymentId,
          code: refused.code,
          at: refused.refusedAt,
          amountMinor: refused.amountMinor,
        }));
      const rows = [
        ...payments.map((each) => [
          formatTime(each.at),
          "payment",
          money(each.takenMinor ?? each.amountMinor),
          each.reference ?? "",
          each.state,
          each.paymentId,
        ]),
        ...requests.map((each) => [
          formatTime(each.at),
          "request",
          money(each.amountMinor),
          each.reference ?? "",
          each.state,
          each.requestId,
        ]),
        ...refusedPayments.map((each) => [
          formatTime(each.at),
          "refused",
          money(each.amountMinor),
          "",
          each.code,
          each.paymentId,
        ]),
      ];
      rows.sort((left, right) => (right[0] ?? "").localeCompare(left[0] ?? ""));
      for (const line of table([["time (UTC)", "what", "amount", "reference", "state", "id"], ...rows], [2]))
        printer.line(line);
      printer.result({ currency, payments, requests, refused: refusedPayments });
    },
  );

  addCommand<TerminalOptions>(
    terminal,
    "status",
    "Who this terminal collects for, what it may still store, how fresh its lists are.",
    withTerminalOptions,
    async (printer, options) => {
      const { standing, issuers, totals } = await withTerminal(options, async (opened) => ({
        standing: await opened.standing(),
        issuers: await opened.issuers(),
        totals: await opened.totals({}),
      }));
      const { payee, stored, storableMinor } = standing;
      const money = (minor: bigint): string => formatAmount(amount(minor, payee.terms.currency));
      printer.line(`${payee.terms.name} (${payee.payeeId}), certificate until ${formatTime(payee.expiresAt)} UTC`);
      printer.line(
        `  stored, not uploaded: ${counted(stored.count, "payment")}, ${money(stored.totalMinor)}; room for ${money(storableMinor)}`,
      );
      printer.line(
        `  list of withdrawn certificates is ${Math.floor(standing.statusListAgeSeconds / 3600)} hours old${standing.isStatusListStale ? ": TOO OLD, go online (cairn terminal upload)" : ""}`,
      );
      for (const guest of issuers.slice(1)) {
        const hours = Math.floor(guest.statusListAgeSeconds / 3600);
        const state = guest.isTrusted
          ? `list is ${hours} hours old${guest.isStatusListStale ? ": TOO OLD" : ""}`
          : "NOT TRUSTED any more";
        printer.line(`  also of ${guest.name} (${guest.issuerId}): ${state}`);
      }
      for (const { state, count, totalMinor } of totals.byState)
        printer.line(`  ${state}: ${counted(count, "payment")}, ${money(totalMinor)}`);
      printer.result({
        issuers,
        payeeId: payee.payeeId,
        name: payee.terms.name,
        currency: payee.terms.currency,
        stored,
        storableMinor,
        statusListAgeSeconds: standing.statusListAgeSeconds,
        isStatusListStale: standing.isStatusListStale,
        trustListExpiresAt: standing.trustListExpiresAt,
        totals,
      });
    },
  );
}

function paymentOf({ acceptance, state, guaranteed, at, orderReference }: Extract<HistoryEntry, { kind: "payment" }>) {
  const { paymentId, kind, amountMinor, takenMinor, answer } = acceptance;
  return {
    paymentId,
    kind,
    at,
    state,
    guaranteed,
    amountMinor,
    takenMinor: takenMinor ?? null,
    reference: orderReference ?? null,
    code: answer?.code ?? null,
    sentence: answer?.sentence ?? "Not uploaded yet.",
  };
}
