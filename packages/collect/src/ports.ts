import type { CryptoPort, SignatureBatches, Signer } from "@cairn/cose";
import type { TerminalJournal } from "./journal.ts";
import type { CollectPolicy } from "./policy.ts";

/** Whole seconds since 1970, by the terminal's own clock. */
export type Clock = { nowSeconds(): number };
/** Bytes that nobody can guess. */
export type Random = { bytes(length: number): Uint8Array };

/** Everything that a terminal asks of the world. `signer` holds the key that its payee certificate names. */
export type TerminalPorts = {
  readonly journal: TerminalJournal;
  readonly signer: Signer;
  readonly crypto: CryptoPort;
  /** Where the platform has it: uploads then carry hints by which the issuer verifies many payments at once. */
  readonly signatures?: () => SignatureBatches | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly policy: CollectPolicy;
};

/**
 * A clock can be set back, and then expired certificates would look valid again. What an issuer signed proves that its
 * time has been reached. Times that payers or this terminal itself wrote do not count: they would carry one wrong
 * clock, or one lie, on for ever.
 */
export function honestNow(clock: Clock, newestIssuerTime: number): number {
  return Math.max(clock.nowSeconds(), newestIssuerTime);
}
