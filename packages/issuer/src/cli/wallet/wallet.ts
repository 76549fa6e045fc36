import type { Command } from "commander";
import { addDeviceCommands } from "./devices.ts";
import { addListenCommand } from "./listen.ts";
import { addLookCommands } from "./look.ts";
import { addOnlineCommands } from "./online.ts";
import { addPayCommands } from "./pay.ts";

export function addWalletCommands(program: Command): void {
  const wallet = program.command("wallet").description("Pay. Needs a network only to enrol and to sync.");
  addOnlineCommands(wallet);
  addPayCommands(wallet);
  addLookCommands(wallet);
  addDeviceCommands(wallet);
  addListenCommand(wallet);
}
