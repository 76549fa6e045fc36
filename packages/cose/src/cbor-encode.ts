import { copyOfBytes } from "./bytes.ts";
import {
  ARRAY,
  BYTES,
  CborError,
  type CborKey,
  type CborMap,
  type CborValue,
  FALSE_BYTE,
  MAP,
  MAXIMUM_CBOR_CONTAINERS,
  MAXIMUM_CBOR_DEPTH,
  NEGATIVE,
  NULL_BYTE,
  TEXT,
  TRUE_BYTE,
  UNSIGNED,
} from "./cbor.ts";
import { encodeUtf8 } from "./utf8.ts";

type Writer = { bytes: Uint8Array; length: number; containers: number };

/** Everything but long lists and batches. */
const DESK_BYTES = 1_024;
/** Where an encoding is put together before it is copied out: nobody else writes meanwhile, and most fit. */
const DESK = new Uint8Array(DESK_BYTES);

/**
 * Encodes one value in core deterministic encoding (RFC 8949 section 4.2.1). Map keys are sorted here, whatever their
 * order in the Map. -0 is written as 0, since CBOR's integers know one zero.
 * @throws CborError CBOR_INTEGER_RANGE (beyond ±(2^53-1)), CBOR_UNSUPPORTED (a fraction, NaN, or a value that is no
 *   CborValue), CBOR_INVALID_UTF8 (half a surrogate pair), CBOR_TOO_DEEP (cycles too), CBOR_TOO_LONG.
 */
export function encodeCbor(value: CborValue): Uint8Array {
  const writer: Writer = { bytes: DESK, length: 0, containers: 0 };
  writeItem(writer, value, 0);
  return copyOfBytes(writer.bytes, 0, writer.length);
}

function writeItem(writer: Writer, value: CborValue, depth: number): void {
  if (typeof value === "number") writeInteger(writer, value);
  else if (typeof value === "string") writeText(writer, value);
  else if (value instanceof Uint8Array) writeBytes(writer, BYTES, value);
  else if (Array.isArray(value)) writeArray(writer, value, depth);
  else if (value instanceof Map) writeMap(writer, value, depth);
  else if (value === false) writeByte(writer, FALSE_BYTE);
  else if (value === true) writeByte(writer, TRUE_BYTE);
  else if (value === null) writeByte(writer, NULL_BYTE);
  else throw new CborError("CBOR_UNSUPPORTED", `A value of type ${typeof value} has no encoding here.`, writer.length);
}

function writeInteger(writer: Writer, value: number): void {
  if (!Number.isSafeInteger(value)) {
    const code = Number.isInteger(value) ? "CBOR_INTEGER_RANGE" : "CBOR_UNSUPPORTED";
    throw new CborError(code, `${value} is not an integer within ±(2^53-1).`, writer.length);
  }
  if (value >= 0) writeHead(writer, UNSIGNED, value);
  else writeHead(writer, NEGATIVE, -1 - value);
}

function writeText(writer: Writer, text: string): void {
  if (writeAscii(writer, text)) return;
  const bytes = encodeUtf8(text);
  if (bytes === undefined) throw new CborError("CBOR_INVALID_UTF8", "Text holds half a surrogate pair.", writer.length);
  writeBytes(writer, TEXT, bytes);
}

/** Most texts: one byte a letter, without an array of their own. False, and nothing written, for any other. */
function writeAscii(writer: Writer, text: string): boolean {
  const before = writer.length;
  writeHead(writer, TEXT, text.length);
  reserve(writer, text.length);
  const { bytes, length } = writer;
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x80) {
      writer.length = before;
      return false;
    }
    bytes[length + at] = code;
  }
  writer.length = length + text.length;
  return true;
}

function writeArray(writer: Writer, items: readonly CborValue[], depth: number): void {
  enterContainer(writer, depth);
  writeHead(writer, ARRAY, items.length);
  for (const item of items) writeItem(writer, item, depth + 1);
}

function writeMap(writer: Writer, map: CborMap, depth: number): void {
  enterContainer(writer, depth);
  writeHead(writer, MAP, map.size);
  // Most maps are put together in order, and sorting costs more than writing them.
  if (isInOrder(map)) for (const [key, value] of map) writeEntry(writer, key, value, depth);
  else for (const key of [...map.keys()].sort(compareKeys)) writeEntry(writer, key, map.get(key) as CborValue, depth);
}

