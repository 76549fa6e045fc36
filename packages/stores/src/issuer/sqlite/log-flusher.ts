import { closeSync, fdatasync, openSync } from "node:fs";
import { StoreError } from "../store-error.ts";

/** Has the disk keep what was written to the file. The port behind which tests look at, hold or break a flush. */
export type FlushFile = (descriptor: number, done: (error: Error | null) => void) => void;

type Waiter = { readonly commit: number; readonly resolve: () => void; readonly reject: (error: StoreError) => void };

const KEPT = Promise.resolve();

/**
 * Flushes SQLite's write-ahead log beside the main thread, which goes on writing meanwhile. Commits are in the log in
 * their order, so that a flush keeps all before it, and a power cut leaves a beginning of what was committed: never a
 * part of a transaction, never a later one without an earlier. What waits while one flush is under way shares the next.
 *
 * A flush that fails is not tried again: the system may have dropped what it could not write, and the next flush would
 * succeed without it. The file has to be opened anew, which keeps whatever of the log is whole.
 */
export class LogFlusher {
  readonly #path: string;
  readonly #flushFile: FlushFile;
  readonly #failed = Promise.withResolvers<StoreError>();
  #descriptor: number | undefined;
  #failure: StoreError | undefined;
  #waiting: Waiter[] = [];
  #isFlushing = false;
  #isClosed = false;
  /** Numbers of commits: the newest, and the newest that is on the disk. */
  #committed = 0;
  #flushed = 0;

  /** @param path Of the log; it is there with the first commit. */
  constructor(path: string, flushFile: FlushFile = fdatasync) {
    this.#path = path;
    this.#flushFile = flushFile;
  }

  /** Resolves, if ever, when a flush failed. */
  get failed(): Promise<StoreError> {
    return this.#failed.promise;
  }

  /** @throws StoreError STORE_LOST after a flush that failed. */
  checkUsable(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** Something was committed to the log. */
  noteCommit(): void {
    this.#committed++;
  }

  /** Resolves when all that was committed so far is on the disk. @throws StoreError STORE_LOST */
  flushed(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#flushed === this.#committed) return KEPT;
    return new Promise((resolve, reject) => {
      this.#waiting.push({ commit: this.#committed, resolve, reject });
      this.#flush();
    });
  }

  /** Nothing waits any more. */
  close(): void {
    this.#isClosed = true;
    if (!this.#isFlushing) this.#closeFile();
  }

  #flush(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    const commit = this.#committed;
    try {
      this.#descriptor ??= openSync(this.#path, "r+");
    } catch (error) {
      this.#fail(error);
      return;
    }
    this.#flushFile(this.#descriptor, (error) => {
      this.#isFlushing = false;
      if (error === null) this.#keep(commit);
      else this.#fail(error);
      if (this.#isClosed) this.#closeFile();
      else if (this.#waiting.length > 0) this.#flush();
    });
  }

  #keep(commit: number): void {
    this.#flushed = commit;
    const waiting = this.#waiting;
    this.#waiting = waiting.filter((waiter) => waiter.commit > commit);
    for (const waiter of waiting) if (waiter.commit <= commit) waiter.resolve();
  }

  #fail(cause: unknown): void {
    const failure = new StoreError(
      "STORE_LOST",
      "The disk failed to keep what was written last. Look at the disk and start the program again: whatever was answered is there.",
      { cause },
    );
    this.#failure = failure;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { reject } of waiting) reject(failure);
    this.#failed.resolve(failure);
  }

  #closeFile(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}
