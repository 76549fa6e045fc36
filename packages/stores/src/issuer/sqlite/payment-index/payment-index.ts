import type { MessageId } from "@cairn/messages";
import { keyOf } from "../../payment-key.ts";
import { StoreError, type StoreErrorCode } from "../../store-error.ts";
import type { Database, Row } from "../database.ts";
import { number, oneOf, text } from "../rows.ts";
import type { Entries } from "./entries.ts";
import { marksOf } from "./key-filter.ts";
import { Merge } from "./merge.ts";
import { RecentKeys } from "./recent-keys.ts";
import { deleteSegment, Run, readPage, segmentFrom, type Tables, writeSegment } from "./run.ts";

/**
 * `portionEntries`: of entries that are written at once. `mergedRuns`: so many runs of one level are merged into one of
 * the next. `recordsAStep`: one step of upkeep is taken for so many records.
 */
export type IndexSizes = {
  readonly portionEntries: number;
  readonly mergedRuns: number;
  readonly recordsAStep: number;
};

/**
 * A portion takes some milliseconds, during which nobody is served. Of the fourteen steps for a portion of records one
 * writes it; merging it again, and clearing away what was merged, takes two for each level, and six levels are more than
 * eighty million records. Merging more runs at once would write less, and leave more of them to be asked for each record.
 */
const SIZES: IndexSizes = { portionEntries: 21_504, mergedRuns: 4, recordsAStep: 1_536 };
/** More are not owed: what could not be done for a while need not be done all at once. */
const MOST_STEPS_OWED = 64;

const PROGRESS_EVERY = 1_000_000;

const STATES = ["whole", "growing", "left"] as const;
/** Told to whoever writes the next record; upkeep can wait. */
const TOLD_ELSEWHERE: ReadonlySet<StoreErrorCode> = new Set(["STORE_FULL", "STORE_UNAVAILABLE", "STORE_LOST"]);

/** A run that others are merged into. `merge`: undefined until it is known where to go on. */
type Growing = { readonly run: Run; readonly inputs: readonly Run[]; merge: Merge | undefined };

/**
 * Finds inbox records by the key of the payment that they name. In random order such keys would each change a page of
 * their own; so the newest are kept in memory and written in sorted portions (runs), which are merged in the background
 * into ever larger ones: P. O'Neil and others, The log-structured merge-tree, Acta Informatica 33, 1996. Filters in
 * memory say of nearly every key in which runs it is not.
 *
 * It may name a record that is not there, one that was undone, or one of another payment: whoever looks up compares
 * the record. It never misses one: what is in no run is read from the inbox when the file is opened.
 */
export class PaymentIndex {
  readonly #database: Database;
  readonly #sizes: IndexSizes;
  #recent = new RecentKeys();
  /** Those that are looked into, the oldest first. */
  #runs: Run[] = [];
  /** By their level. */
  readonly #growing = new Map<number, Growing>();
  /** Merged into others, to be cleared away. */
  readonly #left: Run[] = [];
  #newestRun = 0;
  #stepsOwed = 0;

  constructor(database: Database, sizes = SIZES) {
    this.#database = database;
    this.#sizes = sizes;
    this.#readRuns();
    const upTo = this.#runs.reduce((newest, run) => Math.max(newest, run.upTo), 0);
    for (const row of database.iterate("SELECT inbox_id, payment_key FROM inbox WHERE inbox_id > ?", upTo))
      this.#recent.add(number(row, "payment_key"), number(row, "inbox_id"));
  }

  /** Those that are looked into, as of now. */
  get wholeRuns(): readonly Run[] {
    return this.#runs;
  }

  /** Of a record that is being written, in the order of their numbers. */
  add(key: number, inboxId: number): void {
    this.#recent.add(key, inboxId);
  }

