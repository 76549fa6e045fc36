import { Command, CommanderError } from "commander";
import { addIssuerCommands } from "./issuer/issuer.ts";
import { EXIT } from "./outcome.ts";
import { addTerminalCommands } from "./terminal/terminal.ts";
import { addWalletCommands } from "./wallet/wallet.ts";

/** The `cairn` command. Each party works on a data folder of its own, so each can be a process or a machine of its own. */
const program = new Command("cairn")
  .description("Payments where neither side has a network: issuer, wallet and terminal.")
  .version("0.1.0")
  .showHelpAfterError("Add --help for what is possible.")
  .configureHelp({ showGlobalOptions: false })
  .exitOverride();

addIssuerCommands(program);
addWalletCommands(program);
addTerminalCommands(program);

program.addHelpText(
  "after",
  `
Every command has --help and --json. Exit codes: 0 done, 1 something broke, 2 wrongly called, 3 turned away by a rule.

A first round:
  cairn issuer start --demo                 an issuer with demo accounts; says what to type next
  cairn wallet enrol --issuer URL --code C  a payer
  cairn terminal enrol --issuer URL --code C`,
);

try {
  await program.parseAsync();
} catch (error) {
  if (!(error instanceof CommanderError)) throw error;
  process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
}
