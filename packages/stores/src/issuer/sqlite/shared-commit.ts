import type { Database } from "./database.ts";

type Work = { readonly run: () => undefined; readonly resolve: () => void; readonly reject: (error: unknown) => void };

/**
 * Writes of callers that come at the same moment share one transaction, and so the pages that they change. Each is all
 * or nothing by itself: when one fails, what was done together is undone and each is done alone, so that it takes
 * nothing of the others along. That is rare; keeping every page as it was before each of them would cost all of them.
 */
export class SharedCommit {
  readonly #database: Database;
  readonly #onUndone: () => void;
  #waiting: Work[] = [];

  /** @param onUndone Called at once when work was undone. */
  constructor(database: Database, onUndone: () => void) {
    this.#database = database;
    this.#onUndone = onUndone;
  }

  /** Durable when the promise resolves. @param work May be done, undone, and done again. */
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
    const failure = this.#write(group);
    if (failure === undefined) void this.#tell(group);
    else if (group.length === 1) group[0]?.reject(failure.error);
    else
      for (const work of group) {
        const own = this.#write([work]);
        if (own === undefined) void this.#tell([work]);
        else work.reject(own.error);
      }
  }

  #write(group: readonly Work[]): { readonly error: unknown } | undefined {
    try {
      this.#database.transaction(() => {
        for (const { run } of group) run();
      });
      return undefined;
    } catch (error) {
      this.#onUndone();
      return { error };
    }
  }

  async #tell(group: readonly Work[]): Promise<void> {
    try {
      await this.#database.durable();
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }
}
