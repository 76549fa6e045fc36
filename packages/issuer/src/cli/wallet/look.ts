import { amount, formatAmount } from "@cairn/messages";
import { history, walletStatus } from "@cairn/pay";
import type { Command } from "commander";
import { addCommand } from "../command.ts";
import { formatTime, table } from "../printer.ts";
import { type WalletOptions, withWallet, withWalletOptions } from "./open.ts";

export function addLookCommands(wallet: Command): void {
  addCommand<WalletOptions>(
    wallet,
    "history",
    "Every payment with its state, newest first.",
    withWalletOptions,
    async (printer, options) => {
      const entries = await withWallet(options, history);
      const rows = entries.map((each) => [
        formatTime(each.preparedAt),
        formatAmount(each.takenMinor === undefined ? each.amount : amount(each.takenMinor, each.amount.currency)),
        each.payee?.name ?? "(open)",
        each.orderReference ?? "",
        each.voided && each.outcome === undefined ? "voided" : each.state,
        each.paymentId.slice(0, 16),
      ]);
      for (const line of table([["time (UTC)", "amount", "payee", "reference", "state", "payment"], ...rows], [1]))
        printer.line(line);
      const payments = entries.map(
        ({ amount: of, payee, orderReference, requestId, outcome, takenMinor, ...rest }) => ({
          ...rest,
          amountMinor: of.minor,
          currency: of.currency,
          takenMinor: takenMinor ?? null,
          payee: payee?.name ?? null,
          payeeId: payee?.payeeId ?? null,
          reference: orderReference ?? null,
          requestId: requestId ?? null,
          code: outcome?.code ?? null,
          sentence: outcome?.sentence ?? null,
        }),
      );
      printer.result({ payments });
    },
  );

  addCommand<WalletOptions>(
    wallet,
    "status",
    "What is left to pay with offline, and until when.",
    withWalletOptions,
    async (printer, options) => {
      const status = await withWallet(options, walletStatus);
      const money = (minor: bigint): string => formatAmount(amount(minor, status.currency));
      printer.line(`Issuer "${status.issuerName}"`);
      if (status.holdings.length === 0)
        printer.line("  no certificate yet; when there is a network: cairn wallet sync");
      const certificates = status.holdings.map(({ certificate, state, spentMinor, remainingMinor }) => ({
        certificateId: certificate.certificateId,
        state,
        limitMinor: certificate.terms.limitMinor,
        perPaymentCapMinor: certificate.terms.perPaymentCapMinor,
        spentMinor,
        remainingMinor,
        expiresAt: certificate.expiresAt,
      }));
      for (const each of certificates) {
        printer.line(
          `  ${each.state}: ${money(each.remainingMinor)} left of ${money(each.limitMinor)}, at most ${money(each.perPaymentCapMinor)} at once, until ${formatTime(each.expiresAt)} UTC`,
        );
      }
      printer.result({ issuerName: status.issuerName, currency: status.currency, certificates });
    },
  );
}
