import { createInterface } from "node:readline/promises";
import { amount, formatAmount, isPayeeId, type PayeeId, parseAmount } from "@cairn/messages";
import {
  acceptReceipt,
  acceptVoid,
  consentTo,
  pay,
  payOpen,
  type RequestReview,
  reviewRequest,
  walletStatus,
} from "@cairn/pay";
import type { Command } from "commander";
import {
  type CodeSource,
  type CodeTarget,
  receiveCode,
  showCode,
  withCodeSource,
  withCodeTarget,
} from "../code-exchange.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { CommandError, EXIT, refused } from "../outcome.ts";
import type { Printer } from "../printer.ts";
import { type WalletOptions, withWallet, withWalletOptions } from "./open.ts";

type PayOptions = WalletOptions & CodeSource & CodeTarget & { readonly yes?: boolean };
type OpenOptions = WalletOptions & CodeTarget & { readonly to?: string; readonly valid?: number };

export function addPayCommands(wallet: Command): void {
  addCommand<PayOptions>(
    wallet,
    "pay [request]",
    "Pay a request: shows who asks and how much, asks for consent, shows the payment code. Works offline.",
    (command) =>
      withCodeSource(withCodeTarget(withWalletOptions(command))).option("--yes", "consent without being asked"),
    async (printer, options, argument) => {
      const code = await receiveCode(argument, options);
      const { review, paid } = await withWallet(options, async (ports) => {
        const review = await reviewRequest(ports, code);
        if (review.kind === "refused") throw refused(review.refusal, nextAfter(review.refusal.code));
        await askConsent(review, options, printer);
        const paid = await pay(ports, { review, consent: consentTo(review) });
        if (paid.kind === "refused") throw refused(paid.refusal, nextAfter(paid.refusal.code));
        return { review, paid };
      });
      printer.line(
        paid.repeated ? "This request was paid before. The same payment again:" : "Paid. Let the payee scan this:",
      );
      const shown = await showCode(paid.codeText, options, printer);
      const { amount: paidAmount, payeeName, payeeId, orderReference } = review;
      printer.result({
        paymentId: paid.paymentId,
        payee: payeeName,
        payeeId,
        amountMinor: paidAmount.minor,
        currency: paidAmount.currency,
        reference: orderReference ?? null,
        repeated: paid.repeated,
        ...shown,
      });
    },
  );

  addCommand<OpenOptions>(
    wallet,
    "pay-open <maximum>",
    "Offer up to an amount to whoever captures it within a minute: for gates and vending. Works offline.",
    (command) =>
      withCodeTarget(withWalletOptions(command))
        .option("--to <payee>", "only this payee id may capture it: safer where you know it")
        .option("--valid <seconds>", "how long it can be captured, at most 300", wholeNumber(1)),
    async (printer, options, text = "") => {
      const audience = options.to === undefined ? undefined : payeeIdOf(options.to);
      const { maximum, paid } = await withWallet(options, async (ports) => {
        const maximum = parseAmount(text, (await walletStatus(ports)).currency);
        const paid = await payOpen(ports, {
          maximum,
          ...(audience === undefined ? {} : { audience }),
          ...(options.valid === undefined ? {} : { validitySeconds: options.valid }),
        });
        if (paid.kind === "refused") throw refused(paid.refusal, nextAfter(paid.refusal.code));
        return { maximum, paid };
      });
      printer.line(`Up to ${formatAmount(maximum)}. Let the gate scan this now:`);
      const shown = await showCode(paid.codeText, options, printer);
      printer.result({
        paymentId: paid.paymentId,
        maximumMinor: maximum.minor,
        currency: maximum.currency,
        expiresAt: paid.expiresAt,
        ...shown,
      });
    },
  );

  addCommand<WalletOptions & CodeSource>(
    wallet,
    "receipt [code]",
    "Keep the payee's receipt: with it the payment settles even when the terminal never comes home.",
    (command) => withCodeSource(withWalletOptions(command)),
    async (printer, options, argument) => {
      const code = await receiveCode(argument, options);
      const { kept, currency } = await withWallet(options, async (ports) => ({
        kept: await acceptReceipt(ports, code),
        currency: (await walletStatus(ports)).currency,
      }));
      if (kept.kind === "refused") throw refused(kept.refusal);
      printer.line(`${kept.payeeName} confirms ${formatAmount(amount(kept.takenMinor, currency))}.`);
      printer.result({ paymentId: kept.paymentId, payee: kept.payeeName, takenMinor: kept.takenMinor, currency });
    },
  );

  addCommand<WalletOptions & CodeSource>(
    wallet,
    "void [code]",
    "Keep the payee's word that it will never accept a payment: it comes back at the next sync.",
    (command) => withCodeSource(withWalletOptions(command)),
    async (printer, options, argument) => {
      const code = await receiveCode(argument, options);
      const { kept, currency } = await withWallet(options, async (ports) => ({
        kept: await acceptVoid(ports, code),
        currency: (await walletStatus(ports)).currency,
      }));
      if (kept.kind === "refused") throw refused(kept.refusal);
      printer.line(
        `${kept.payeeName} gives ${formatAmount(amount(kept.amountMinor, currency))} back. Sync when there is a network.`,
      );
      printer.result({ paymentId: kept.paymentId, payee: kept.payeeName, amountMinor: kept.amountMinor, currency });
    },
  );
}

/** Shows who and how much, and takes only a yes for a yes. */
async function askConsent(review: RequestReview, options: PayOptions, printer: Printer): Promise<void> {
  const reference = review.orderReference === undefined ? "" : ` (${review.orderReference})`;
  const question = `Pay ${formatAmount(review.amount)} to ${review.payeeName}${reference}?`;
  printer.line(question);
  if (options.yes === true) return;
  if (printer.json || !process.stdin.isTTY) {
    throw new CommandError({
      code: "CONSENT_NEEDED",
      sentence: `Nobody was there to answer: ${question}`,
      next: "Look at the request, then add --yes.",
      exitCode: EXIT.usage,
    });
  }
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await asking.question("Type yes to pay: ");
  asking.close();
  if (answer.trim().toLowerCase() !== "yes") {
    throw new CommandError({ code: "CONSENT_REFUSED", sentence: "Nothing was paid.", exitCode: EXIT.refused });
  }
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

/** What a payer can do about the refusals that have a way out. */
function nextAfter(code: string): string | undefined {
  switch (code) {
    case "NO_CERTIFICATE":
    case "CERTIFICATE_EXPIRED":
    case "TRUST_LIST_EXPIRED":
      return "When there is a network: cairn wallet sync";
    case "LIMIT_EXCEEDED":
      return "See what is left with: cairn wallet status   A sync brings a new limit.";
    default:
      return undefined;
  }
}
