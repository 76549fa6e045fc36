import { nodeCrypto } from "@cairn/cose/node";
import { amount, formatAmount, IDENTIFIER_BYTES, type MessageId, parseAmount } from "@cairn/messages";
import type { Command } from "commander";
import { IssuerClient } from "../../client/issuer-client.ts";
import { addCommand } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { issuerAddress } from "../issuer-address.ts";
import { type TerminalOptions, withTerminal, withTerminalOptions } from "./open.ts";

type RefundOptions = TerminalOptions & { readonly key: string };

/** What was paid here goes back, at the payee's expense. */
export function addRefundCommand(terminal: Command): void {
  addCommand<RefundOptions>(
    terminal,
    "refund <payment> [amount]",
    "Give a settled payment of this payee back, in full or in part; without an amount: how much was given back.",
    (command) =>
      withTerminalOptions(command).option(
        "--key <text>",
        "names this refund: the same one is never given back twice; another part needs another name",
        "1",
      ),
    async (printer, options, payment = "", wanted) => {
      const paymentId = idOf<MessageId>(payment, IDENTIFIER_BYTES.messageId, "payment");
      const { answer, amountMinor, money } = await withTerminal(options, async (opened, { path, signer }) => {
        const { currency } = (await opened.standing()).payee.terms;
        const client = new IssuerClient({ url: await issuerAddress(path, "terminal"), signer, crypto: nodeCrypto() });
        const amountMinor = wanted === undefined ? 0n : parseAmount(wanted, currency).minor;
        return {
          amountMinor,
          answer: await client.refund({ paymentId, amountMinor, key: options.key }),
          money: (minor: bigint) => formatAmount(amount(minor, currency)),
        };
      });
      if (wanted !== undefined)
        printer.line(
          answer.repeated ? "This was given back before: nothing moved." : `Gave back ${money(amountMinor)}.`,
        );
      printer.line(`${money(answer.refundedMinor)} of ${money(answer.takenMinor)} given back.`);
      printer.result(answer);
    },
  );
}
