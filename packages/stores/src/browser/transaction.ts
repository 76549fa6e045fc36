/**
 * What both stores need of a transaction. IndexedDB runs readwrite transactions of one database one after another,
 * across tabs and workers too: that is the stores' lock. `strict` makes `done` wait until the bytes are on the disk.
 */
export const STRICT = { durability: "strict" } as const;

type Abortable = { readonly done: Promise<void>; abort(): void };

/** Runs work inside a transaction; when it throws, nothing is written. Resolves when the writes are durable. */
export async function settleTransaction<Result>(transaction: Abortable, work: () => Promise<Result>): Promise<Result> {
  // Seen here even when `work` is the first to fail: an abort rejects `done`, too.
  const done = transaction.done.then(
    () => undefined,
    (error: unknown) => ({ error }),
  );
  let result: Result;
  try {
    result = await work();
  } catch (error) {
    try {
      transaction.abort();
    } catch {
      // It has aborted by itself, for the same reason.
    }
    await done;
    throw error;
  }
  const failed = await done;
  if (failed !== undefined) throw failed.error;
  return result;
}
