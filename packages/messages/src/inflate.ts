import { MessageError } from "./message-error.ts";

/**
 * Inflates one zlib stream (RFC 1950, DEFLATE of RFC 1951), strictly: checksum verified, nothing behind the stream, no
 * preset dictionary, no code tables that a standard inflater refuses. Written here because a reader that lets any of
 * this pass accepts lists that others refuse, and because the bound must hold while inflating, not after: 4 MB of a
 * hostile list claim 4 GB.
 * @throws MessageError MESSAGE_FIELD_INVALID; MESSAGE_TOO_LARGE as soon as more than `maximumBytes` come out.
 */
export function inflateZlib(bytes: Uint8Array, maximumBytes: number): Uint8Array {
  const [method = 0, flags = 0] = bytes;
  const isZlib = (method & 15) === 8 && method >> 4 <= 7 && (method * 256 + flags) % 31 === 0;
  if (!isZlib || (flags & 0x20) !== 0) throw notZlib("header");
  const stream: Stream = {
    bytes,
    position: 2,
    bits: 0,
    bitCount: 0,
    maximumBytes,
    output: new Uint8Array(256),
    length: 0,
  };
  for (;;) {
    const isLast = readBits(stream, 1) === 1;
    const type = readBits(stream, 2);
    if (type === 0) copyStored(stream);
    else if (type === 1) inflateBlock(stream, FIXED_LITERALS, FIXED_DISTANCES);
    else if (type === 2) inflateBlock(stream, ...readTables(stream));
    else throw notZlib("block type");
    if (isLast) break;
  }
  const output = stream.output.slice(0, stream.length);
  const { position } = stream;
  if (bytes.length !== position + 4) throw notZlib("length");
  if (new DataView(bytes.buffer, bytes.byteOffset).getUint32(position) !== adler32(output)) throw notZlib("checksum");
  return output;
}

type Stream = {
  readonly bytes: Uint8Array;
  readonly maximumBytes: number;
  position: number;
  bits: number;
  bitCount: number;
  output: Uint8Array;
  length: number;
};

/** Canonical Huffman code: how many codes of each length, and the symbols in the order of their codes. */
type Code = { readonly counts: Uint16Array; readonly symbols: Uint16Array; readonly isComplete: boolean };

const notZlib = (what: string): MessageError => new MessageError("MESSAGE_FIELD_INVALID", `not zlib data: ${what}`);

/** RFC 1951 section 3.2.5. Length codes 257 to 285, then distance codes 0 to 29: first value and further bits. */
const LENGTHS = [
  3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258,
];
const LENGTH_BITS = [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];
const DISTANCES = Array.from({ length: 30 }, (_, code) =>
  code < 4 ? code + 1 : (2 + (code & 1)) * 2 ** ((code >> 1) - 1) + 1,
);
const distanceBits = (code: number): number => (code < 4 ? 0 : (code >> 1) - 1);
const END_OF_BLOCK = 256;
const MAXIMUM_CODE_BITS = 15;
/** Section 3.2.7: the order in which the lengths of the code length code are written. */
const CODE_LENGTH_ORDER = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];

/** Section 3.2.6. Literals 286 and 287 and distances 30 and 31 take part in the code and never occur. */
const FIXED_LITERALS = codeOf(
  Array.from({ length: 288 }, (_, symbol) => (symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8)),
);
const FIXED_DISTANCES = codeOf(new Array<number>(32).fill(5));

function readBits(stream: Stream, count: number): number {
  while (stream.bitCount < count) {
    const byte = stream.bytes[stream.position];
    if (byte === undefined) throw notZlib("cut off");
    stream.position++;
    stream.bits |= byte << stream.bitCount;
    stream.bitCount += 8;
  }
  const value = stream.bits & ((1 << count) - 1);
  stream.bits >>>= count;
  stream.bitCount -= count;
  return value;
}

/** Bit by bit: fast enough for lists that are mostly zeros, and short enough to be seen to be right. */
function readSymbol(stream: Stream, { counts, symbols }: Code): number {
  let code = 0;
  let first = 0;
  let index = 0;
  for (let length = 1; length <= MAXIMUM_CODE_BITS; length++) {
    code |= readBits(stream, 1);
    const count = counts[length] ?? 0;
    if (code - first < count) return symbols[index + code - first] ?? 0;
    index += count;
    first = (first + count) << 1;
    code <<= 1;
  }
  throw notZlib("code");
}

