import type { CryptoPort, Signer } from "@cairn/cose";
import type { WalletStore } from "./wallet-store.ts";

/** Whole seconds since 1970, by the device's own clock. */
export type Clock = { nowSeconds(): number };

/** Everything that a wallet asks of the world. `signer` holds the device key that its certificates name. */
export type WalletPorts = {
  readonly store: WalletStore;
  readonly signer: Signer;
  readonly crypto: CryptoPort;
  readonly clock: Clock;
};

/**
 * A clock can be set back, and then an expired certificate would look valid again. `newestSeen` is the latest time
 * that somebody else's signature has proved to be reached; the wallet never believes in an earlier one.
 * Decision: docs/decisions/0012-honest-time.md.
 */
export function honestNow(clock: Clock, newestSeen: number): number {
  return Math.max(clock.nowSeconds(), newestSeen);
}
