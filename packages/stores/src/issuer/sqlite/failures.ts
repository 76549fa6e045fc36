import { StoreError } from "../store-error.ts";

/** Primary result codes. Source: SQLite, "Result and Error Codes". */
const BUSY = 5;
const IO_ERROR = 10;
const FULL = 13;

export const isBusy = (error: unknown): boolean => primaryCode(error) === BUSY;

/** The coded error for a failure of the disk; every other error as it is. */
export function storeErrorOf(error: unknown): unknown {
  switch (primaryCode(error)) {
    case FULL:
      return new StoreError("STORE_FULL", "The database's disk is full. Nothing was lost; make room and try again.", {
        cause: error,
      });
    case IO_ERROR:
      return new StoreError("STORE_UNAVAILABLE", "The database's disk fails. Look at the disk, then try again.", {
        cause: error,
      });
    default:
      return error;
  }
}

function primaryCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error)) return undefined;
  return typeof error.errcode === "number" ? error.errcode & 0xff : undefined;
}
