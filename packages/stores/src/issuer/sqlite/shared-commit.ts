import type { Database } from "./database.ts";

type Work = { readonly run: () => undefined; readonly resolve: () => void; readonly reject: (error: unknown) => void };

/**
 * Writes of callers that come at the same moment share one transaction, and so the pages that they change. Each is all
 * or nothing by itself: one that fails takes nothing of the others along.
 */
export class SharedCommit {
  readonly #database: Database;
  readonly #onUndone: () => void;
  #waiting: Work[] = [];

  /** @param onUndone Called at once when some of the work, or all of it, was undone. */
  constructor(database: Database, onUndone: () => void) {
    this.#database = database;
    this.#onUndone = onUndone;
  }

  /** Durable when the promise resolves. */
  run<Result>(work: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      let result: Result;
      const run = (): undefined => {
        result = work();
      };
      this.#waiting.push({ run, resolve: () => resolve(result), reject });
      if (this.#waiting.length === 1) setImmediate(() => this.flush());
    });
  }

  /** Writes now what waits. */
  flush(): void {
    const group = this.#waiting;
    this.#waiting = [];
    if (group.length === 0) return;
    const done: Work[] = [];
    const failed: { readonly work: Work; readonly error: unknown }[] = [];
    try {
      this.#database.transaction(() => {
        for (const work of group) {
          const failure = group.length === 1 ? work.run() : this.#database.savepoint(work.run);
          if (failure === undefined) done.push(work);
          else failed.push({ work, error: failure.error });
        }
      });
    } catch (error) {
      this.#onUndone();
      for (const { reject } of group) reject(error);
      return;
    }
    if (failed.length > 0) this.#onUndone();
    for (const { work, error } of failed) work.reject(error);
    const tell = async (): Promise<void> => {
      try {
        await this.#database.durable();
        for (const { resolve } of done) resolve();
      } catch (error) {
        for (const { reject } of done) reject(error);
      }
    };
    void tell();
  }
}
