import type { IssuerOptions, RunningIssuer } from "./options.ts";

/**
 * Starts the issuer's server and its settlement worker in this process. Signals are the caller's: call `close()`.
 * @throws CodedError KEY_FILE_PASSPHRASE_WRONG and others of KeyFileError; OptionsError; EADDRINUSE of the system.
 */
export async function startIssuer(_options: IssuerOptions): Promise<RunningIssuer> {
  throw new Error("Not there yet.");
}