  /** Numbers of the records that may go with the key. */
  find(key: number): number[] {
    const found: number[] = [];
    this.#recent.find(key, found);
    const wanted = { key, marks: marksOf(key), found };
    for (const run of this.#runs) run.find(this.#database, wanted);
    return found;
  }

  /** Of each of these payments, the numbers of the records that may name it. */
  records(paymentIds: readonly MessageId[]): number[] {
    return paymentIds.flatMap((paymentId) => this.find(keyOf(paymentId)));
  }

  /** Every entry whose key another one has too, in the order of their keys. */
  *shared(): Generator<{ readonly key: number; readonly inboxId: number }> {
    const merge = new Merge([...this.#runs.map((run) => run.pages(this.#database)), [this.#recent.sorted()]]);
    let [lastKey, lastInboxId, isTold] = [-1, 0, true];
    for (;;) {
      const { keys, inboxIds } = merge.take(this.#sizes.portionEntries);
      if (keys.length === 0) return;
      for (const [index, key] of keys.entries()) {
        const inboxId = inboxIds[index] ?? 0;
        const isShared = key === lastKey;
        if (isShared && !isTold) yield { key, inboxId: lastInboxId };
        if (isShared) yield { key, inboxId };
        [lastKey, lastInboxId, isTold] = [key, inboxId, isShared];
      }
    }
  }

  /** Some records were written and committed: now and then a step of upkeep, of a few milliseconds, is due. */
  keepUp(records: number): void {
    this.#stepsOwed = Math.min(this.#stepsOwed + records / this.#sizes.recordsAStep, MOST_STEPS_OWED);
    if (this.#stepsOwed < 1) return;
    this.#stepsOwed--;
    try {
      this.step();
    } catch (error) {
      if (!(error instanceof StoreError && TOLD_ELSEWHERE.has(error.code))) throw error;
    }
  }

  /** One transaction: a portion written, merged or cleared away. False when there is nothing to do. */
  step(): boolean {
    if (this.#recent.count >= this.#sizes.portionEntries) this.#writeRecent();
    else {
      const growing = this.#growingOrBegun();
      const left = this.#left[0];
      if (growing !== undefined) this.#grow(growing);
      else if (left !== undefined) this.#clear(left);
      else return false;
    }
    return true;
  }

  #readRuns(): void {
    const inputs = new Map<Run, readonly number[]>();
    const byNumber = new Map<number, Run>();
    for (const row of this.#database.all("SELECT * FROM payment_index_runs ORDER BY run")) {
      const run = runFrom(row);
      byNumber.set(run.run, run);
      this.#newestRun = run.run;
      const state = oneOf(row, "state", STATES);
      if (state === "whole") this.#runs.push(run);
      else if (state === "left") this.#left.push(run);
      else inputs.set(run, JSON.parse(text(row, "inputs")));
    }
    for (const row of this.#database.iterate("SELECT * FROM payment_index_segments ORDER BY first_page"))
      byNumber.get(number(row, "run"))?.add(segmentFrom(row));
    for (const [run, numbers] of inputs)
      this.#growing.set(run.level, {
        run,
        inputs: this.#runs.filter((input) => numbers.includes(input.run)),
        merge: undefined,
      });
  }

  #writeRecent(): void {
    const written = this.#database.transaction(() => {
      // Numbers of records that were undone are given again after the file was opened anew: those are not written yet.
      const row = this.#database.get("SELECT coalesce(max(inbox_id), 0) AS newest FROM inbox");
      const upTo = row === undefined ? 0 : number(row, "newest");
      const run = new Run({ run: this.#newestRun + 1, level: 0, upTo });
      writeRun(this.#database, run, "whole");
      run.add(writeSegment(this.#database, run.run, this.#recent.sorted()));
      return run;
    });
    this.#newestRun = written.run;
    this.#runs.push(written);
    this.#recent = new RecentKeys();
  }

  /** Of the lowest level, as it grows most often. */
  #growingOrBegun(): Growing | undefined {
    const levels = new Set([...this.#runs.map(({ level }) => level + 1), ...this.#growing.keys()]);
    for (const level of [...levels].sort((one, other) => one - other)) {
      const growing = this.#growing.get(level) ?? this.#begun(level);
      if (growing !== undefined) return growing;
    }
    return undefined;
  }

  #begun(level: number): Growing | undefined {
    const inputs = this.#runs.filter((run) => run.level === level - 1).slice(0, this.#sizes.mergedRuns);
    if (inputs.length < this.#sizes.mergedRuns) return undefined;
    const upTo = Math.max(...inputs.map((input) => input.upTo));
    const run = new Run({ run: this.#newestRun + 1, level, upTo });
    this.#database.transaction(() => writeRun(this.#database, run, "growing", inputs));
    this.#newestRun = run.run;
    const growing = { run, inputs, merge: undefined };
    this.#growing.set(level, growing);
    return growing;
  }

  #grow(growing: Growing): void {
    const { run, inputs } = growing;
    const merge = growing.merge ?? this.#mergeOf(growing);
    // Should writing fail, it is not where it would have to go on.
    growing.merge = undefined;
    const entries = merge.take(this.#sizes.portionEntries);
    if (entries.keys.length > 0) {
      run.add(this.#database.transaction(() => writeSegment(this.#database, run.run, entries)));
      growing.merge = merge;
      return;
    }
    this.#database.transaction(() => {
      this.#database.run("UPDATE payment_index_runs SET state = 'whole' WHERE run = ?", run.run);
      for (const input of inputs)
        this.#database.run("UPDATE payment_index_runs SET state = 'left' WHERE run = ?", input.run);
    });
    this.#growing.delete(run.level);
    this.#runs = [...this.#runs.filter((other) => !inputs.includes(other)), run];
    this.#left.push(...inputs);
  }

  #mergeOf({ run, inputs }: Growing): Merge {
    const last = run.segments.at(-1);
    if (last === undefined) return new Merge(inputs.map((input) => input.pages(this.#database)));
    const { keys, inboxIds } = readPage(this.#database, last.firstPage + last.firstKeys.length - 1);
    const behind = { key: keys.at(-1) ?? 0, inboxId: inboxIds.at(-1) ?? 0 };
    return new Merge(
      inputs.map((input) => input.pages(this.#database, behind.key)),
      behind,
    );
  }

  #clear(run: Run): void {
    const segment = run.segments.at(-1);
    this.#database.transaction(() => {
      if (segment !== undefined) deleteSegment(this.#database, segment);
      if (run.segments.length <= 1) this.#database.run("DELETE FROM payment_index_runs WHERE run = ?", run.run);
    });
    run.removeLast();
    if (run.segments.length === 0) this.#left.shift();
  }
}

/**
 * Writes the index of all records into one run, within the caller's transaction: where there are many and no index yet.
 * @param entries Of all of them, in the order of their keys, those of one key in that of their numbers.
 */
export function writeWhole(tables: Tables, entries: Iterable<Row>, progress?: (line: string) => void): void {
  const newest = tables.get("SELECT coalesce(max(inbox_id), 0) AS newest, count(*) AS records FROM inbox");
  if (newest === undefined || number(newest, "records") === 0) return;
  const about = { run: 1, upTo: number(newest, "newest"), records: number(newest, "records") };
  writeRunOf(tables, about, told(entries, about.records, progress));
}

function* told(entries: Iterable<Row>, records: number, progress?: (line: string) => void): Generator<Row> {
  let count = 0;
  for (const row of entries) {
    if (++count % PROGRESS_EVERY === 0) progress?.(`${count} of ${records} records written into the payment index...`);
    yield row;
  }
}

/** Writes the entries of some records, the oldest first, into a run behind the others; within the caller's transaction. */
export function writeRecords(
  database: Database,
  { after, upTo, records }: { readonly after: number; readonly upTo: number; readonly records: number },
): void {
  const newest = database.get("SELECT coalesce(max(run), 0) AS run FROM payment_index_runs");
  const entries = database.iterate(
    "SELECT payment_key, inbox_id FROM inbox WHERE inbox_id > ? AND inbox_id <= ? ORDER BY payment_key, inbox_id",
    after,
    upTo,
  );
  writeRunOf(database, { run: newest === undefined ? 1 : number(newest, "run") + 1, upTo, records }, entries);
}

/** Of the level to which a run of so many records would have been merged. */
function writeRunOf(
  tables: Tables,
  about: { readonly run: number; readonly upTo: number; readonly records: number },
  entries: Iterable<Row>,
): void {
  const levels = Math.log(about.records / SIZES.portionEntries) / Math.log(SIZES.mergedRuns);
  const run = new Run({ run: about.run, level: Math.max(0, Math.floor(levels)), upTo: about.upTo });
  writeRun(tables, run, "whole");
  const keys = new Float64Array(SIZES.portionEntries);
  const inboxIds = new Float64Array(SIZES.portionEntries);
  let count = 0;
  const write = (): void => {
    if (count > 0) writeSegment(tables, run.run, portion(keys, inboxIds, count));
    count = 0;
  };
  for (const row of entries) {
    keys[count] = number(row, "payment_key");
    inboxIds[count] = number(row, "inbox_id");
    if (++count === SIZES.portionEntries) write();
  }
  write();
}

const portion = (keys: Float64Array, inboxIds: Float64Array, count: number): Entries => ({
  keys: keys.subarray(0, count),
  inboxIds: inboxIds.subarray(0, count),
});

function writeRun(tables: Tables, run: Run, state: (typeof STATES)[number], inputs: readonly Run[] = []): void {
  const numbers = JSON.stringify(inputs.map((input) => input.run));
  tables.run("INSERT INTO payment_index_runs VALUES (?, ?, ?, ?, ?)", run.run, run.level, run.upTo, state, numbers);
}

const runFrom = (row: Row): Run =>
  new Run({ run: number(row, "run"), level: number(row, "level"), upTo: number(row, "up_to") });
