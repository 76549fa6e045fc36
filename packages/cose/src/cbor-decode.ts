import { copyOfBytes } from "./bytes.ts";
import {
  ARRAY,
  BYTES,
  CborError,
  type CborKey,
  type CborMap,
  type CborValue,
  FALSE_BYTE,
  MAXIMUM_CBOR_CONTAINERS,
  MAXIMUM_CBOR_DEPTH,
  NEGATIVE,
  NULL_BYTE,
  SIMPLE,
  TAG,
  TEXT,
  TRUE_BYTE,
  UNSIGNED,
} from "./cbor.ts";
import { decodeUtf8 } from "./utf8.ts";

type Reader = { readonly bytes: Uint8Array; readonly copies: boolean; position: number; containers: number };

/**
 * Decodes exactly one item that takes the whole input, in core deterministic encoding (RFC 8949 section 4.2.1).
 * Byte strings are copies: what was decoded stays as it was whatever happens to the input.
 * @throws CborError, and nothing else, whatever the bytes.
 */
export function decodeCbor(bytes: Uint8Array): CborValue {
  return decodeWhole(openReader(bytes, 0, "copies"));
}

/**
 * As `decodeCbor`, from byte `start` on, its byte strings views of the input: for whoever sees to it that the input
 * stays as it is. A view keeps all of the input in memory.
 */
export function decodeCborViews(bytes: Uint8Array, start = 0): CborValue {
  return decodeWhole(openReader(bytes, start, "views"));
}

function decodeWhole(reader: Reader): CborValue {
  const value = readItem(reader, 0);
  if (reader.position !== reader.bytes.length) {
    throw new CborError("CBOR_TRAILING_BYTES", "The item is followed by further bytes.", reader.position);
  }
  return value;
}

/**
 * Decodes a CBOR sequence (RFC 8742) at once; empty input is an empty sequence. The bound on arrays and maps holds for
 * the whole sequence: a long one from outside is for `splitCborSequence`.
 * @throws CborError for the first bad item.
 */
export function decodeCborSequence(bytes: Uint8Array): CborValue[] {
  const reader = openReader(bytes, 0, "copies");
  const values: CborValue[] = [];
  while (reader.position < bytes.length) values.push(readItem(reader, 0));
  return values;
}

/**
 * Splits a CBOR sequence (RFC 8742) into the exact bytes of its items (copies), each looked at as strictly as by
 * `decodeCbor`: for whoever decodes the items themselves afterwards. Do not change the input while reading. Items
 * before a bad one have been handed out by the time it is reached.
 * @throws CborError while iterating, at the first bad item.
 */
export function* splitCborSequence(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  for (const item of splitCborSequenceViews(bytes)) yield copyOfBytes(item);
}

/**
 * As `splitCborSequence`, each item a view of the input: for whoever sees to it that the input stays as it is. A view
 * keeps all of the input in memory.
 */
export function* splitCborSequenceViews(bytes: Uint8Array): Generator<Uint8Array, void, void> {
  const reader = openReader(bytes, 0, "views");
  while (reader.position < reader.bytes.length) {
    const start = reader.position;
    reader.containers = 0;
    readItem(reader, 0);
    yield reader.bytes.subarray(start, reader.position);
  }
}

function openReader(bytes: Uint8Array, start: number, byteStrings: "copies" | "views"): Reader {
  // A view of the plain kind, since `slice` of Node's Buffer does not copy.
  const plain = bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  return { bytes: plain, copies: byteStrings === "copies", position: start, containers: 0 };
}

function readItem(reader: Reader, depth: number): CborValue {
  const start = reader.position;
  const initial = readByte(reader);
  const major = initial >> 5;
  if (major === SIMPLE) return readSimple(initial, start);
  if (major === TAG) throw new CborError("CBOR_UNSUPPORTED", "Tags are not supported.", start);
  const argument = readArgument(reader, initial & 0x1f, start);
  switch (major) {
    case UNSIGNED:
      return checkedInteger(argument, start);
    case NEGATIVE:
      return checkedInteger(-1 - argument, start);
    case BYTES:
      return readBytes(reader, argument, start);
    case TEXT:
      return readText(reader, argument, start);
    case ARRAY:
      return readArray(reader, argument, start, depth);
    default:
      return readMap(reader, argument, start, depth);
  }
}

function readSimple(initial: number, start: number): CborValue {
  if (initial === FALSE_BYTE) return false;
  if (initial === TRUE_BYTE) return true;
  if (initial === NULL_BYTE) return null;
  throw new CborError("CBOR_UNSUPPORTED", "Of major type 7 only true, false and null are supported.", start);
}

