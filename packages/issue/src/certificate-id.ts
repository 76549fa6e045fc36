import { putWord, wordAt } from "@cairn/cose";
import { type CertificateId, fromHex, IDENTIFIER_BYTES, identifier } from "@cairn/messages";
import { isAccountNumber } from "./account-number.ts";
import { IssueError } from "./issue-error.ts";
import type { AccountNumber, Partition } from "./model.ts";

/**
 * AES-128 (FIPS 197) on single 16-byte blocks, under a key that only the issuer holds. One block is a permutation:
 * different account and serial, different id, always. Nothing is chained, so no mode and no nonce is needed.
 */
export type CertificateIdCipher = {
  encryptBlock(block: Uint8Array): Uint8Array;
  decryptBlock(block: Uint8Array): Uint8Array;
};

export type OpenedCertificateId = { readonly account: AccountNumber; readonly serial: number };

/** Four thousand million certificates for one account, and four zero bytes left in the clear text to check. */
const MAXIMUM_SERIAL = 2 ** 32 - 1;
const WORD = 2 ** 32;

/**
 * The id of an account's certificate: account and serial as 8 big-endian bytes each, enciphered as one block.
 * @throws IssueError ACCOUNT_NUMBER_RANGE, SERIAL_RANGE, CIPHER_BLOCK_INVALID.
 */
export function sealCertificateId(
  { account, serial }: { readonly account: AccountNumber; readonly serial: number },
  cipher: CertificateIdCipher,
): CertificateId {
  if (!isAccountNumber(account)) throw new IssueError("ACCOUNT_NUMBER_RANGE", "This is not an account number.");
  if (!Number.isInteger(serial) || serial < 0 || serial > MAXIMUM_SERIAL)
    throw new IssueError("SERIAL_RANGE", `${serial} is not a serial.`);
  const clear = new Uint8Array(IDENTIFIER_BYTES.certificateId);
  putWord(clear, 0, Math.floor(account / WORD));
  putWord(clear, 4, account % WORD);
  putWord(clear, 12, serial);
  return identifier<CertificateId>(wholeBlock(cipher.encryptBlock(clear)), IDENTIFIER_BYTES.certificateId);
}

/**
 * Account and serial of one of this issuer's own ids. Undefined when the clear text is not plausible: an id made up or
 * made under another key passes with a probability of 2^-48, so a caller still looks the certificate up.
 * @throws IssueError CIPHER_BLOCK_INVALID.
 */
export function openCertificateId(id: CertificateId, cipher: CertificateIdCipher): OpenedCertificateId | undefined {
  const clear = wholeBlock(cipher.decryptBlock(fromHex(id)));
  const account = wordAt(clear, 0) * WORD + wordAt(clear, 4);
  if (!isAccountNumber(account) || wordAt(clear, 8) !== 0) return undefined;
  return { account, serial: wordAt(clear, 12) };
}

/**
 * The partition of an account: the lowest byte of both halves of the number mixed by MurmurHash3's 32-bit finaliser,
 * the higher half first. Accounts numbered in a row spread over all 256. Stored keys begin with it, so it can never
 * change; the vectors in the test hold it fast.
 */
export function partitionOf(account: AccountNumber): Partition {
  const low = account % WORD;
  const high = Math.floor(account / WORD);
  return mix(mix(high + 1) ^ low) & 0xff;
}

function mix(word: number): number {
  let mixed = word | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function wholeBlock(block: Uint8Array): Uint8Array {
  if (block.length !== IDENTIFIER_BYTES.certificateId)
    throw new IssueError("CIPHER_BLOCK_INVALID", `The cipher gave ${block.length} bytes instead of 16.`);
  return block;
}
