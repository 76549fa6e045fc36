/**
 * Arrays in PostgreSQL's binary form, which the driver hands over as they are. A batch of a thousand rows goes as one
 * parameter a column: no text to write here, none to read there. Source: PostgreSQL `array_recv`.
 */

const INT2 = 21;
const INT8 = 20;
const TEXT = 25;
const BYTEA = 17;
const HEADER_BYTES = 20;

export function smallints(values: readonly number[]): Buffer {
  const array = start(INT2, values.length, values.length * 6, false);
  let at = HEADER_BYTES;
  for (const value of values) {
    array.writeInt32BE(2, at);
    array.writeInt16BE(value, at + 4);
    at += 6;
  }
  return end(array, at, values.length);
}

/** Numbers are whole. Through a view, since a buffer's own method makes four numbers on the heap for each that it writes. */
export function bigints(values: readonly (bigint | number | undefined)[]): Buffer {
  const array = start(INT8, values.length, values.length * 12, true);
  const view = new DataView(array.buffer, array.byteOffset, array.length);
  let at = HEADER_BYTES;
  for (const value of values) {
    if (value === undefined) {
      view.setInt32(at, -1);
      at += 4;
      continue;
    }
    view.setInt32(at, 8);
    if (typeof value === "bigint") view.setBigInt64(at + 4, value);
    else {
      view.setInt32(at + 4, Math.floor(value / 0x1_0000_0000));
      view.setUint32(at + 8, value % 0x1_0000_0000);
    }
    at += 12;
  }
  return end(array, at, values.length);
}

export function texts(values: readonly (string | undefined)[]): Buffer {
  let bytes = 0;
  // No UTF-16 unit becomes more than three bytes.
  for (const value of values) bytes += 4 + (value === undefined ? 0 : value.length * 3);
  const array = start(TEXT, values.length, bytes, true);
  let at = HEADER_BYTES;
  for (const value of values) {
    if (value === undefined) {
      at = array.writeInt32BE(-1, at);
      continue;
    }
    const length = array.write(value, at + 4, "utf8");
    array.writeInt32BE(length, at);
    at += 4 + length;
  }
  return end(array, at, values.length);
}

/** Bytes given as hexadecimal text. */
export function hexadecimals(values: readonly (string | undefined)[]): Buffer {
  let bytes = 0;
  for (const value of values) bytes += 4 + (value === undefined ? 0 : value.length / 2);
  const array = start(BYTEA, values.length, bytes, true);
  let at = HEADER_BYTES;
  for (const value of values) {
    if (value === undefined) {
      at = array.writeInt32BE(-1, at);
      continue;
    }
    const length = value.length / 2;
    array.writeInt32BE(length, at);
    const written = array.write(value, at + 4, "hex");
    if (written !== length) throw new TypeError("An identifier is not hexadecimal text.");
    at += 4 + length;
  }
  return end(array, at, values.length);
}

export function byteStrings(values: readonly Uint8Array[]): Buffer {
  let bytes = 0;
  for (const value of values) bytes += 4 + value.length;
  const array = start(BYTEA, values.length, bytes, false);
  let at = HEADER_BYTES;
  for (const value of values) {
    at = array.writeInt32BE(value.length, at);
    array.set(value, at);
    at += value.length;
  }
  return end(array, at, values.length);
}

/** One dimension, lower bound 1. */
function start(elementType: number, length: number, bytes: number, mayBeNull: boolean): Buffer {
  const array = Buffer.allocUnsafe(HEADER_BYTES + bytes);
  array.writeInt32BE(1, 0);
  array.writeInt32BE(mayBeNull ? 1 : 0, 4);
  array.writeInt32BE(elementType, 8);
  array.writeInt32BE(length, 12);
  array.writeInt32BE(1, 16);
  return array;
}

/** An array of nothing has no dimension. */
function end(array: Buffer, at: number, length: number): Buffer {
  if (length > 0) return array.subarray(0, at);
  array.writeInt32BE(0, 0);
  return array.subarray(0, 12);
}
