import { createReadStream } from "node:fs";
import { constants, copyFile, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip, createGzip } from "node:zlib";
import type { IssuerStore } from "@cairn/stores";
import type { Command } from "commander";
import { addCommand } from "../command.ts";
import { CommandError, EXIT } from "../outcome.ts";
import { counted, type Printer } from "../printer.ts";
import { DEFAULT_ISSUER_FOLDER, type OperatorOptions, operatorClient, withOperatorOptions } from "./operator.ts";
import {
  ABOUT_CITUS_OPTION,
  ABOUT_STORE_OPTION,
  CITUS_OPTION,
  databaseUrl,
  openNamedStore,
  STORE_OPTION,
  type StoreOptions,
} from "./store-option.ts";

const LOOK_AGAIN_MS = 200;

/** `cairn issuer backup` and `cairn issuer restore-backup`: the books into one file while the issuer works, and back. */
export function addBackupCommands(issuer: Command): void {
  addCommand<OperatorOptions & StoreOptions>(
    issuer,
    "backup <file>",
    "Copy the database into a file while the issuer works, and verify the copy's books. Keys are files: copy keys/ too.",
    (command) => withOperatorOptions(command).option(STORE_OPTION, ABOUT_STORE_OPTION),
    (printer, options, file = "") =>
      databaseUrl(options) === undefined ? backUpFile(printer, options, file) : backUpServer(printer, options, file),
  );
  addCommand<{ readonly data: string } & StoreOptions>(
    issuer,
    "restore-backup <file>",
    "Put a backup where no database is yet, and verify its books.",
    (command) =>
      command
        .option("--data <folder>", "the issuer's data folder", DEFAULT_ISSUER_FOLDER)
        .option(STORE_OPTION, ABOUT_STORE_OPTION)
        .option(CITUS_OPTION, ABOUT_CITUS_OPTION),
    (printer, options, file = "") =>
      databaseUrl(options) === undefined ? restoreFile(printer, options, file) : restoreServer(printer, options, file),
  );
}

/** Of the embedded database: its server makes the copy, being the one process that may read it. */
async function backUpFile(printer: Printer, options: OperatorOptions, file: string): Promise<void> {
  await mustNotExist(file);
  const client = await operatorClient(options);
  let backup = await client.startBackup();
  printer.progress("The server copies its database...");
  while (backup.state === "running") {
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
    backup = (await client.latestBackup()) ?? { ...backup, state: "failed" };
  }
  if (backup.state === "failed")
    throw new CommandError({
      code: "BACKUP_FAILED",
      sentence: "The server could not copy its database.",
      next: "Its log says why: most likely the disk is full.",
    });
  await copyFile(backup.file, file, constants.COPYFILE_EXCL);
  await rm(backup.file);
  const { SqliteIssuerStore } = await import("@cairn/stores");
  await verify(printer, new SqliteIssuerStore(file), file);
}

async function backUpServer(printer: Printer, options: StoreOptions, file: string): Promise<void> {
  await mustNotExist(file);
  const { backUpPostgres } = await import("@cairn/stores");
  const connectionString = databaseUrl(options) ?? "";
  const partial = `${file}.partial`;
  printer.progress("Copying the database...");
  const out = await open(partial, "w", 0o600);
  try {
    const lines = Readable.from(backUpPostgres({ connectionString }));
    await pipeline(lines, createGzip(), out.createWriteStream({ flush: true }));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
  await rename(partial, file);
  const { size } = await stat(file);
  printer.line(`Copied into ${file} (${size} bytes). Prove it by restoring it into an empty database.`);
  printer.result({ file, bytes: size });
}

async function restoreFile(printer: Printer, { data }: { readonly data: string }, file: string): Promise<void> {
  const path = join(data, "issuer.sqlite");
  await mustNotExist(path);
  await mkdir(data, { recursive: true, mode: 0o700 });
  await copyFile(file, path, constants.COPYFILE_EXCL);
  const { SqliteIssuerStore } = await import("@cairn/stores");
  let store: IssuerStore;
  try {
    store = new SqliteIssuerStore(path);
  } catch (error) {
    // What cannot be used must not stand in the way of the next attempt.
    for (const ending of ["", "-wal", "-shm"]) await rm(`${path}${ending}`, { force: true });
    throw error;
  }
  await verify(printer, store, path);
}

async function restoreServer(printer: Printer, options: StoreOptions, file: string): Promise<void> {
  const { restorePostgres } = await import("@cairn/stores");
  const connectionString = databaseUrl(options) ?? "";
  printer.progress("Writing the backup into the database...");
  await restorePostgres(
    { connectionString, ...(options.citus === true ? { distribution: "citus" } : {}) },
    linesOf(file),
  );
  const store = await openNamedStore(options, printer);
  if (store !== undefined) await verify(printer, store, "the database");
}

/** Read only when they are asked for: lines that come before anybody listens would be lost. */
async function* linesOf(file: string): AsyncIterable<string> {
  yield* createInterface({ input: createReadStream(file).pipe(createGunzip()), crlfDelay: Number.POSITIVE_INFINITY });
}

/** A copy is worth what its books say. */
async function verify(printer: Printer, store: IssuerStore, where: string): Promise<void> {
  printer.progress("Verifying the books...");
  const { entries, faults } = await store.verifyBooks();
  await store.close();
  printer.line(
    faults.length === 0
      ? `Copied into ${where}; its books are sound: ${counted(entries, "entry", "entries")} recomputed.`
      : `Copied into ${where}, but its books are NOT sound:\n${faults.join("\n")}`,
  );
  printer.line("The keys are not in it: keep keys/ and operator-token of the data folder as well.");
  printer.result({ file: where, entries, faults });
  if (faults.length > 0) process.exitCode = EXIT.failed;
}

async function mustNotExist(file: string): Promise<void> {
  const isThere = await stat(file).then(
    () => true,
    () => false,
  );
  if (isThere)
    throw new CommandError({
      code: "FILE_EXISTS",
      sentence: `There is a file ${file} already.`,
      next: "Nothing is overwritten: move it away, or name another one.",
    });
}
