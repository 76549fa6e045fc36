import { nodeCrypto } from "@cairn/cose/node";
import type { IssuerStore } from "@cairn/stores";
import type { Command } from "commander";
import type { BooksAnswer } from "../../api/operator-api.ts";
import { auditBooks, missingHeadFault } from "../../services/audit.ts";
import { addCommand } from "../command.ts";
import { requireFile } from "../existing-file.ts";
import { type OperatorOptions, operatorClient, withOperatorOptions } from "../issuer/operator.ts";
import { ABOUT_STORE_OPTION, openNamedStore, STORE_OPTION } from "../issuer/store-option.ts";
import { EXIT } from "../outcome.ts";
import { counted, type Printer } from "../printer.ts";
import { readExpected } from "./expected-heads.ts";
import { keysForAudit, type TrustedKeysOptions } from "./trusted-keys.ts";

type VerifyOptions = OperatorOptions &
  TrustedKeysOptions & {
    readonly file?: string;
    readonly store?: string;
    readonly signatures?: boolean;
    readonly expect?: string;
  };

/** For auditors: they need neither a running issuer nor its secrets. */
export function addLedgerCommands(program: Command): void {
  const ledger = program.command("ledger").description("Audit an issuer's books.");
  addCommand<VerifyOptions>(
    ledger,
    "verify",
    "Read every entry, record, payment and certificate, and say each row that is not what was written or signed. Exit code 1 when the books are not sound.",
    (command) =>
      withOperatorOptions(command)
        .option("--file <file>", "a database file or a copy of one, rather than the running issuer")
        .option(STORE_OPTION, ABOUT_STORE_OPTION)
        .option("--signatures", "verify every signature too: finds whole messages that were made up, and takes longer")
        .option(
          "--trust-list <files...>",
          "with --file or --store: the trust lists that name the issuer's keys (default: the one in --data; give old ones too when keys have left it)",
        )
        .option(
          "--expect <file>",
          "what an earlier audit printed with --json, kept where nobody who writes into the database may: finds newest entries that were cut off since",
        )
        .option("--root-key <file>", "hold the trust lists against this root's public key, from: cairn root create"),
    async (printer, options) => {
      printer.progress("Reading every entry, balance and payment...");
      const begunAt = performance.now();
      const { faults, ...read } = await verify(options, printer);
      const seconds = Math.round(performance.now() - begunAt) / 1_000;
      for (const fault of faults) printer.line(fault);
      printer.line(
        faults.length === 0
          ? `The books are sound: ${saidOf(read)} in ${seconds} s.`
          : `The books are NOT sound: ${counted(faults.length, "fault")}.`,
      );
      if (faults.some((fault) => fault.startsWith("The payment index")))
        printer.line(
          "A payment index moves no money and is written anew, the issuer stopped, by: cairn issuer rebuild-index",
        );
      if (faults.some((fault) => fault.endsWith(UNLISTED_KEY)))
        printer.line(
          "Give the trust lists of the time when those keys were in it, all at once: --trust-list NEWEST OLDER. They are in backups of keys/trust-list, with whoever keeps the offline root, and in copies that were served (GET /v1/trust-list). The running issuer knows its own old keys: ask it without --file and --store.",
        );
      printer.result({ sound: faults.length === 0, ...read, faults, seconds });
      if (faults.length > 0) process.exitCode = EXIT.failed;
    },
  );
}

function saidOf({
  entries,
  records,
  payments,
  certificates,
  signatures,
  sealed,
}: Omit<BooksAnswer, "faults" | "heads">): string {
  const bearing = sealed === null ? "" : ` (with the issuer's seal: ${sealed})`;
  const read = `${counted(entries, "entry", "entries")}${bearing}, ${counted(records, "record")}, ${counted(payments, "payment")} and ${counted(certificates, "certificate")} read`;
  return signatures === null
    ? `${read} (signatures not verified: --signatures)`
    : `${read}, ${counted(signatures, "signature")} verified`;
}

const UNLISTED_KEY = "which is in no trust list that was given.";

async function verify(options: VerifyOptions, printer: Printer): Promise<BooksAnswer> {
  const { progress } = printer;
  const withSignatures = options.signatures === true;
  const expected = options.expect === undefined ? [] : await readExpected(options.expect);
  const store = await openNamed(options, printer);
  if (store === undefined) {
    const client = await operatorClient(options);
    const answer = await client.verifyBooks({ signatures: withSignatures, progress });
    const missing = expected.length === 0 ? [] : await client.missingHeads([...expected]);
    return { ...answer, faults: [...missing.map(missingHeadFault), ...answer.faults] };
  }
  try {
    const crypto = nodeCrypto();
    const keys = withSignatures ? await keysForAudit(options, crypto) : undefined;
    try {
      const { signatures, heads, faults, ...read } = await auditBooks(store, crypto, { keys, expected, progress });
      return { ...read, signatures: signatures ?? null, sealed: null, heads: [...heads], faults: [...faults] };
    } finally {
      await keys?.checker.close();
    }
  } finally {
    await store.close();
  }
}

async function openNamed({ file, store }: VerifyOptions, printer: Printer): Promise<IssuerStore | undefined> {
  if (file === undefined) return openNamedStore(store === undefined ? {} : { store }, printer);
  await requireFile(
    file,
    "Name an issuer's database, such as .cairn/issuer/issuer.sqlite of an issuer that is stopped, or a backup.",
  );
  const { SqliteIssuerStore } = await import("@cairn/stores");
  return new SqliteIssuerStore(file, { progress: printer.progress });
}
