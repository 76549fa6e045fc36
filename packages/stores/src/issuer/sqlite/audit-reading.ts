import type { Database, Row } from "./database.ts";

/** What each part of the audit needs. */
export type Reading = {
  readonly database: Database;
  readonly report: (fault: string) => void;
  readonly progress: (line: string) => void;
  /** Lets others have their turn. Throws when nobody wants to know any more. */
  readonly othersTurn: () => Promise<void>;
};

/** Rows that are read before others have their turn. */
export const PAGE = 2_000;
export const PROGRESS_EVERY = 100_000;

/** Each row is read once, a page at a time, others having their turn in between. `page`: those behind the last row. */
export async function eachPage(
  { progress, othersTurn }: Reading,
  what: string,
  page: (last: Row | undefined) => readonly Row[],
): Promise<void> {
  let count = 0;
  for (let last: Row | undefined; ; ) {
    const rows = page(last);
    const told = Math.floor(count / PROGRESS_EVERY);
    count += rows.length;
    if (Math.floor(count / PROGRESS_EVERY) > told) progress(`${count} ${what}...`);
    last = rows.at(-1);
    if (rows.length < PAGE) return;
    await othersTurn();
  }
}
