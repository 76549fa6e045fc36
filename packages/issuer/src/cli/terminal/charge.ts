import { formatAmount, IDENTIFIER_BYTES, identifierFromText, type MessageId, parseAmount } from "@cairn/messages";
import type { Command } from "commander";
import { type CodeTarget, showCode, withCodeTarget } from "../code-exchange.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { CommandError, EXIT, refused } from "../outcome.ts";
import { type TerminalOptions, withTerminal, withTerminalOptions } from "./open.ts";

type ChargeOptions = TerminalOptions & CodeTarget & { readonly reference?: string; readonly valid?: number };

export function addChargeCommands(terminal: Command): void {
  addCommand<ChargeOptions>(
    terminal,
    "charge <amount>",
    "Ask for a payment: shows a request for the payer to scan. Works offline.",
    (command) =>
      withCodeTarget(withTerminalOptions(command))
        .option("--reference <text>", "an order number or table, at most 32 bytes; the payer sees it")
        .option("--valid <seconds>", "how long the request can be paid, at most 3600", wholeNumber(1)),
    async (printer, options, text = "") => {
      const { requestId, amount, code } = await withTerminal(options, async (opened) => {
        const { currency } = (await opened.standing()).payee.terms;
        const amount = parseAmount(text, currency);
        const charged = await opened.charge({
          amount,
          ...(options.reference === undefined ? {} : { orderReference: options.reference }),
          ...(options.valid === undefined ? {} : { validitySeconds: options.valid }),
        });
        if (charged.kind === "refused") throw refused(charged.refusal, nextAfter(charged.refusal.code));
        return { requestId: charged.requestId, amount, code: charged.codeText };
      });
      printer.line(`Request for ${formatAmount(amount)}. Let the payer scan it, then: cairn terminal accept`);
      const shown = await showCode(code, options, printer);
      printer.result({ requestId, amountMinor: amount.minor, currency: amount.currency, ...shown });
    },
  );

  addCommand<TerminalOptions & CodeTarget>(
    terminal,
    "void <request>",
    "Give up on a request for good: no payment for it will be accepted, and the payer gets it back.",
    (command) => withCodeTarget(withTerminalOptions(command)),
    async (printer, options, id = "") => {
      const requestId = identifierFromText<MessageId>(id, IDENTIFIER_BYTES.messageId);
      if (requestId === undefined) {
        throw new CommandError({
          code: "ID_INVALID",
          sentence: `"${id}" is not the id of a request.`,
          next: "See: cairn terminal history",
          exitCode: EXIT.usage,
        });
      }
      const outcome = await withTerminal(options, (opened) => opened.voidRequest(requestId));
      if (outcome.kind === "refused") throw refused(outcome.refusal);
      printer.line("The request is void. If the payer has paid it already, let them scan this:");
      const shown = await showCode(outcome.codeText, options, printer);
      printer.result({ requestId, ...shown });
    },
  );
}

/** What a cashier can do about the refusals that have a way out. */
export function nextAfter(code: string): string | undefined {
  switch (code) {
    case "STATUS_LIST_STALE":
    case "TRUST_LIST_EXPIRED":
    case "STORED_TOTAL_REACHED":
    case "PAYEE_CERTIFICATE_EXPIRED":
      return "When there is a network: cairn terminal upload";
    case "REQUEST_EXPIRED":
    case "REQUEST_UNKNOWN":
    case "REQUEST_MISMATCH":
      return "Make a new request: cairn terminal charge AMOUNT";
    default:
      return undefined;
  }
}