function isInOrder(map: CborMap): boolean {
  let previous: CborKey | undefined;
  for (const key of map.keys()) {
    if (previous !== undefined && compareKeys(previous, key) > 0) return false;
    previous = key;
  }
  return true;
}

function writeEntry(writer: Writer, key: CborKey, value: CborValue, depth: number): void {
  if (typeof key === "number") writeInteger(writer, key);
  else if (typeof key === "string") writeText(writer, key);
  else throw new CborError("CBOR_UNSUPPORTED", "A map key is neither integer nor text.", writer.length);
  writeItem(writer, value, depth + 1);
}

function enterContainer(writer: Writer, depth: number): void {
  if (depth >= MAXIMUM_CBOR_DEPTH) {
    throw new CborError(
      "CBOR_TOO_DEEP",
      `More than ${MAXIMUM_CBOR_DEPTH} arrays and maps in one another.`,
      writer.length,
    );
  }
  writer.containers += 1;
  if (writer.containers > MAXIMUM_CBOR_CONTAINERS) {
    throw new CborError("CBOR_TOO_LONG", `More than ${MAXIMUM_CBOR_CONTAINERS} arrays and maps.`, writer.length);
  }
}

/** The bytewise order of the keys' encodings: 0, 1, ... then -1, -2, ... then text by length, then by bytes. */
function compareKeys(left: CborKey, right: CborKey): number {
  if (typeof left === "number" && typeof right === "number") {
    if (left >= 0 !== right >= 0) return left >= 0 ? -1 : 1;
    return left >= 0 ? left - right : right - left;
  }
  if (typeof left === "number") return -1;
  if (typeof right === "number") return 1;
  const leftBytes = encodeUtf8(left) ?? new Uint8Array();
  const rightBytes = encodeUtf8(right) ?? new Uint8Array();
  if (leftBytes.length !== rightBytes.length) return leftBytes.length - rightBytes.length;
  const index = leftBytes.findIndex((byte, at) => byte !== rightBytes[at]);
  return (leftBytes[index] ?? 0) - (rightBytes[index] ?? 0);
}

function writeByte(writer: Writer, byte: number): void {
  reserve(writer, 1);
  writer.bytes[writer.length++] = byte;
}

function writeBytes(writer: Writer, major: number, bytes: Uint8Array): void {
  writeHead(writer, major, bytes.length);
  reserve(writer, bytes.length);
  writer.bytes.set(bytes, writer.length);
  writer.length += bytes.length;
}

function writeHead(writer: Writer, major: number, argument: number): void {
  reserve(writer, headLength(argument));
  writer.length = putHead(writer.bytes, writer.length, major, argument);
}

function reserve(writer: Writer, extra: number): void {
  const needed = writer.length + extra;
  if (needed <= writer.bytes.length) return;
  const grown = new Uint8Array(Math.max(needed, writer.bytes.length * 2));
  grown.set(writer.bytes.subarray(0, writer.length));
  writer.bytes = grown;
}

/** Bytes that an item's head takes: the initial byte and its argument. */
export function headLength(argument: number): number {
  if (argument < 24) return 1;
  if (argument < 0x100) return 2;
  if (argument < 0x10000) return 3;
  return argument < 0x100000000 ? 5 : 9;
}

/** Writes a head in its shortest form and answers where the next byte goes. The caller has made room. */
export function putHead(bytes: Uint8Array, position: number, major: number, argument: number): number {
  const length = headLength(argument);
  const initial = major << 5;
  if (length === 1) {
    bytes[position] = initial | argument;
    return position + 1;
  }
  bytes[position] = initial | (length === 2 ? 24 : length === 3 ? 25 : length === 5 ? 26 : 27);
  let rest = argument;
  for (let at = position + length - 1; at > position; at -= 1) {
    // Division, since bitwise operators would cut the argument to 32 bits.
    bytes[at] = rest % 0x100;
    rest = Math.floor(rest / 0x100);
  }
  return position + length;
}
