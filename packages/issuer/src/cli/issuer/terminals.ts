import { IDENTIFIER_BYTES, type TerminalId } from "@cairn/messages";
import type { Command } from "commander";
import type { Terminal } from "../../api/operator-api.ts";
import { addCommand } from "../command.ts";
import { idOf } from "../identifier-argument.ts";
import { formatTime, table } from "../printer.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";
import { payeeIdOf } from "./payees.ts";

/** Which terminals there are, and stolen ones. A terminal's own commands are `cairn terminal`. */
export function addTerminalControlCommands(issuer: Command): void {
  const terminal = issuer.command("terminal").description("Payees' terminals: which there are, stolen and found.");

  addCommand<OperatorOptions>(
    terminal,
    "list <payee>",
    "The payee's terminals, in the order of enrolment.",
    withOperatorOptions,
    async (printer, options, id = "") => {
      const terminals = await (await operatorClient(options)).terminals(payeeIdOf(id));
      for (const line of table([
        ["terminal", "enrolled", "state", "label"],
        ...terminals.map((each) => [each.terminalId, formatTime(each.enrolledAt), stateOf(each), each.label]),
      ]))
        printer.line(line);
      printer.result({ terminals });
    },
  );

  for (const [name, status, description, told] of [
    [
      "block",
      "frozen",
      "Shut a stolen terminal out: it uploads nothing, gives nothing back, and its certificate is not renewed.",
      "Blocked. What it took before still settles: by the payers' copies with its receipts, or by its journal (import-journal).",
    ],
    [
      "unblock",
      "active",
      "Let a blocked terminal in again: it brings what it holds and collects as before.",
      "Unblocked: it brings what it holds with its next upload.",
    ],
  ] as const)
    addCommand<OperatorOptions>(
      terminal,
      `${name} <terminal>`,
      description,
      withOperatorOptions,
      async (printer, options, id = "") => {
        const client = await operatorClient(options);
        const terminalId = idOf<TerminalId>(id, IDENTIFIER_BYTES.terminalId, "terminal");
        const changed = await client.setTerminalStatus(terminalId, status);
        printer.line(`Terminal ${changed.terminalId} "${changed.label}" of payee ${changed.payeeId}.`);
        printer.line(told);
        printer.result({ terminal: changed });
      },
    );
}

const stateOf = ({ status }: Terminal): string => (status === "frozen" ? "BLOCKED" : "active");
