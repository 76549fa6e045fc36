import type { CryptoPort } from "@cairn/cose";
import { type TerminalId, toHex } from "@cairn/messages";
import { hmac } from "../keys/hmac.ts";
import type { Random } from "../ports.ts";

/**
 * One-time codes as a person reads them over a telephone: ten characters of Crockford's base32 (no I, L, O, U) in two
 * groups, 50 bits. Stored is their HMAC-SHA-256 under a secret that lies with the issuer's keys: 50 bits are a day's work
 * for whoever holds a copy of the database and could try them all. How hard they are to guess online:
 * services/attempt-limit.ts.
 */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH = 10;
const GROUP = 5;
/** A day: made in the evening, typed in the next morning. */
export const ENROLMENT_CODE_VALIDITY_SECONDS = 86_400;
/** Longer ones would lie about for guessers. */
export const MAXIMUM_ENROLMENT_CODE_VALIDITY_SECONDS = 7 * 86_400;

/** "7K3QM-9ZXWA" */
export function makeEnrolmentCode(random: Pick<Random, "bytes">): string {
  // 32 divides 256, so every letter is equally likely.
  const letters = Array.from(random.bytes(LENGTH), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  return `${letters.slice(0, GROUP)}-${letters.slice(GROUP)}`;
}

/** The server's own secret serves for nonces and for codes: what is authenticated begins differently. */
export type CodeSecret = { readonly crypto: Pick<CryptoPort, "sha256">; readonly nonceSecret: Uint8Array };

/** The same code for the same words; to whoever has not the secret it is as random as any other. */
export function derivedEnrolmentCode(words: string, { crypto, nonceSecret }: CodeSecret): string {
  const drawn = hmac(nonceSecret, new TextEncoder().encode(`cairn/1/derived-code/${words}`), crypto);
  return makeEnrolmentCode({ bytes: (length) => drawn.subarray(0, length) });
}

/**
 * What the store knows a code by: the same for every way in which people type it. Undefined for what cannot be a code.
 * @param onlyFor The one key that it is good for; with any other, or none, it is another code, which nobody made.
 */
export function enrolmentCodeHash(
  typed: string,
  { crypto, nonceSecret }: CodeSecret,
  onlyFor?: TerminalId,
): string | undefined {
  const letters = typed.toUpperCase().replaceAll(/[\s-]/g, "").replaceAll("O", "0").replaceAll(/[IL]/g, "1");
  if (letters.length !== LENGTH || [...letters].some((letter) => !ALPHABET.includes(letter))) return undefined;
  const named = onlyFor === undefined ? "" : `/${onlyFor}`;
  return toHex(hmac(nonceSecret, new TextEncoder().encode(`cairn/1/enrolment-code/${letters}${named}`), crypto));
}
