import { primaryCode, SQLITE_CORRUPT, SQLITE_FULL, SQLITE_IO_ERROR } from "../../sqlite-result.ts";
import { StoreError } from "../store-error.ts";

/** The coded error for a failure of the disk or of what is on it; every other error as it is. */
export function storeErrorOf(error: unknown): unknown {
  switch (primaryCode(error)) {
    case SQLITE_FULL:
      return new StoreError("STORE_FULL", "The database's disk is full. Nothing was lost; make room and try again.", {
        cause: error,
      });
    case SQLITE_IO_ERROR:
      return new StoreError("STORE_UNAVAILABLE", "The database's disk fails. Look at the disk, then try again.", {
        cause: error,
      });
    case SQLITE_CORRUPT:
      return new StoreError("STORE_DAMAGED", "A page of the database's file is not what was written.", {
        cause: error,
      });
    default:
      return error;
  }
}
