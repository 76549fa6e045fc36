import type { Command } from "commander";
import { addAcceptCommands } from "./accept.ts";
import { addChargeCommands } from "./charge.ts";
import { addLookCommands } from "./look.ts";
import { addOnlineCommands } from "./online.ts";
import { addRefundCommand } from "./refund.ts";

export function addTerminalCommands(program: Command): void {
  const terminal = program
    .command("terminal")
    .description("Collect payments: a till, a gate, a phone. Needs a network only to enrol and to upload.");
  addOnlineCommands(terminal);
  addChargeCommands(terminal);
  addAcceptCommands(terminal);
  addLookCommands(terminal);
  addRefundCommand(terminal);
}
