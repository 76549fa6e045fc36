import { Command, CommanderError } from "commander";
import { EXIT, type Failure } from "./outcome.ts";

const SEE_HELP = "Add --help for what is possible.";

/** A party's commands are loaded when they are asked for: a wallet need not wait for a server's libraries. */
const PARTIES = {
  issuer: async (program: Command) => (await import("./issuer/issuer.ts")).addIssuerCommands(program),
  ledger: async (program: Command) => (await import("./ledger/ledger.ts")).addLedgerCommands(program),
  wallet: async (program: Command) => (await import("./wallet/wallet.ts")).addWalletCommands(program),
  policy: async (program: Command) => (await import("./policy/policy.ts")).addPolicyCommands(program),
  root: async (program: Command) => (await import("./root/root.ts")).addRootCommands(program),
  terminal: async (program: Command) => (await import("./terminal/terminal.ts")).addTerminalCommands(program),
};

/** Adds one party's commands. */
export type AddCommands = (program: Command) => Promise<void>;

/** Runs the `cairn` command, with more commands from whoever composes it. Each party works on a data folder of its own, so each can be a process or a machine of its own. */
export async function runProgram(
  argv: readonly string[],
  more: Readonly<Record<string, AddCommands>> = {},
): Promise<void> {
  // Whoever reads may stop early, as `head` does: the command does its work all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on("error", passOverBrokenPipe);
  const wantsJson = argv.includes("--json");
  const program = new Command("cairn")
    .description("Payments where neither side has a network: issuer, wallet and terminal.")
    .version("0.1.0")
    .showHelpAfterError(SEE_HELP)
    .configureHelp({ showGlobalOptions: false })
    .configureOutput(wantsJson ? { writeErr: () => undefined } : {})
    .exitOverride();
  const all = Object.entries<AddCommands>({ ...PARTIES, ...more });
  const wanted = all.filter(([party]) => argv[2] === party);
  for (const [, add] of wanted.length > 0 ? wanted : all) await add(program);
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
    await program.parseAsync(argv);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (wantsJson && error.exitCode !== 0) process.stdout.write(`${JSON.stringify(misuse(error), undefined, 2)}\n`);
  }
}

/** A command that was typed wrongly, in the form of every other failure. */
function misuse({ code, message }: CommanderError): Omit<Failure, "exitCode"> {
  const sentence = code === "commander.help" ? "A command is missing." : message.replace(/^error: /, "");
  return { ok: false, code: "WRONGLY_CALLED", sentence, next: SEE_HELP };
}

function passOverBrokenPipe(error: Error): void {
  if (!("code" in error) || error.code !== "EPIPE") throw error;
}
