import type { SignatureBatches } from "../packages/cose/src/index.ts";
import { openSignatureBatches } from "../packages/cose/src/node/index.ts";

/** Of this thread: undefined where the platform does not reach OpenSSL by foreign-function calls. */
export const signatureBatches: SignatureBatches | undefined = openSignatureBatches();

const isTurnedOff = [...process.execArgv, process.env.NODE_OPTIONS ?? ""].join(" ").includes("--no-experimental-ffi");

/**
 * For `{ skip: signatureBatchesMissing }`. Settlement does without them where they are missing, so that is no failure on
 * any platform but Linux, where the pinned runtime has them: there nothing is skipped, so that the tests fail instead.
 */
export const signatureBatchesMissing =
  signatureBatches !== undefined || (process.platform === "linux" && !(isTurnedOff && process.env.CI !== "true"))
    ? false
    : "This runtime cannot verify signatures in batches: settlement verifies them one by one.";

/** @throws Error where they are missing: for tests that are not skipped. */
export function requireSignatureBatches(): SignatureBatches {
  if (signatureBatches === undefined) throw new Error("This runtime cannot verify signatures in batches.");
  return signatureBatches;
}
