/**
 * COSE_Sign1 (RFC 9052 sections 4.2 and 4.4) as the project speaks it: deterministic CBOR, ES256 alone, every header
 * protected, the payload inside. Protected header: alg always, kid and typ (RFC 9596) where given; the unprotected
 * one is the empty map. What is verified is always the bytes received, never a re-encoding of them.
 */

import { newBytes } from "./bytes.ts";
import { ARRAY, BYTES, CborError, MAP, NEGATIVE, TAG, TEXT } from "./cbor.ts";
import { decodeCborViews } from "./cbor-decode.ts";
import { headLength, putHead } from "./cbor-encode.ts";
import { CoseError } from "./cose-error.ts";
import { SIGNATURE_LENGTH } from "./crypto.ts";
import { encodeUtf8 } from "./utf8.ts";

export type ProtectedHeaders = {
  /** kid, label 4: chosen by the issuer of the key. */
  readonly keyId?: Uint8Array;
  /** typ, label 16 (RFC 9596), its text form. */
  readonly type?: string;
};

/** A decoded message, its signature not verified yet. All bytes are views of the message, which is to stay as it is. */
export type Sign1 = {
  readonly headers: ProtectedHeaders;
  /** The protected header as received: the content of its byte string. */
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  /** 64 bytes: r, then s. */
  readonly signature: Uint8Array;
};

export type Sign1Form = {
  /** external_aad as text, '' for none: a signature made in one context is worth nothing in another. */
  readonly context: string;
  /** Whether the message carries CBOR tag 18. Exactly one of the two forms is accepted. Default: false. */
  readonly tagged?: boolean;
};

/** A message complete but for its signature. */
export type PreparedSign1 = {
  /** Sig_structure: sign exactly these bytes. Their SHA-256 is the message's identity. */
  readonly toBeSigned: Uint8Array;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly tagged: boolean;
};

const ALGORITHM_LABEL = 1;
const KEY_ID_LABEL = 4;
const TYPE_LABEL = 16;
const ES256 = -7;

/** Tag 18, RFC 9052 section 2. */
const COSE_SIGN1_TAG_BYTE = (TAG << 5) | 18;
const SIGNATURE_CONTEXT = Uint8Array.from("Signature1", (letter) => letter.charCodeAt(0));

/**
 * Lays out what will be signed, before any key is touched.
 * @throws CborError CBOR_INVALID_UTF8 when context or type hold half a surrogate pair.
 */
export function prepareSign1(input: {
  readonly headers: ProtectedHeaders;
  readonly payload: Uint8Array;
  readonly form: Sign1Form;
}): PreparedSign1 {
  const { headers, form } = input;
  const protectedBytes = encodeProtected(headers);
  const toBeSigned = sigStructure(protectedBytes, form.context, input.payload);
  return {
    toBeSigned,
    protectedBytes,
    // Its end: one copy is enough for whatever becomes of the input.
    payload: toBeSigned.subarray(toBeSigned.length - input.payload.length),
    tagged: form.tagged ?? false,
  };
}

/**
 * The encoded message.
 * @throws CoseError COSE_MALFORMED when the signature is not 64 bytes. Whether it is valid is not checked here.
 */
export function finishSign1(prepared: PreparedSign1, signature: Uint8Array): Uint8Array {
  checkSignatureLength(signature);
  const { protectedBytes, payload, tagged } = prepared;
  const lead = tagged ? [COSE_SIGN1_TAG_BYTE, (ARRAY << 5) | 4] : [(ARRAY << 5) | 4];
  const length =
    lead.length + byteStringLength(protectedBytes) + 1 + byteStringLength(payload) + byteStringLength(signature);
  const bytes = newBytes(length);
  bytes.set(lead);
  let position = putByteString(bytes, lead.length, protectedBytes);
  bytes[position] = MAP << 5;
  position = putByteString(bytes, position + 1, payload);
  putByteString(bytes, position, signature);
  return bytes;
}

/**
 * Reads one message that takes the whole input. Its signature is still to be verified, over `toBeSigned`.
 * @throws CborError for faults of the CBOR underneath (for one in the protected header, the offset counts from its
 *   first byte); otherwise CoseError, by this precedence: COSE_MALFORMED (structure), COSE_ALGORITHM (missing or not
 *   ES256), COSE_HEADER (an unsupported or ill-typed header, or one that is not protected), COSE_MALFORMED (a
 *   signature that is not 64 bytes).
 */
export function decodeSign1(bytes: Uint8Array, form: Sign1Form): Sign1 {
  const tagged = form.tagged ?? false;
  if ((bytes[0] === COSE_SIGN1_TAG_BYTE) !== tagged) {
    throw new CoseError("COSE_MALFORMED", tagged ? "The message lacks tag 18." : "The message carries a tag.");
  }
  const parts = decodeCborViews(bytes, tagged ? 1 : 0);
  if (!Array.isArray(parts) || parts.length !== 4) throw malformed("A COSE_Sign1 is an array of four.");
  const [protectedBytes, unprotected, payload, signature] = parts;
  if (!(protectedBytes instanceof Uint8Array)) throw malformed("The protected header is not a byte string.");
  if (!(unprotected instanceof Map)) throw malformed("The unprotected header is not a map.");
  if (!(payload instanceof Uint8Array)) throw malformed("The payload is not a byte string.");
  if (!(signature instanceof Uint8Array)) throw malformed("The signature is not a byte string.");
  const headers = decodeProtected(protectedBytes);
  if (unprotected.size !== 0) throw new CoseError("COSE_HEADER", "The unprotected header is not empty.");
  checkSignatureLength(signature);
  return { headers, protectedBytes, payload, signature };
}

