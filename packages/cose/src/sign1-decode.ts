import { plainBytes } from "./bytes.ts";
import { TAG } from "./cbor.ts";
import {
  CborCursor,
  checkEnd,
  readArrayHead,
  readByteString,
  readInteger,
  readMapHead,
  readText,
} from "./cbor-cursor.ts";
import { checkCbor, readValue } from "./cbor-decode.ts";
import { CoseError } from "./cose-error.ts";
import { SIGNATURE_LENGTH } from "./crypto.ts";

export type ProtectedHeaders = {
  /** kid, label 4: chosen by the issuer of the key. */
  readonly keyId?: Uint8Array;
  /** typ, label 16 (RFC 9596), its text form. */
  readonly type?: string;
};

export type Sign1Form = {
  /** external_aad as text, '' for none: a signature made in one context is worth nothing in another. */
  readonly context: string;
  /** Whether the message carries CBOR tag 18. Exactly one of the two forms is accepted. Default: false. */
  readonly tagged?: boolean;
};

type Labels = Pick<Sign1, "keyIdAt" | "type">;
type Places = Labels & Pick<Sign1, "bytes" | "protectedStart" | "protectedEnd" | "payloadStart" | "payloadEnd">;

/**
 * A decoded message, its signature not verified yet: where its parts lie. What is asked for is a view of the message,
 * which is to stay as it is.
 */
export class Sign1 {
  readonly bytes: Uint8Array;
  /** The content of the protected header's byte string, as received: from here to `protectedEnd` (exclusive). */
  readonly protectedStart: number;
  readonly protectedEnd: number;
  readonly payloadStart: number;
  readonly payloadEnd: number;
  /** Where the byte string of kid begins, its head included; -1 without one. */
  readonly keyIdAt: number;
  /** typ, see `ProtectedHeaders`. */
  readonly type: string | undefined;

  constructor(places: Places) {
    this.bytes = places.bytes;
    this.protectedStart = places.protectedStart;
    this.protectedEnd = places.protectedEnd;
    this.payloadStart = places.payloadStart;
    this.payloadEnd = places.payloadEnd;
    this.keyIdAt = places.keyIdAt;
    this.type = places.type;
  }

  get headers(): ProtectedHeaders {
    const { bytes, keyIdAt, type } = this;
    const headers: { keyId?: Uint8Array; type?: string } = {};
    if (keyIdAt >= 0) {
      const cursor = new CborCursor(bytes, keyIdAt, this.protectedEnd);
      const length = readByteString(cursor);
      headers.keyId = bytes.subarray(cursor.position - length, cursor.position);
    }
    if (type !== undefined) headers.type = type;
    return headers;
  }

  get protectedBytes(): Uint8Array {
    return this.bytes.subarray(this.protectedStart, this.protectedEnd);
  }

  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadStart, this.payloadEnd);
  }

  /** 64 bytes: r, then s. A COSE_Sign1 ends with them. */
  get signature(): Uint8Array {
    return this.bytes.subarray(this.bytes.length - SIGNATURE_LENGTH);
  }
}

export const ALGORITHM_LABEL = 1;
export const KEY_ID_LABEL = 4;
export const TYPE_LABEL = 16;
export const ES256 = -7;

/** Tag 18, RFC 9052 section 2. */
export const COSE_SIGN1_TAG_BYTE = (TAG << 5) | 18;
/**
 * Reads one message that takes the whole input. Its signature is still to be verified, over `toBeSigned`.
 * @throws CborError for faults of the CBOR underneath, those in the protected header after COSE_MALFORMED (structure);
 *   otherwise CoseError, by this precedence: COSE_MALFORMED (structure), COSE_ALGORITHM (missing or not ES256),
 *   COSE_HEADER (an unsupported or ill-typed header, or one that is not protected), COSE_MALFORMED (a signature that is
 *   not 64 bytes).
 */
