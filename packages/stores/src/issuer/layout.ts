import { StoreError } from "./store-error.ts";

/** How often the tables were laid out anew: migrations lead from one layout's first tables to its last, never across. */
export const LAYOUT = 2;
/** What bears no mark was written before layouts were marked, or is nothing of ours. */
export const LAYOUT_UNMARKED = 1;

/** @throws StoreError STORE_TOO_OLD, STORE_TOO_NEW */
export function refuseOtherLayout(layout: number, what: "database" | "backup"): void {
  if (layout > LAYOUT)
    throw new StoreError("STORE_TOO_NEW", `This ${what} was written by a newer version of the program.`);
  if (layout < LAYOUT)
    throw new StoreError(
      "STORE_TOO_OLD",
      `This ${what} has the tables of an earlier build, which this one does not read, or is none of Cairn's. Nothing was changed in it. Go on with the build that wrote it, or begin with an empty database.`,
    );
}
