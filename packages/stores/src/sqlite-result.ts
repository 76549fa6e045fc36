/** Primary result codes. Source: SQLite, "Result and Error Codes". */
export const SQLITE_BUSY = 5;
export const SQLITE_IO_ERROR = 10;
export const SQLITE_CORRUPT = 11;
export const SQLITE_FULL = 13;

/** The kind of failure that SQLite told; undefined when the error is none of SQLite's. */
export function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}

export const isBusy = (error: unknown): boolean => primaryCode(error) === SQLITE_BUSY;
