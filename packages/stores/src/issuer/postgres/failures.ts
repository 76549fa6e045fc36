import { StoreError } from "../store-error.ts";

/** What a failed statement means for whoever sent it. Source: PostgreSQL documentation, "Error Codes". */
export type FailureKind =
  /** The server is gone, not there yet, or hung up: the statement's effect is not known. */
  | "lost"
  /** Rolled back in favour of another transaction: the same again will do. */
  | "again"
  /** It took too long and was given up. */
  | "slow"
  | "full"
  | "other";

/** Serialization failure, deadlock, and a prepared statement whose tables were changed by a migration. */
const AGAIN = new Set(["40001", "40P01", "0A000"]);
/** A cancelled statement, and a lock that was not to be had in time. */
const SLOW = new Set(["57014", "55P03", "25P03", "25P04"]);
/** Disk full; and what comes of a limit on a file's size. */
const FULL = new Set(["53100", "54000"]);
/** Shut down, crashed, starting up, too many connections, disk errors after which the server starts anew. */
const LOST = /^(?:08|57P0[1-4]|53300|58)/;
/** Without SQLSTATE: from the socket or from the driver. */
const SOCKET = new Set(["ECONNREFUSED", "ECONNRESET", "EPIPE", "ETIMEDOUT", "ENOTFOUND", "ENOENT", "EHOSTUNREACH"]);
const DRIVER_LOST = /Connection terminated|connection error|timeout exceeded when trying to connect|Client was closed/i;
const DRIVER_SLOW = /Query read timeout/;

export function failureOf(error: unknown): FailureKind {
  if (!(error instanceof Error)) return "other";
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (code === "0A000" && !/cached plan/.test(error.message)) return "other";
  if (AGAIN.has(code)) return "again";
  if (SLOW.has(code) || DRIVER_SLOW.test(error.message)) return "slow";
  if (FULL.has(code)) return "full";
  if (LOST.test(code) || SOCKET.has(code) || DRIVER_LOST.test(error.message)) return "lost";
  return "other";
}

/** The coded error for a failure of the server; every other error as it is. */
export function storeErrorOf(error: unknown): unknown {
  switch (failureOf(error)) {
    case "lost":
    case "again":
      return new StoreError("STORE_UNAVAILABLE", "The database cannot be reached. Nothing was lost; try again.", {
        cause: error,
      });
    case "slow":
      return new StoreError("STORE_TIMEOUT", "The database took too long. Nothing was lost; try again.", {
        cause: error,
      });
    case "full":
      return new StoreError("STORE_FULL", "The database's disk is full. Nothing was lost; make room and try again.", {
        cause: error,
      });
    case "other":
      return error;
  }
}
