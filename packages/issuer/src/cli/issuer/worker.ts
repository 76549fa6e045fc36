import type { Command } from "commander";
import type { LogLevel } from "../../options.ts";
import { addCommand } from "../command.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { findPassphrase } from "../passphrase.ts";
import type { Printer } from "../printer.ts";
import { DEFAULT_ISSUER_FOLDER } from "./operator.ts";
import { checkLogLevel, LOG_LEVELS, toldToStop } from "./running.ts";
import {
  ABOUT_CITUS_OPTION,
  ABOUT_STORE_OPTION,
  CITUS_OPTION,
  openNamedStore,
  STORE_OPTION,
  type StoreOptions,
} from "./store-option.ts";

type WorkerCommandOptions = StoreOptions & {
  readonly data: string;
  readonly policy?: string;
  readonly logLevel: LogLevel;
};

/** `cairn issuer worker`: settles beside the issuers that serve, on a database for several processes. */
export function addWorkerCommand(issuer: Command): void {
  addCommand<WorkerCommandOptions>(
    issuer,
    "worker",
    "Settle payments beside an issuer on the same PostgreSQL database, until told to stop. Any number share the work.",
    (command) =>
      command
        .option("--data <folder>", "the issuer's folder: its keys and trust list are read", DEFAULT_ISSUER_FOLDER)
        .option(STORE_OPTION, ABOUT_STORE_OPTION)
        .option(CITUS_OPTION, ABOUT_CITUS_OPTION)
        .option("--policy <file>", "issuing policy (JSON), the same as the issuer's; without it the built-in one")
        .option("--log-level <level>", `one of ${LOG_LEVELS.join(", ")}; log lines go to standard error`, "warn"),
    work,
  );
}

async function work(printer: Printer, options: WorkerCommandOptions): Promise<void> {
  checkLogLevel(options.logLevel);
  const { text: passphrase } = await findPassphrase(options.data);
  const store = await openNamedStore(options, printer);
  if (store === undefined)
    throw new CommandError({
      code: "STORE_MISSING",
      sentence: "The embedded database is for one process, which settles by itself.",
      next: "Name the PostgreSQL database of the issuer with --store.",
      exitCode: EXIT.usage,
    });
  const { startWorker } = await import("../../start-worker.ts");
  const worker = await startWorker({
    dataFolder: options.data,
    passphrase,
    store,
    logLevel: options.logLevel,
    logTo: process.stderr,
    ...(options.policy === undefined ? {} : { policyFile: options.policy }),
  });
  const told = toldToStop();
  try {
    printer.line("Settling. Stop it with Ctrl-C.");
    printer.result({ data: options.data });
    await told;
  } finally {
    printer.progress("Stopping: finishing what was begun...");
    await worker.close();
  }
}
