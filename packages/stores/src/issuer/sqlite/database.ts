import { existsSync, realpathSync } from "node:fs";
import { open, rename, rm } from "node:fs/promises";
import { platform } from "node:os";
import { dirname } from "node:path";
import { backup, DatabaseSync, type SQLInputValue, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { pathToFileURL } from "node:url";
import { isBusy } from "../../sqlite-result.ts";
import { LAYOUT, LAYOUT_UNMARKED, refuseOtherLayout } from "../layout.ts";
import { NEVER_LOST, StoreError } from "../store-error.ts";
import { CHECKPOINT_PAGES, Checkpointer } from "./checkpointer.ts";
import { storeErrorOf } from "./failures.ts";
import { type FlushFile, LogFlusher } from "./log-flusher.ts";
import { MIGRATIONS } from "./schema.ts";

/** Each needs a moment without a transaction: there are many in every second. */
const BACKUP_TRIES = 100;

/** `application_id` of our files is this and the layout: "CRN" and a byte. */
const FILE_MARK = 0x43_52_4e_00;

const IN_MEMORY = Promise.resolve();

/**
 * SQLite can open a file for all threads of one process and lock it against every other process, but not on Windows:
 * there one connection locks it against everybody, and moves its log into the file itself.
 */
const THREADS_SHARE_FILES = platform() !== "win32";

/** Files that this process has open: a lock against other processes does not keep it from opening one twice. */
const openHere = new Set<string>();

export type Row = Readonly<Record<string, SQLOutputValue>>;

/** How long to wait for a process that is just ending, milliseconds. */
const BUSY_TIMEOUT_MS = 2_000;
/** Nobody else is served while so many pages are copied: about a millisecond. */
const BACKUP_PAGES_AT_ONCE = 256;

export type DatabaseOptions = {
  readonly flushFile?: FlushFile;
  /** Told what takes its time before the file is open: tables of millions of rows that are brought to this version. */
  readonly progress?: (line: string) => void;
  /** Pages of the log after which they are moved into the file. */
  readonly checkpointPages?: number;
};

/**
 * The issuer's SQLite file, for one process alone: the lock is taken at once and held until closed, so that a second
 * process is refused instead of working on numbers that this one keeps in memory. The lock ends with the process,
 * however it ends. A commit writes to the log and does not wait for the disk: nobody may be told of it, nor of what was
 * read after it, before `durable` says so.
 */
export class Database {
  readonly #sqlite: DatabaseSync;
  /** Undefined for a database in memory. */
  readonly #log: LogFlusher | undefined;
  readonly #checkpointer: Checkpointer | undefined;
  /** Where it is in truth, while it is open here. */
  readonly #file: string | undefined;
  /** By their text, for as long as the file is open. */
  readonly #statements = new Map<string, StatementSync>();

  /** @throws StoreError STORE_IN_USE, STORE_TOO_NEW, STORE_TOO_OLD; the database's own errors when the file cannot be used. */
  constructor(path: string, { flushFile, progress, checkpointPages = CHECKPOINT_PAGES }: DatabaseOptions = {}) {
    const isFile = path !== ":memory:";
    const isShared = isFile && THREADS_SHARE_FILES;
    const location = isShared ? `${pathToFileURL(path).href}?vfs=unix-excl` : path;
    this.#sqlite = new DatabaseSync(location, { timeout: BUSY_TIMEOUT_MS, readBigInts: true });
    try {
      if (isFile) this.#file = claimed(path);
      this.#sqlite.exec(`
        ${isShared ? "" : "PRAGMA locking_mode = EXCLUSIVE;"}
        PRAGMA journal_mode = WAL;
        PRAGMA synchronous = NORMAL;
        PRAGMA foreign_keys = ON;
        PRAGMA cache_size = -65536;
        PRAGMA wal_autocheckpoint = ${isShared ? 0 : checkpointPages};
      `);
      if (isFile) this.#log = new LogFlusher(`${path}-wal`, flushFile);
      if (isShared) this.#checkpointer = new Checkpointer(this.#sqlite, location, checkpointPages);
      this.transaction(() => this.#migrate(progress));
      // What a flush that failed left of the log may be in the system's memory alone: this brings it to the disk.
      this.#sqlite.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    } catch (error) {
      this.close();
      throw isBusy(error)
        ? new StoreError("STORE_IN_USE", "Another process has this database open.", { cause: error })
        : error;
    }
  }

  close(): void {
    if (!this.#sqlite.isOpen) return;
    this.#log?.close();
    this.#checkpointer?.close();
    this.#sqlite.close();
    if (this.#file !== undefined) openHere.delete(this.#file);
  }

  /** Resolves when all that was committed so far is on the disk. @throws StoreError STORE_LOST */
  durable(): Promise<void> {
    return this.#log?.flushed() ?? IN_MEMORY;
  }

  /** Resolves, if ever, when the disk failed to keep what was committed: the file has to be opened anew. */
  lost(): Promise<StoreError> {
    return this.#log?.failed ?? NEVER_LOST;
  }

  /**
   * Copies page by page between transactions; what is written meanwhile is in the copy. The file has its name only when
   * it is whole and on the disk. @throws StoreError STORE_INPUT_INVALID when it is there, STORE_FULL, STORE_UNAVAILABLE
   */
  async backUp(path: string): Promise<void> {
    if (existsSync(path)) throw new StoreError("STORE_INPUT_INVALID", `There is a file ${path} already.`);
    const partial = `${path}.partial`;
    for (let tries = 1; ; tries++) {
      await rm(partial, { force: true });
      try {
        await backup(this.#sqlite, partial, { rate: BACKUP_PAGES_AT_ONCE });
        break;
      } catch (error) {
        if (!isNoError(error) || tries === BACKUP_TRIES) throw storeErrorOf(error);
        await new Promise((resolve) => setTimeout(resolve, tries));
      }
    }
    await flushed(partial);
    await rename(partial, path);
    await flushed(dirname(path));
  }

  /** All or nothing; on the disk when `durable` says so. @throws StoreError STORE_FULL, STORE_UNAVAILABLE, STORE_LOST */
  transaction<Result>(work: () => Result): Result {
    this.#log?.checkUsable();
    this.#sqlite.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#sqlite.exec("COMMIT");
      this.#log?.noteCommit();
      this.#checkpointer?.noteCommit();
      return result;
    } catch (error) {
      if (this.#sqlite.isTransaction) this.#sqlite.exec("ROLLBACK");
      throw storeErrorOf(error);
    }
  }

  /** A transaction in which the file may be told anew what tables it has. @throws as `transaction` */
  restructure<Result>(work: (execute: (sql: string) => void) => Result): Result {
    this.#sqlite.enableDefensive(false);
    try {
      return this.transaction(() => work((sql) => this.#sqlite.exec(sql)));
    } finally {
      this.#sqlite.enableDefensive(true);
    }
  }

  /** @throws StoreError STORE_UNAVAILABLE, STORE_DAMAGED */
  get(sql: string, ...values: SQLInputValue[]): Row | undefined {
    try {
      return this.#prepared(sql).get(...values);
    } catch (error) {
      throw storeErrorOf(error);
    }
  }

  /** @throws StoreError STORE_UNAVAILABLE, STORE_DAMAGED */
  all(sql: string, ...values: SQLInputValue[]): Row[] {
    try {
      return this.#prepared(sql).all(...values);
    } catch (error) {
      throw storeErrorOf(error);
    }
  }

  /** @throws StoreError STORE_UNAVAILABLE, STORE_DAMAGED */
  *iterate(sql: string, ...values: SQLInputValue[]): Generator<Row> {
    try {
      yield* this.#prepared(sql).iterate(...values);
    } catch (error) {
      throw storeErrorOf(error);
    }
  }

  /** Gives how many rows were written. */
  run(sql: string, ...values: SQLInputValue[]): number {
    return Number(this.#prepared(sql).run(...values).changes);
  }

  #prepared(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#sqlite.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  #migrate(progress: DatabaseOptions["progress"]): void {
    const isNew = this.#sqlite.prepare("SELECT 1 FROM sqlite_schema LIMIT 1").get() === undefined;
    const mark = Number(this.#sqlite.prepare("PRAGMA application_id").get()?.application_id ?? 0);
    if (!isNew) refuseOtherLayout(mark > FILE_MARK ? mark - FILE_MARK : LAYOUT_UNMARKED, "database");
    const made = Number(this.#sqlite.prepare("PRAGMA user_version").get()?.user_version ?? 0);
    if (made > MIGRATIONS.length)
      throw new StoreError("STORE_TOO_NEW", "This database was written by a newer version of the program.");
    // A migration may say anew how a table is written down.
    this.#sqlite.enableDefensive(false);
    for (const [index, migration] of MIGRATIONS.entries()) {
      if (index < made) continue;
      if (!isNew)
        progress?.(
          `Bringing the database to this version, step ${index + 1} of ${MIGRATIONS.length}: some seconds for each million payments...`,
        );
      if (typeof migration === "string") this.#sqlite.exec(migration);
      else migration(this, progress);
    }
    this.#sqlite.enableDefensive(true);
    this.#sqlite.exec(`PRAGMA application_id = ${FILE_MARK + LAYOUT}; PRAGMA user_version = ${MIGRATIONS.length}`);
  }
}

/** @throws StoreError STORE_IN_USE */
function claimed(path: string): string {
  const file = realpathSync(path);
  if (openHere.has(file)) throw new StoreError("STORE_IN_USE", "This process has this database open already.");
  openHere.add(file);
  return file;
}

/**
 * A copy whose very first step meets a transaction of ours fails with the result code of success: node:sqlite takes
 * "locked" for the end when there is nothing left to copy, which before the first page is always so.
 */
function isNoError(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && error.errcode === 0;
}

/** File or folder: on the disk when it resolves. */
async function flushed(path: string): Promise<void> {
  const file = await open(path, "r");
  await file.sync();
  await file.close();
}
