import { type CborCursor, newBytes } from "@cairn/cose";

/**
 * Identifiers as checked types. In memory they are lower-case hexadecimal text, so that they compare with `===`,
 * serve as map keys and read well in logs; on the wire they are byte strings of fixed length.
 */
declare const brand: unique symbol;
type Branded<Name extends string> = string & { readonly [brand]: Name };

/** SHA-256 of a message's Sig_structure (RFC 9052 section 4.4): 32 bytes. Never covers the signature, which is malleable. */
export type MessageId = Branded<"MessageId">;
/** A user certificate's id: 16 bytes, one enciphered block; unlinkable without the issuer's key. */
export type CertificateId = Branded<"CertificateId">;
/** A payee certificate's id: 8 bytes. */
export type PayeeCertificateId = Branded<"PayeeCertificateId">;
/** First 4 bytes of the RFC 9679 thumbprint of an issuer or root key. */
export type KeyId = Branded<"KeyId">;
/** First 8 bytes of the RFC 9679 thumbprint of a terminal's key: names one till across renewals of its certificate. */
export type TerminalId = Branded<"TerminalId">;
/** First 8 bytes of the RFC 9679 thumbprint of a wallet device's key. */
export type DeviceId = Branded<"DeviceId">;
/** 8 random bytes that make a payment request unique. */
export type RequestNonce = Branded<"RequestNonce">;
/** 24 bytes handed out by the server: makes a signed call fresh, once. */
export type ServerNonce = Branded<"ServerNonce">;
/** First 16 bytes of a payment request's message id. */
export type RequestHash = Branded<"RequestHash">;
/** First 8 bytes of the message id that comes before in a certificate's chain. */
export type ChainHash = Branded<"ChainHash">;
/** SHA-256 of the body that a signed call carries. */
export type ContentHash = Branded<"ContentHash">;
/** 1 to 16 characters of A-Z, 0-9 and "-". */
export type PayeeId = Branded<"PayeeId">;
/** 1 to 16 characters of a-z, 0-9 and "-". */
export type IssuerId = Branded<"IssuerId">;

export type HexIdentifier =
  | MessageId
  | CertificateId
  | PayeeCertificateId
  | KeyId
  | TerminalId
  | DeviceId
  | RequestNonce
  | ServerNonce
  | RequestHash
  | ChainHash
  | ContentHash;

export const IDENTIFIER_BYTES = {
  messageId: 32,
  certificateId: 16,
  payeeCertificateId: 8,
  keyId: 4,
  terminalId: 8,
  deviceId: 8,
  requestNonce: 8,
  serverNonce: 24,
  requestHash: 16,
  chainHash: 8,
  contentHash: 32,
} as const;

/** The one place where bytes of the right length become an identifier. */
export function identifier<Id extends HexIdentifier>(bytes: Uint8Array, length: number): Id {
  if (bytes.length !== length)
    throw new RangeError(`An identifier of ${length} bytes cannot be made from ${bytes.length}.`);
  return toHex(bytes) as Id;
}

/** The identifier that the bytes before the cursor are. */
export function identifierBefore<Id extends HexIdentifier>({ bytes, position }: CborCursor, length: number): Id {
  return hexOf(bytes, position - length, position) as Id;
}

/** The first bytes of an identifier, as another, shorter identifier. */
export function shorten<Id extends HexIdentifier>(id: MessageId, length: number): Id {
  return id.slice(0, length * 2) as string as Id;
}

export const requestHashOf = (requestId: MessageId): RequestHash => shorten(requestId, IDENTIFIER_BYTES.requestHash);
export const chainHashOf = (previous: MessageId): ChainHash => shorten(previous, IDENTIFIER_BYTES.chainHash);

const PAYEE_ID_FORM = /^[A-Z0-9-]{1,16}$/;
const ISSUER_ID_FORM = /^[a-z0-9-]{1,16}$/;
export const isPayeeId = (text: string): text is PayeeId => PAYEE_ID_FORM.test(text);
export const isIssuerId = (text: string): text is IssuerId => ISSUER_ID_FORM.test(text);
export const isHexOf = (text: string, length: number): boolean =>
  text.length === length * 2 && /^[0-9a-f]*$/.test(text);

/** Reads an identifier from text (an API parameter, a database column); undefined when it has not the form. */
export function identifierFromText<Id extends HexIdentifier>(text: string, length: number): Id | undefined {
  return isHexOf(text, length) ? (text as string as Id) : undefined;
}

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));
/** ECMAScript 2026; several times as fast, and not there in every engine yet. */
const nativeToHex = (Uint8Array.prototype as { readonly toHex?: (this: Uint8Array) => string }).toHex;

export function toHex(bytes: Uint8Array): string {
  return nativeToHex === undefined ? hexOf(bytes, 0, bytes.length) : nativeToHex.call(bytes);
}

/** One for each length of identifiers: a view of the bytes for each of them would cost more than its text. */
const COPIES: Uint8Array[] = [];

/** Of bytes `start` to `end` (exclusive), no more than an identifier has. */
function hexOf(bytes: Uint8Array, start: number, end: number): string {
  if (nativeToHex !== undefined) {
    const length = end - start;
    COPIES[length] ??= new Uint8Array(length);
    const copy = COPIES[length];
    for (let at = 0; at < length; at += 1) copy[at] = bytes[start + at] as number;
    return nativeToHex.call(copy);
  }
  let text = "";
  for (let at = start; at < end; at += 1) text += HEX[bytes[at] as number];
  return text;
}

const NO_DIGIT = 16;
/** What character codes stand for; no digit is beyond 15. */
const DIGITS = Uint8Array.from({ length: 128 }, (_, code) => {
  const digit = "0123456789abcdef".indexOf(String.fromCharCode(code));
  return digit < 0 ? NO_DIGIT : digit;
});

/**
 * By hand: the native reader takes capitals too, and to look for them first takes longer than this.
 * @throws RangeError on text that is not an even number of lower-case hexadecimal digits.
 */
export function fromHex(text: string): Uint8Array {
  const length = text.length / 2;
  if (!Number.isInteger(length)) throw new RangeError("Not hexadecimal text.");
  const bytes = newBytes(length);
  let all = 0;
  for (let index = 0; index < length; index += 1) {
    const high = DIGITS[text.charCodeAt(index * 2)] ?? NO_DIGIT;
    const low = DIGITS[text.charCodeAt(index * 2 + 1)] ?? NO_DIGIT;
    all |= high | low;
    bytes[index] = (high << 4) | low;
  }
  if (all >= NO_DIGIT) throw new RangeError("Not hexadecimal text.");
  return bytes;
}