function codeOf(lengths: readonly number[]): Code {
  const counts = new Uint16Array(MAXIMUM_CODE_BITS + 1);
  for (const length of lengths) counts[length] = (counts[length] ?? 0) + 1;
  let left = 1;
  const offsets = new Uint16Array(MAXIMUM_CODE_BITS + 2);
  for (let length = 1; length <= MAXIMUM_CODE_BITS; length++) {
    left = left * 2 - (counts[length] ?? 0);
    if (left < 0) throw notZlib("code lengths");
    offsets[length + 1] = (offsets[length] ?? 0) + (counts[length] ?? 0);
  }
  const symbols = new Uint16Array(lengths.length);
  lengths.forEach((length, symbol) => {
    if (length === 0) return;
    const offset = offsets[length] ?? 0;
    symbols[offset] = symbol;
    offsets[length] = offset + 1;
  });
  return { counts, symbols, isComplete: left === 0 };
}

/** An incomplete code is allowed only where it has at most one symbol, of one bit. */
function checkedCode(lengths: readonly number[]): Code {
  const code = codeOf(lengths);
  const unused = code.counts[0] ?? 0;
  if (!code.isComplete && lengths.length - unused > (code.counts[1] ?? 0)) throw notZlib("incomplete code");
  return code;
}

function readTables(stream: Stream): [literals: Code, distances: Code] {
  const literalCount = readBits(stream, 5) + 257;
  const distanceCount = readBits(stream, 5) + 1;
  const lengthCount = readBits(stream, 4) + 4;
  if (literalCount > 286 || distanceCount > 30) throw notZlib("too many codes");
  const ofLengths = new Array<number>(19).fill(0);
  for (const symbol of CODE_LENGTH_ORDER.slice(0, lengthCount)) ofLengths[symbol] = readBits(stream, 3);
  const lengthCode = codeOf(ofLengths);
  if (!lengthCode.isComplete) throw notZlib("incomplete code");
  const lengths: number[] = [];
  while (lengths.length < literalCount + distanceCount) {
    const symbol = readSymbol(stream, lengthCode);
    if (symbol < 16) {
      lengths.push(symbol);
      continue;
    }
    const repeated = symbol === 16 ? lengths.at(-1) : 0;
    if (repeated === undefined) throw notZlib("repeats nothing");
    const times =
      symbol === 16 ? 3 + readBits(stream, 2) : symbol === 17 ? 3 + readBits(stream, 3) : 11 + readBits(stream, 7);
    if (lengths.length + times > literalCount + distanceCount) throw notZlib("too many lengths");
    for (let count = 0; count < times; count++) lengths.push(repeated);
  }
  if (lengths[END_OF_BLOCK] === 0) throw notZlib("no end of block");
  return [checkedCode(lengths.slice(0, literalCount)), checkedCode(lengths.slice(literalCount))];
}

function inflateBlock(stream: Stream, literals: Code, distances: Code): void {
  for (;;) {
    const symbol = readSymbol(stream, literals);
    if (symbol === END_OF_BLOCK) return;
    if (symbol < END_OF_BLOCK) {
      makeRoom(stream, 1);
      stream.output[stream.length++] = symbol;
      continue;
    }
    const first = LENGTHS[symbol - 257];
    if (first === undefined) throw notZlib("length code");
    const length = first + readBits(stream, LENGTH_BITS[symbol - 257] ?? 0);
    const code = readSymbol(stream, distances);
    const nearest = DISTANCES[code];
    if (nearest === undefined) throw notZlib("distance code");
    const distance = nearest + readBits(stream, distanceBits(code));
    if (distance > stream.length) throw notZlib("distance");
    makeRoom(stream, length);
    const { output } = stream;
    for (let end = stream.length + length; stream.length < end; stream.length++)
      output[stream.length] = output[stream.length - distance] ?? 0;
  }
}

function copyStored(stream: Stream): void {
  stream.bits = 0;
  stream.bitCount = 0;
  const length = readBits(stream, 16);
  if (readBits(stream, 16) !== (~length & 0xffff)) throw notZlib("stored length");
  const { bytes, position } = stream;
  if (position + length > bytes.length) throw notZlib("cut off");
  makeRoom(stream, length);
  stream.output.set(bytes.subarray(position, position + length), stream.length);
  stream.position += length;
  stream.length += length;
}

function makeRoom(stream: Stream, extra: number): void {
  const needed = stream.length + extra;
  if (needed > stream.maximumBytes) throw new MessageError("MESSAGE_TOO_LARGE", "inflated");
  if (needed <= stream.output.length) return;
  const grown = new Uint8Array(Math.min(Math.max(needed, stream.output.length * 2), stream.maximumBytes));
  grown.set(stream.output.subarray(0, stream.length));
  stream.output = grown;
}

/** RFC 1950 section 8.2. */
function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (let start = 0; start < bytes.length; start += 3800) {
    // 3,800 additions stay below 2^53 by far, and below 2^31 so that engines keep small integers.
    for (const byte of bytes.subarray(start, start + 3800)) {
      low += byte;
      high += low;
    }
    low %= 65_521;
    high %= 65_521;
  }
  return high * 65_536 + low;
}
