/**
 * COSE_Sign1 (RFC 9052 sections 4.2 and 4.4) as the project speaks it: deterministic CBOR, ES256 alone, every header
 * protected, the payload inside. Protected header: alg always, kid and typ (RFC 9596) where given; the unprotected
 * one is the empty map. What is verified is always the bytes received, never a re-encoding of them.
 */

import { newBytes, putBytes, type Scratch } from "./bytes.ts";
import { ARRAY, BYTES, CborError, MAP, NEGATIVE, TEXT } from "./cbor.ts";
import { headLength, putHead } from "./cbor-encode.ts";
import {
  ALGORITHM_LABEL,
  COSE_SIGN1_TAG_BYTE,
  checkSignatureLength,
  ES256,
  KEY_ID_LABEL,
  type ProtectedHeaders,
  type Sign1,
  type Sign1Form,
  TYPE_LABEL,
} from "./sign1-decode.ts";
import { encodeUtf8 } from "./utf8.ts";

/** A message complete but for its signature. */
export type PreparedSign1 = {
  /** Sig_structure: sign exactly these bytes. Their SHA-256 is the message's identity. */
  readonly toBeSigned: Uint8Array;
  readonly protectedBytes: Uint8Array;
  readonly payload: Uint8Array;
  readonly tagged: boolean;
};

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
  const toBeSigned = sigStructure(rangeOf(protectedBytes), form.context, rangeOf(input.payload));
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
  checkSignatureLength(signature.length);
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
 * Sig_structure (RFC 9052 section 4.4) over the bytes received: what the signature is verified over. The SHA-256 of
 * it is the message's identity, and exactly the digest that ES256 signs.
 * @param scratch Where to put it together, for whoever looks at it at once: what comes out is then a view of it.
 * @throws CborError CBOR_INVALID_UTF8 when the context holds half a surrogate pair.
 */
export function toBeSigned(sign1: Sign1, form: Sign1Form, scratch?: Scratch): Uint8Array {
  const { bytes, protectedStart, protectedEnd, payloadStart, payloadEnd } = sign1;
  const header = { bytes, start: protectedStart, end: protectedEnd };
  return sigStructure(header, form.context, { bytes, start: payloadStart, end: payloadEnd }, scratch);
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

type ByteRange = { readonly bytes: Uint8Array; readonly start: number; readonly end: number };

/** ["Signature1", protected, external_aad, payload], put together by hand: several times as fast as by `encodeCbor`. */
function sigStructure(header: ByteRange, context: string, payload: ByteRange, scratch?: Scratch): Uint8Array {
  const external = rangeOf(utf8Of(context));
  const start = 2 + SIGNATURE_CONTEXT.length;
  const length = start + rangeLength(header) + rangeLength(external) + rangeLength(payload);
  const bytes = scratch?.first(length) ?? newBytes(length);
  bytes[0] = (ARRAY << 5) | 4;
  bytes[1] = (TEXT << 5) | SIGNATURE_CONTEXT.length;
  putBytes(bytes, 2, SIGNATURE_CONTEXT);
  putRange(bytes, putRange(bytes, putRange(bytes, start, header), external), payload);
  return bytes;
}

const rangeOf = (bytes: Uint8Array): ByteRange => ({ bytes, start: 0, end: bytes.length });

/** As a byte string, its head included. */
function rangeLength({ start, end }: ByteRange): number {
  return headLength(end - start) + end - start;
}

function putRange(target: Uint8Array, position: number, { bytes, start, end }: ByteRange): number {
  return putBytes(target, putHead(target, position, BYTES, end - start), bytes, start, end);
}

function byteStringLength(content: Uint8Array): number {
  return headLength(content.length) + content.length;
}

/** Writes a byte string and answers where the next byte goes. */
function putByteString(bytes: Uint8Array, position: number, content: Uint8Array): number {
  return putString(bytes, position, BYTES, content);
}

function putString(bytes: Uint8Array, position: number, major: number, content: Uint8Array): number {
  return putBytes(bytes, putHead(bytes, position, major, content.length), content);
}
