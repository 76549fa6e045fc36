import { copyOfBytes, plainBytes } from "./bytes.ts";
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
import { CborCursor, checkEnd, checkedInteger, claim, readArgument, readByte, textOf } from "./cbor-cursor.ts";

/** What becomes of byte strings: "none" is for whoever wants to know of the encoding alone. */
type ByteStrings = "copies" | "views" | "none";

class Reader extends CborCursor {
  readonly byteStrings: ByteStrings;
  containers = 0;

  constructor(bytes: Uint8Array, byteStrings: ByteStrings, start = 0, end: number = bytes.length) {
    super(plainBytes(bytes), start, end);
    this.byteStrings = byteStrings;
  }
}

/**
 * Decodes exactly one item that takes the whole input, in core deterministic encoding (RFC 8949 section 4.2.1).
 * Byte strings are copies: what was decoded stays as it was whatever happens to the input.
 * @throws CborError, and nothing else, whatever the bytes.
 */
export function decodeCbor(bytes: Uint8Array): CborValue {
  return decodeWhole(new Reader(bytes, "copies"));
}

/**
 * As `decodeCbor`, from byte `start` on, its byte strings views of the input: for whoever sees to it that the input
 * stays as it is. A view keeps all of the input in memory.
 */
export function decodeCborViews(bytes: Uint8Array, start = 0): CborValue {
  return decodeWhole(new Reader(bytes, "views", start));
}

/**
 * Whether bytes `start` to `end` (exclusive) are one item of the subset, whatever it says: as strict as `decodeCbor`.
 * @throws CborError
 */
export function checkCbor(bytes: Uint8Array, start = 0, end: number = bytes.length): void {
  decodeWhole(new Reader(bytes, "none", start, end));
}

/** The next item, whatever it is, its byte strings views of the input; of it the bounds hold that hold in `decodeCbor`. */
export function readValue(cursor: CborCursor): CborValue {
  const reader = new Reader(cursor.bytes, "views", cursor.position, cursor.end);
  const value = readItem(reader, 0);
  cursor.position = reader.position;
  return value;
}

function decodeWhole(reader: Reader): CborValue {
  const value = readItem(reader, 0);
  checkEnd(reader);
  return value;
}

/**
 * Decodes a CBOR sequence (RFC 8742) at once; empty input is an empty sequence. The bound on arrays and maps holds for
 * the whole sequence: a long one from outside is for `splitCborSequence`.
 * @throws CborError for the first bad item.
 */
export function decodeCborSequence(bytes: Uint8Array): CborValue[] {
  const reader = new Reader(bytes, "copies");
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
  const reader = new Reader(bytes, "none");
  while (reader.position < reader.bytes.length) {
    const start = reader.position;
    reader.containers = 0;
    readItem(reader, 0);
    yield reader.bytes.subarray(start, reader.position);
  }
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
      return textOf(reader, argument, start);
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

const NO_BYTES = new Uint8Array();

function readBytes(reader: Reader, length: number, start: number): Uint8Array {
  const begin = claim(reader, length, start);
  if (reader.byteStrings === "none") return NO_BYTES;
  return reader.byteStrings === "copies"
    ? copyOfBytes(reader.bytes, begin, reader.position)
    : reader.bytes.subarray(begin, reader.position);
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
  const major = start < reader.end ? (reader.bytes[start] as number) >> 5 : UNSIGNED;
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
  if (items > reader.end - reader.position) {
    throw new CborError("CBOR_TOO_LONG", "An array or map claims more items than bytes are left.", start);
  }
  reader.containers += 1;
  if (reader.containers > MAXIMUM_CBOR_CONTAINERS) {
    throw new CborError("CBOR_TOO_LONG", `More than ${MAXIMUM_CBOR_CONTAINERS} arrays and maps.`, start);
  }
}
