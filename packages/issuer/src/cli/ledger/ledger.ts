import { access } from "node:fs/promises";
import { nodeCrypto } from "@cairn/cose/node";
import type { IssuerStore } from "@cairn/stores";
import type { Command } from "commander";
import { auditBooks, type BooksAudit } from "../../services/audit.ts";
import { addCommand } from "../command.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "../issuer/operator.ts";
import { ABOUT_STORE_OPTION, openNamedStore, STORE_OPTION } from "../issuer/store-option.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { counted, type Printer } from "../printer.ts";

type VerifyOptions = OperatorOptions & { readonly file?: string; readonly store?: string };

/** For auditors: they need neither a running issuer nor its keys. */
export function addLedgerCommands(program: Command): void {
  const ledger = program.command("ledger").description("Audit an issuer's books.");
  addCommand<VerifyOptions>(
    ledger,
    "verify",
    "Read every entry, record, payment and certificate, and say each row that is not what was written or signed. Exit code 1 when the books are not sound.",
    (command) =>
      withOperatorOptions(command)
        .option("--file <file>", "a database file or a copy of one, rather than the running issuer")
        .option(STORE_OPTION, ABOUT_STORE_OPTION),
    async (printer, options) => {
      printer.progress("Reading every entry, balance and payment...");
      const begunAt = performance.now();
      const { faults, ...read } = await verify(options, printer);
      const { entries, records, payments, certificates } = read;
      const seconds = Math.round(performance.now() - begunAt) / 1_000;
      for (const fault of faults) printer.line(fault);
      printer.line(
        faults.length === 0
          ? `The books are sound: ${entries} entries, ${records} records, ${payments} payments and ${certificates} certificates read in ${seconds} s.`
          : `The books are NOT sound: ${counted(faults.length, "fault")}.`,
      );
      printer.result({ sound: faults.length === 0, ...read, faults, seconds });
      if (faults.length > 0) process.exitCode = EXIT.failed;
    },
  );
}

async function verify(options: VerifyOptions, printer: Printer): Promise<BooksAudit> {
  const store = await openNamed(options, printer);
  if (store === undefined) return (await operatorClient(options)).verifyBooks();
  try {
    return await auditBooks(store, nodeCrypto());
  } finally {
    await store.close();
  }
}

async function openNamed({ file, store }: VerifyOptions, printer: Printer): Promise<IssuerStore | undefined> {
  if (file === undefined) return openNamedStore(store === undefined ? {} : { store }, printer);
  const isThere = await access(file).then(
    () => true,
    () => false,
  );
  if (!isThere)
    throw new CommandError({
      code: "FILE_MISSING",
      sentence: `There is no file ${file}.`,
      next: "Name an issuer's database, such as .cairn/issuer/issuer.sqlite of an issuer that is stopped, or a backup.",
      exitCode: EXIT.usage,
    });
  const { SqliteIssuerStore } = await import("@cairn/stores");
  return new SqliteIssuerStore(file, { progress: printer.progress });
}