function checkedInteger(value: number, start: number): number {
  if (!Number.isSafeInteger(value)) throw new CborError("CBOR_INTEGER_RANGE", "An integer is beyond ±(2^53-1).", start);
  return value;
}

function readBytes(reader: Reader, length: number, start: number): Uint8Array {
  const begin = claim(reader, length, start);
  return reader.copies
    ? copyOfBytes(reader.bytes, begin, reader.position)
    : reader.bytes.subarray(begin, reader.position);
}

function readText(reader: Reader, length: number, start: number): string {
  const text = decodeUtf8(reader.bytes, claim(reader, length, start), reader.position);
  if (text === undefined) throw new CborError("CBOR_INVALID_UTF8", "Text is not UTF-8.", start);
  return text;
}

function readArray(reader: Reader, length: number, start: number, depth: number): CborValue[] {
  enterContainer(reader, length, start, depth);
  const items: CborValue[] = [];
  for (let count = 0; count < length; count += 1) items.push(readItem(reader, depth + 1));
  return items;
}

function readMap(reader: Reader, size: number, start: number, depth: number): CborMap {
  enterContainer(reader, size * 2, start, depth);
  const map: CborMap = new Map();
  let previousStart = -1;
  for (let count = 0; count < size; count += 1) {
    const keyStart = reader.position;
    const key = readKey(reader);
    if (previousStart >= 0) checkKeyOrder(reader.bytes, previousStart, keyStart, reader.position);
    previousStart = keyStart;
    map.set(key, readItem(reader, depth + 1));
  }
  return map;
}

function readKey(reader: Reader): CborKey {
  const start = reader.position;
  const major = (reader.bytes[start] ?? 0) >> 5;
  if (major === UNSIGNED || major === NEGATIVE || major === TEXT) {
    const key = readItem(reader, 0);
    if (typeof key === "number" || typeof key === "string") return key;
  }
  throw new CborError("CBOR_UNSUPPORTED", "A map key is neither integer nor text.", start);
}

/** Bytewise order of encodings. No encoding is the beginning of another, so the first difference decides. */
function checkKeyOrder(bytes: Uint8Array, previousStart: number, keyStart: number, keyEnd: number): void {
  for (let at = 0; keyStart + at < keyEnd; at += 1) {
    const difference = (bytes[keyStart + at] ?? 0) - (bytes[previousStart + at] ?? 0);
    if (difference > 0) return;
    if (difference < 0)
      throw new CborError("CBOR_UNSORTED_KEYS", "A map key sorts before the one that it follows.", keyStart);
  }
  throw new CborError("CBOR_DUPLICATE_KEY", "A map key is repeated.", keyStart);
}

function enterContainer(reader: Reader, items: number, start: number, depth: number): void {
  if (depth >= MAXIMUM_CBOR_DEPTH) {
    throw new CborError("CBOR_TOO_DEEP", `More than ${MAXIMUM_CBOR_DEPTH} arrays and maps in one another.`, start);
  }
  // Each item takes a byte at least: a longer claim is refused before anything is made for it.
  if (items > reader.bytes.length - reader.position) {
    throw new CborError("CBOR_TOO_LONG", "An array or map claims more items than bytes are left.", start);
  }
  reader.containers += 1;
  if (reader.containers > MAXIMUM_CBOR_CONTAINERS) {
    throw new CborError("CBOR_TOO_LONG", `More than ${MAXIMUM_CBOR_CONTAINERS} arrays and maps.`, start);
  }
}

/** Steps over a string's content and answers where it begins. */
function claim(reader: Reader, length: number, start: number): number {
  const begin = reader.position;
  if (length > reader.bytes.length - begin) {
    throw new CborError("CBOR_TOO_LONG", "A string claims more bytes than are left.", start);
  }
  reader.position = begin + length;
  return begin;
}

function readByte(reader: Reader): number {
  const byte = reader.bytes[reader.position];
  if (byte === undefined) throw new CborError("CBOR_TRUNCATED", "The input ends inside an item.", reader.position);
  reader.position += 1;
  return byte;
}

/** The argument of an item's head (RFC 8949 section 3). From 2^53 on it is rounded, never below 2^53. */
function readArgument(reader: Reader, info: number, start: number): number {
  if (info < 24) return info;
  if (info > 27)
    throw new CborError("CBOR_UNSUPPORTED", "Indefinite lengths and reserved forms are not supported.", start);
  const length = 1 << (info - 24);
  let argument = 0;
  for (let count = 0; count < length; count += 1) argument = argument * 0x100 + readByte(reader);
  const least = length === 1 ? 24 : 0x100 ** (length / 2);
  if (argument < least)
    throw new CborError("CBOR_NON_MINIMAL", "A length or integer takes more bytes than it needs.", start);
  return argument;
}
