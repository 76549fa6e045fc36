import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import type { IssuerOptions, LogLevel, RunningIssuer } from "../../options.ts";
import { addCommand, wholeNumber } from "../command.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { findPassphrase } from "../passphrase.ts";
import type { Printer } from "../printer.ts";
import { createDemoAccounts } from "./demo-accounts.ts";
import { ADDRESS_FILE, DEFAULT_ISSUER_FOLDER } from "./operator.ts";
import { checkLogLevel, LOG_LEVELS, toldToStop } from "./running.ts";
import { openSources } from "./sources-option.ts";
import {
  ABOUT_CITUS_OPTION,
  ABOUT_STORE_OPTION,
  CITUS_OPTION,
  openNamedStore,
  STORE_OPTION,
  type StoreOptions,
} from "./store-option.ts";

type StartOptions = StoreOptions & {
  readonly data: string;
  readonly host: string;
  readonly port: number;
  readonly id: string;
  readonly name: string;
  readonly publicUrl?: string;
  readonly offlineRoot?: string;
  readonly creditSource?: string;
  readonly accountSource?: string;
  readonly policy?: string;
  readonly receiving: boolean;
  readonly tillRefunds: boolean;
  readonly logLevel: LogLevel;
  readonly demo?: boolean;
  readonly apiOnly?: boolean;
};

export function addStartCommand(issuer: Command): void {
  addCommand<StartOptions>(
    issuer,
    "start",
    "Run the issuer's server on the embedded database, or on PostgreSQL, until it is told to stop (Ctrl-C).",
    (command) =>
      command
        .option("--data <folder>", "where database, keys and operator token are kept", DEFAULT_ISSUER_FOLDER)
        .option(STORE_OPTION, ABOUT_STORE_OPTION)
        .option(CITUS_OPTION, ABOUT_CITUS_OPTION)
        .option("--api-only", "serve calls beside the issuer that runs on the same database and folder; settle nothing")
        .option("--host <address>", "the address to listen on", "127.0.0.1")
        .option("--port <number>", "the port to listen on; 0 takes a free one", wholeNumber(0), 8471)
        .option("--id <text>", "the issuer's id, 1 to 16 characters of a-z, 0-9 and -", "cairn-demo")
        .option("--name <text>", "the issuer's name as people see it", "Cairn demo issuer")
        .option("--public-url <url>", "where devices reach this issuer, when not at the address listened on")
        .option("--offline-root <file>", "public key of a root kept offline (cairn root create); its lists are brought")
        .option("--credit-source <url>", "the credit bureau to ask; its token in CAIRN_CREDIT_SOURCE_TOKEN")
        .option("--account-source <url>", "the core banking to ask; its token in CAIRN_ACCOUNT_SOURCE_TOKEN")
        .option("--policy <file>", "issuing policy (JSON); without it the built-in one")
        .option("--no-receiving", "let no wallet receive from another")
        .option("--no-till-refunds", "let only the operator give money back")
        .option("--log-level <level>", `one of ${LOG_LEVELS.join(", ")}; log lines go to standard error`, "warn")
        .option("--demo", "create demo accounts on the first start, and say what to type next"),
    start,
  );
}

async function start(printer: Printer, options: StartOptions): Promise<void> {
  checkLogLevel(options.logLevel);
  if (options.apiOnly === true && options.demo === true)
    throw new CommandError({
      code: "OPTIONS_CONTRADICT",
      sentence: "A server for calls alone makes no demo accounts.",
      next: "Give --demo to the issuer that is started without --api-only.",
      exitCode: EXIT.usage,
    });
  await mkdir(options.data, { recursive: true, mode: 0o700 });
  const passphrase = await findPassphrase(options.data);
  if (passphrase.made) {
    printer.progress(
      `A passphrase for the signing keys was made and stored beside them, in ${passphrase.file}: good for a look.`,
    );
    printer.progress("For real money set CAIRN_PASSPHRASE instead, and keep it elsewhere.");
  }
  const input: IssuerOptions = {
    dataFolder: options.data,
    passphrase: passphrase.text,
    host: options.host,
    port: options.port,
    issuerId: options.id,
    issuerName: options.name,
    logLevel: options.logLevel,
    logTo: process.stderr,
    progress: printer.progress,
    ...(options.receiving ? {} : { receiving: "off" }),
    tillRefunds: options.tillRefunds,
    role: options.apiOnly === true ? "api" : "all",
    ...(options.publicUrl === undefined ? {} : { publicUrl: options.publicUrl }),
    ...(options.offlineRoot === undefined
      ? {}
      : { offlineRootKey: new Uint8Array(Buffer.from((await readFile(options.offlineRoot, "utf8")).trim(), "hex")) }),
    ...(options.policy === undefined ? {} : { policyFile: options.policy }),
  };
  const sources = await openSources(options);
  const store = await openNamedStore(options, printer);
  if (options.apiOnly === true && store === undefined)
    throw new CommandError({
      code: "STORE_MISSING",
      sentence: "The embedded database is for one process, which serves by itself.",
      next: "Name the PostgreSQL database of the issuer with --store.",
      exitCode: EXIT.usage,
    });
  // The server and its libraries are loaded here, so that wallet and terminal commands start fast.
  const { startIssuer } = await import("../../start.ts");
  const issuer = await startIssuer({ ...input, ...sources, ...(store === undefined ? {} : { store }) });
  const told = toldToStop();
  try {
    if (options.apiOnly !== true) await writeFile(join(options.data, ADDRESS_FILE), `${issuer.url}\n`);
    printer.line(`Issuer "${options.name}" is at ${issuer.url} (API description: ${issuer.url}/openapi.json)`);
    for (const app of issuer.apps) printer.line(`The ${app} app is at ${issuer.url}/${app}/`);
    const demo = options.demo === true ? await createDemoAccounts(issuer, options.data, printer) : undefined;
    printer.line("Stop it with Ctrl-C.");
    printer.result({ url: issuer.url, data: options.data, ...(demo === undefined ? {} : { demo }) });
    const lost = await Promise.race([told, issuer.storeLost]);
    if (lost !== undefined) throw lost;
  } finally {
    printer.progress("Stopping: finishing what was begun...");
    await stop(issuer);
  }
}

async function stop(issuer: RunningIssuer): Promise<void> {
  // A second Ctrl-C while stopping ends at once; the database survives that too.
  process.once("SIGINT", () => process.exit(EXIT.failed));
  await issuer.close();
}
