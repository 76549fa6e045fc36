import { ARRAY, BYTES, CborError, MAP, NEGATIVE, NULL_BYTE, TEXT, UNSIGNED } from "./cbor.ts";
import { decodeUtf8 } from "./utf8.ts";

/**
 * A place in encoded bytes, and the strict readers that move it on: the one place that knows heads, lengths and
 * integers. Whoever knows what has to come reads it from here without values in between; `cbor-decode.ts` makes values.
 *
 * A reader of one type answers -1 or undefined, and reads nothing, when the next item is of another type.
 */
export class CborCursor {
  readonly bytes: Uint8Array;
  /** The next byte to be read. */
  position: number;
  /** Where what is to be read ends, exclusive. */
  end: number;

  constructor(bytes: Uint8Array, start = 0, end: number = bytes.length) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
  }
}

/** A value from 0 to 2^53-1, or -1. @throws CborError */
export function readUnsigned(cursor: CborCursor): number {
  const start = cursor.position;
  return checkedInteger(readHead(cursor, UNSIGNED), start);
}

/** @throws CborError */
export function readInteger(cursor: CborCursor): number | undefined {
  const start = cursor.position;
  const value = readHead(cursor, UNSIGNED);
  if (value >= 0) return checkedInteger(value, start);
  const negative = readHead(cursor, NEGATIVE);
  return negative < 0 ? undefined : checkedInteger(-1 - negative, start);
}

/** Steps over a byte string and answers its length, or -1: its content is what lies before the cursor then. @throws CborError */
export function readByteString(cursor: CborCursor): number {
  const start = cursor.position;
  const length = readHead(cursor, BYTES);
  if (length >= 0) claim(cursor, length, start);
  return length;
}

/**
 * Steps over a text as `readByteString` does over bytes. Whether it is UTF-8 is not looked at: for whoever asks for
 * letters that are.
 * @throws CborError
 */
export function readTextBytes(cursor: CborCursor): number {
  const start = cursor.position;
  const length = readHead(cursor, TEXT);
  if (length >= 0) claim(cursor, length, start);
  return length;
}

/** @throws CborError */
export function readText(cursor: CborCursor): string | undefined {
  const start = cursor.position;
  const length = readHead(cursor, TEXT);
  return length < 0 ? undefined : textOf(cursor, length, start);
}

/** How many items an array has, which come next, or -1. Whether there are as many is not looked at. @throws CborError */
export function readArrayHead(cursor: CborCursor): number {
  return readHead(cursor, ARRAY);
}

/** How many keys a map has, each of which comes next with its value, or -1. As `readArrayHead`. @throws CborError */
export function readMapHead(cursor: CborCursor): number {
  return readHead(cursor, MAP);
}

/** Whether null came, which then is behind the cursor. @throws CborError */
export function readNull(cursor: CborCursor): boolean {
  return cursor.bytes[cursor.position] === NULL_BYTE && readByte(cursor) === NULL_BYTE;
}

/** @throws CborError CBOR_TRAILING_BYTES */
export function checkEnd(cursor: CborCursor): void {
  if (cursor.position !== cursor.end)
    throw new CborError("CBOR_TRAILING_BYTES", "The item is followed by further bytes.", cursor.position);
}

/** The argument of the next item's head, or -1 when the item is of another major type. */
function readHead(cursor: CborCursor, major: number): number {
  const start = cursor.position;
  const initial = readByte(cursor);
  if (initial >> 5 === major) return readArgument(cursor, initial & 0x1f, start);
  cursor.position = start;
  return -1;
}

export function checkedInteger(value: number, start: number): number {
  if (!Number.isSafeInteger(value)) throw new CborError("CBOR_INTEGER_RANGE", "An integer is beyond ±(2^53-1).", start);
  return value;
}

export function textOf(cursor: CborCursor, length: number, start: number): string {
  const text = decodeUtf8(cursor.bytes, claim(cursor, length, start), cursor.position);
  if (text === undefined) throw new CborError("CBOR_INVALID_UTF8", "Text is not UTF-8.", start);
  return text;
}

/** Steps over a string's content and answers where it begins. */
export function claim(cursor: CborCursor, length: number, start: number): number {
  const begin = cursor.position;
  if (length > cursor.end - begin) {
    throw new CborError("CBOR_TOO_LONG", "A string claims more bytes than are left.", start);
  }
  cursor.position = begin + length;
  return begin;
}

export function readByte(cursor: CborCursor): number {
  const { bytes, position } = cursor;
  if (position >= cursor.end) throw new CborError("CBOR_TRUNCATED", "The input ends inside an item.", position);
  cursor.position = position + 1;
  return bytes[position] as number;
}

/** The argument of an item's head (RFC 8949 section 3). From 2^53 on it is rounded, never below 2^53. */
export function readArgument(cursor: CborCursor, info: number, start: number): number {
  if (info < 24) return info;
  if (info > 27)
    throw new CborError("CBOR_UNSUPPORTED", "Indefinite lengths and reserved forms are not supported.", start);
  const length = 1 << (info - 24);
  let argument = 0;
  for (let count = 0; count < length; count += 1) argument = argument * 0x100 + readByte(cursor);
  const least = length === 1 ? 24 : length === 2 ? 0x100 : length === 4 ? 0x10000 : 0x100000000;
  if (argument < least)
    throw new CborError("CBOR_NON_MINIMAL", "A length or integer takes more bytes than it needs.", start);
  return argument;
}