export function decodeSign1(bytes: Uint8Array, form: Sign1Form): Sign1 {
  const tagged = form.tagged ?? false;
  if ((bytes[0] === COSE_SIGN1_TAG_BYTE) !== tagged) {
    throw new CoseError("COSE_MALFORMED", tagged ? "The message lacks tag 18." : "The message carries a tag.");
  }
  const cursor = new CborCursor(plainBytes(bytes), tagged ? 1 : 0);
  try {
    return readFrame(cursor);
  } catch (error) {
    // What is no CBOR at all is said first, wherever it stands.
    checkCbor(cursor.bytes, tagged ? 1 : 0);
    throw error;
  }
}

function readFrame(cursor: CborCursor): Sign1 {
  const { bytes } = cursor;
  if (readArrayHead(cursor) !== 4) throw malformed("A COSE_Sign1 is an array of four.");
  const protectedLength = readByteString(cursor);
  if (protectedLength < 0) throw malformed("The protected header is not a byte string.");
  const protectedEnd = cursor.position;
  const unprotectedSize = readMapHead(cursor);
  if (unprotectedSize < 0) throw malformed("The unprotected header is not a map.");
  if (unprotectedSize > 0) checkCbor(bytes, bytes[0] === COSE_SIGN1_TAG_BYTE ? 1 : 0);
  for (let rest = unprotectedSize * 2; rest > 0; rest -= 1) readValue(cursor);
  const payloadLength = readByteString(cursor);
  if (payloadLength < 0) throw malformed("The payload is not a byte string.");
  const payloadEnd = cursor.position;
  const signatureLength = readByteString(cursor);
  if (signatureLength < 0) throw malformed("The signature is not a byte string.");
  checkEnd(cursor);
  const protectedStart = protectedEnd - protectedLength;
  cursor.position = protectedStart;
  cursor.end = protectedEnd;
  const { keyIdAt, type } = decodeProtected(cursor);
  if (unprotectedSize !== 0) throw new CoseError("COSE_HEADER", "The unprotected header is not empty.");
  checkSignatureLength(signatureLength);
  return new Sign1({
    bytes,
    protectedStart,
    protectedEnd,
    payloadStart: payloadEnd - payloadLength,
    payloadEnd,
    keyIdAt,
    type,
  });
}

function decodeProtected(cursor: CborCursor): Labels {
  const { bytes, position: start, end } = cursor;
  // RFC 9052 section 3 encodes the empty header as no bytes at all.
  if (start === end) throw otherAlgorithm();
  try {
    return readLabels(cursor);
  } catch (error) {
    checkCbor(bytes, start, end);
    throw error;
  }
}

function readLabels(cursor: CborCursor): Labels {
  const size = readMapHead(cursor);
  if (size < 0) throw malformed("The protected header is not a map.");
  let known = 0;
  let previous = -1;
  let isEs256 = false;
  let keyIdAt = -1;
  let type: string | undefined;
  for (let count = 0; count < size; count += 1) {
    const label = readInteger(cursor) ?? readValue(cursor);
    const at = cursor.position;
    if (typeof label !== "number" || label < 0) {
      readValue(cursor);
      continue;
    }
    // Out of order: no CBOR of the subset, as is told before this.
    if (label <= previous) break;
    previous = label;
    if (label === ALGORITHM_LABEL && readInteger(cursor) === ES256) isEs256 = true;
    else if (label === KEY_ID_LABEL && readByteString(cursor) >= 0) keyIdAt = at;
    else if (label === TYPE_LABEL) type = readText(cursor);
    if (cursor.position === at) readValue(cursor);
    else known += 1;
  }
  checkEnd(cursor);
  if (!isEs256) throw otherAlgorithm();
  if (known < size) throw new CoseError("COSE_HEADER", "A header is unsupported or ill-typed.");
  return { keyIdAt, type };
}

const otherAlgorithm = (): CoseError => new CoseError("COSE_ALGORITHM", "The algorithm is not ES256.");

export function checkSignatureLength(length: number): void {
  if (length !== SIGNATURE_LENGTH) throw malformed(`An ES256 signature is ${SIGNATURE_LENGTH} bytes.`);
}

function malformed(message: string): CoseError {
  return new CoseError("COSE_MALFORMED", message);
}
