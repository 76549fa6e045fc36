import type { CryptoPort } from "@cairn/cose";
import { toHex } from "./identifiers.ts";

/** SHA-256 as 64 lower-case hexadecimal digits, which identifiers are in memory. */
export function digestText(bytes: Uint8Array, crypto: CryptoPort): string {
  return crypto.sha256Hex?.(bytes) ?? toHex(crypto.sha256(bytes));
}
