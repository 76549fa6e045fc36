import type { DatabaseSync, StatementSync } from "node:sqlite";
import { Worker } from "node:worker_threads";

/**
 * Pages of the log after which they are moved into the file, some 64 MB: once for some thirty thousand payments, so that
 * a page of an index that many of them touch is moved once for all of them.
 */
export const CHECKPOINT_PAGES = 16_000;
/** Of those, what the main thread moves itself, some milliseconds in which nothing is added, so that the log begins anew. */
const LAST_SHARE = 1 / 16;
/** While pages are moved others are added, fewer each time, unless the disk is slower than whoever writes. */
const MOST_ROUNDS = 4;
/** Commits between two looks at how long the log is. */
const COMMITS_BETWEEN_LOOKS = 16;
/** After a failure it is tried again when the log has grown by this share of those pages. */
const SHARE_AFTER_FAILURE = 1 / 4;
const LONGEST_CLOSE_MS = 60_000;

export type CheckpointOrder = "move" | "close";
export type CheckpointThreadData = {
  readonly location: string;
  /** Becomes 1, and is notified, when the thread has closed the file. */
  readonly closed: Int32Array<SharedArrayBuffer>;
};
export type CheckpointAnswer = "moved" | "failed";

/**
 * Moves what was committed from SQLite's write-ahead log into the file, on a thread of its own, while the main thread goes
 * on writing: copying the pages and waiting for the disk would hold up everybody for some tenths of a second. What the
 * main thread added meanwhile is moved in further rounds; the last few pages the main thread moves itself, since the log
 * begins anew only when all of it is in the file. SQLite flushes the log before, and the file before that.
 *
 * A failure changes nothing: the log stays as it is, and grows until a later try succeeds or the disk is full, which
 * whoever writes is told then.
 */
export class Checkpointer {
  readonly #sqlite: DatabaseSync;
  readonly #location: string;
  readonly #length: StatementSync;
  readonly #pages: number;
  #thread: CheckpointThread | undefined;
  #untilLook = COMMITS_BETWEEN_LOOKS;
  #moveFrom: number;
  /** Rounds of moving so far; 0 while nothing is moved. */
  #rounds = 0;

  /**
   * @param location How a further connection of this process opens the file.
   * @param pages Of the log, after which they are moved.
   */
  constructor(sqlite: DatabaseSync, location: string, pages: number) {
    this.#sqlite = sqlite;
    this.#pages = pages;
    this.#moveFrom = pages;
    this.#location = location;
    this.#length = sqlite.prepare("PRAGMA wal_checkpoint(NOOP)");
  }

  noteCommit(): void {
    if (this.#rounds > 0 || --this.#untilLook > 0) return;
    this.#untilLook = COMMITS_BETWEEN_LOOKS;
    if (this.#pagesToMove() >= this.#moveFrom) this.#moveBeside();
  }

  /** Returns when the thread has closed the file, if it had it open: what it is about is finished before. */
  close(): void {
    this.#thread?.close();
    this.#thread = undefined;
  }

  #moveBeside(): void {
    this.#rounds++;
    this.#thread ??= new CheckpointThread(
      this.#location,
      (answer) => this.#moved(answer),
      () => {
        this.#thread = undefined;
        this.#moved("failed");
      },
    );
    this.#thread.move();
  }

  #moved(answer: CheckpointAnswer): void {
    const left = this.#pagesToMove();
    if (answer === "moved" && left > this.#pages * LAST_SHARE && this.#rounds < MOST_ROUNDS) this.#moveBeside();
    else if (answer === "moved" && this.#moveHere()) this.#stop(this.#pages);
    else this.#stop(left + this.#pages * SHARE_AFTER_FAILURE);
  }

  #stop(moveFrom: number): void {
    this.#rounds = 0;
    this.#moveFrom = moveFrom;
  }

  #moveHere(): boolean {
    try {
      this.#sqlite.exec("PRAGMA wal_checkpoint(PASSIVE)");
      return true;
    } catch {
      return false;
    }
  }

  #pagesToMove(): number {
    try {
      const { log, checkpointed } = this.#length.get() ?? {};
      return Number(log) - Number(checkpointed);
    } catch {
      // Whoever has just committed must not hear of it: the next look will tell.
      return 0;
    }
  }
}

class CheckpointThread {
  readonly #worker: Worker;
  readonly #closed = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));

  constructor(location: string, answered: (answer: CheckpointAnswer) => void, died: () => void) {
    const workerData: CheckpointThreadData = { location, closed: this.#closed };
    this.#worker = new Worker(new URL("./checkpoint-thread.ts", import.meta.url), {
      name: "cairn-checkpoint",
      workerData,
    });
    // An idle thread keeps no process alive.
    this.#worker.unref();
    this.#worker.on("message", answered);
    this.#worker.on("error", died);
  }

  move(): void {
    this.#worker.postMessage("move" satisfies CheckpointOrder);
  }

  close(): void {
    this.#worker.removeAllListeners();
    // Whatever became of the thread, nobody waits for it for ever.
    this.#worker.on("error", () => undefined);
    this.#worker.postMessage("close" satisfies CheckpointOrder);
    Atomics.wait(this.#closed, 0, 0, LONGEST_CLOSE_MS);
  }
}
