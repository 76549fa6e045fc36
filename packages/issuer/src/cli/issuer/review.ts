import { IDENTIFIER_BYTES, type MessageId } from "@cairn/messages";
import type { Command } from "commander";
import { addCommand } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";

/** What `cairn issuer held` lists is decided here. */
export function addReviewCommands(issuer: Command): void {
  for (const [decision, about] of [
    ["release", "Pay a held payment to its payee, for a reason that is kept."],
    ["reject", "Refuse a held payment for good, for a reason that is kept."],
  ] as const)
    addCommand<OperatorOptions & { reason: string }>(
      issuer,
      `${decision} <payment>`,
      about,
      (command) => withOperatorOptions(command).requiredOption("--reason <text>", "why, for the records"),
      async (printer, options, id = "") => {
        const paymentId = idOf<MessageId>(id, IDENTIFIER_BYTES.messageId, "payment");
        const payment = await (await operatorClient(options)).review(paymentId, { decision, reason: options.reason });
        printer.line(`${payment.state}: ${payment.sentence}`);
        printer.result({ payment });
      },
    );
}
