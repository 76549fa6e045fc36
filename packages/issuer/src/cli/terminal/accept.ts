import type { Acceptance, AcceptanceOutcome, Terminal } from "@cairn/collect";
import {
  amount,
  formatAmount,
  IDENTIFIER_BYTES,
  identifierFromText,
  type MessageId,
  parseAmount,
  readCode,
} from "@cairn/messages";
import type { Command } from "commander";
import {
  type CodeSource,
  type CodeTarget,
  receiveCode,
  showCode,
  withCodeSource,
  withCodeTarget,
} from "../code-exchange.ts";
import { addCommand } from "../command.ts";
import { CommandError, EXIT, refused } from "../outcome.ts";
import { formatTime, type Printer } from "../printer.ts";
import { nextAfter } from "./charge.ts";
import { type TerminalOptions, withTerminal, withTerminalOptions } from "./open.ts";

type AcceptOptions = TerminalOptions & CodeSource & CodeTarget & { readonly capture?: string };

export function addAcceptCommands(terminal: Command): void {
  addCommand<AcceptOptions>(
    terminal,
    "accept [code]",
    "Check a payment and accept it, or say why not. Works offline. Shows a receipt for the payer to scan.",
    (command) =>
      withCodeSource(withCodeTarget(withTerminalOptions(command))).option(
        "--capture <amount>",
        "for an open payment: what to take of it now (without it, later with: cairn terminal capture)",
      ),
    async (printer, options, argument) => {
      const code = await receiveCode(argument, options);
      const { outcome, currency } = await withTerminal(options, async (opened) => {
        const { currency } = (await opened.standing()).payee.terms;
        return {
          currency,
          outcome: await offer(
            opened,
            code,
            options.capture === undefined ? undefined : parseAmount(options.capture, currency).minor,
          ),
        };
      });
      if (outcome.kind === "refused") throw refusal(outcome);
      const { acceptance, guaranteed, receiptCode } = outcome;
      const taken = acceptance.takenMinor;
      printer.line(
        `ACCEPTED ${formatAmount(amount(taken ?? acceptance.amountMinor, currency))}${taken === undefined ? " at most; capture the amount with: cairn terminal capture" : ""}`,
      );
      printer.line(guaranteed ? "Guaranteed by the issuer." : `At your own risk: ${acceptance.risk}`);
      const shown = receiptCode === undefined ? {} : await showReceipt(receiptCode, options, printer);
      printer.result({
        paymentId: acceptance.paymentId,
        amountMinor: acceptance.amountMinor,
        takenMinor: taken ?? null,
        currency,
        guaranteed,
        ...shown,
      });
    },
  );

  addCommand<TerminalOptions & CodeTarget>(
    terminal,
    "capture <payment> <amount>",
    "Fix what an accepted open payment takes: once, at most its maximum.",
    (command) => withCodeTarget(withTerminalOptions(command)),
    async (printer, options, id = "", text = "") => {
      const paymentId = identifierFromText<MessageId>(id, IDENTIFIER_BYTES.messageId);
      if (paymentId === undefined) {
        throw new CommandError({
          code: "ID_INVALID",
          sentence: `"${id}" is not the id of a payment.`,
          next: "See: cairn terminal history",
          exitCode: EXIT.usage,
        });
      }
      const { outcome, taken } = await withTerminal(options, async (opened) => {
        const taken = parseAmount(text, (await opened.standing()).payee.terms.currency);
        return { taken, outcome: await opened.capture(paymentId, taken.minor) };
      });
      if (outcome.kind === "refused") throw refused(outcome.refusal);
      printer.line(`CAPTURED ${formatAmount(taken)}`);
      const shown = await showReceipt(outcome.receiptCode, options, printer);
      printer.result({ paymentId, takenMinor: taken.minor, currency: taken.currency, ...shown });
    },
  );
}

/** One scanner for both kinds: a payment for a request, or an open payment. Whatever it is not, `accept` refuses. */
function offer(terminal: Terminal, code: string, captureMinor: bigint | undefined): Promise<AcceptanceOutcome> {
  if (!isOpenPayment(code)) return terminal.accept(code);
  return terminal.acceptOpen(code, captureMinor === undefined ? {} : { captureMinor });
}

function isOpenPayment(code: string): boolean {
  try {
    return readCode(code).type === "open-payment";
  } catch {
    return false;
  }
}

function refusal(outcome: Extract<AcceptanceOutcome, { kind: "refused" }>): CommandError {
  const { refusal: why, earlier } = outcome;
  return refused(
    why,
    earlier === undefined
      ? nextAfter(why.code)
      : `It was accepted at ${formatTime(earlier.acceptedAt)} UTC${orderOf(earlier)}.`,
  );
}

function orderOf({ requestId }: Acceptance): string {
  return requestId === undefined ? "" : ` for request ${requestId.slice(0, 16)}`;
}

async function showReceipt(
  code: string,
  options: CodeTarget,
  printer: Printer,
): Promise<{ receipt: string; png?: string }> {
  printer.line("Receipt for the payer:");
  const { code: receipt, ...rest } = await showCode(code, options, printer);
  return { receipt, ...rest };
}