/**
 * Sig_structure (RFC 9052 section 4.4) over the bytes received: what the signature is verified over. The SHA-256 of
 * it is the message's identity, and exactly the digest that ES256 signs.
 * @param scratch Where to put it together, for whoever looks at it at once: what comes out is then a view of it.
 * @throws CborError CBOR_INVALID_UTF8 when the context holds half a surrogate pair.
 */
export function toBeSigned(sign1: Sign1, form: Sign1Form, scratch?: Uint8Array): Uint8Array {
  return sigStructure(sign1.protectedBytes, form.context, sign1.payload, scratch);
}

/** {1: -7, 4: keyId, 16: type}, put together by hand like the rest of the frame. */
function encodeProtected({ keyId, type }: ProtectedHeaders): Uint8Array {
  const text = type === undefined ? undefined : utf8Of(type);
  const size = 1 + (keyId === undefined ? 0 : 1) + (text === undefined ? 0 : 1);
  const length =
    3 + (keyId === undefined ? 0 : 1 + byteStringLength(keyId)) + (text === undefined ? 0 : 1 + byteStringLength(text));
  const bytes = newBytes(length);
  bytes[0] = (MAP << 5) | size;
  bytes[1] = ALGORITHM_LABEL;
  bytes[2] = (NEGATIVE << 5) | (-1 - ES256);
  let position = 3;
  if (keyId !== undefined) {
    bytes[position] = KEY_ID_LABEL;
    position = putString(bytes, position + 1, BYTES, keyId);
  }
  if (text !== undefined) {
    bytes[position] = TYPE_LABEL;
    putString(bytes, position + 1, TEXT, text);
  }
  return bytes;
}

function decodeProtected(bytes: Uint8Array): ProtectedHeaders {
  // RFC 9052 section 3 encodes the empty header as no bytes at all.
  const labels = bytes.length === 0 ? undefined : decodeCborViews(bytes);
  if (labels !== undefined && !(labels instanceof Map)) throw malformed("The protected header is not a map.");
  if (labels?.get(ALGORITHM_LABEL) !== ES256) throw new CoseError("COSE_ALGORITHM", "The algorithm is not ES256.");
  const headers: { keyId?: Uint8Array; type?: string } = {};
  const keyId = labels.get(KEY_ID_LABEL);
  const type = labels.get(TYPE_LABEL);
  let known = 1;
  if (keyId instanceof Uint8Array) {
    headers.keyId = keyId;
    known += 1;
  }
  if (typeof type === "string") {
    headers.type = type;
    known += 1;
  }
  if (known < labels.size) throw new CoseError("COSE_HEADER", "A header is unsupported or ill-typed.");
  return headers;
}

/** What the few contexts and types of a protocol come to in bytes. */
const TEXTS = new Map<string, Uint8Array>();
const MAXIMUM_TEXTS = 100;

/** @throws CborError CBOR_INVALID_UTF8 */
function utf8Of(text: string): Uint8Array {
  const known = TEXTS.get(text);
  if (known !== undefined) return known;
  const bytes = encodeUtf8(text);
  if (bytes === undefined) throw new CborError("CBOR_INVALID_UTF8", "Context or type hold half a surrogate pair.", 0);
  if (TEXTS.size < MAXIMUM_TEXTS) TEXTS.set(text, bytes);
  return bytes;
}

/** ["Signature1", protected, external_aad, payload], put together by hand: several times as fast as by `encodeCbor`. */
function sigStructure(
  protectedBytes: Uint8Array,
  context: string,
  payload: Uint8Array,
  scratch?: Uint8Array,
): Uint8Array {
  const external = utf8Of(context);
  const start = 2 + SIGNATURE_CONTEXT.length;
  const length = start + byteStringLength(protectedBytes) + byteStringLength(external) + byteStringLength(payload);
  const bytes = scratch !== undefined && length <= scratch.length ? scratch.subarray(0, length) : newBytes(length);
  bytes[0] = (ARRAY << 5) | 4;
  bytes[1] = (TEXT << 5) | SIGNATURE_CONTEXT.length;
  bytes.set(SIGNATURE_CONTEXT, 2);
  putByteString(bytes, putByteString(bytes, putByteString(bytes, start, protectedBytes), external), payload);
  return bytes;
}

function byteStringLength(content: Uint8Array): number {
  return headLength(content.length) + content.length;
}

/** Writes a byte string and answers where the next byte goes. */
function putByteString(bytes: Uint8Array, position: number, content: Uint8Array): number {
  return putString(bytes, position, BYTES, content);
}

function putString(bytes: Uint8Array, position: number, major: number, content: Uint8Array): number {
  const begin = putHead(bytes, position, major, content.length);
  bytes.set(content, begin);
  return begin + content.length;
}

function checkSignatureLength(signature: Uint8Array): void {
  if (signature.length !== SIGNATURE_LENGTH) throw malformed(`An ES256 signature is ${SIGNATURE_LENGTH} bytes.`);
}

function malformed(message: string): CoseError {
  return new CoseError("COSE_MALFORMED", message);
}
