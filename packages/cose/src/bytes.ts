/**
 * Where the byte arrays of messages come from. An engine gives each array of more than some 64 bytes a buffer of its own,
 * outside of its heap, which costs about a microsecond and as much again to collect: many times what writing a message
 * into it costs. A program that makes millions of messages cuts them from slabs instead (`cutBytesFromSlabs`).
 */

const SLAB_BYTES = 65_536;
/** Longer ones are worth a buffer of their own, and would leave too much of a slab unused. */
const LONGEST_CUT = 4_096;

let slab: Uint8Array | undefined;
let used = 0;

/**
 * From here on short arrays of this program are views of slabs. For programs that keep their messages to themselves: an
 * array that is kept keeps all of its slab in memory, and whoever clones or transfers `array.buffer`, as a message to a
 * thread or a record of IndexedDB does, gets the neighbours too. Not to be undone.
 */
export function cutBytesFromSlabs(): void {
  slab ??= new Uint8Array(SLAB_BYTES);
}

/** Zeros. */
export function newBytes(length: number): Uint8Array {
  if (slab === undefined || length > LONGEST_CUT) return new Uint8Array(length);
  if (used + length > SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    used = 0;
  }
  const begin = used;
  used += length;
  return slab.subarray(begin, used);
}

/** A copy of bytes `start` to `end` (exclusive). */
export function copyOfBytes(bytes: Uint8Array, start = 0, end: number = bytes.length): Uint8Array {
  if (slab === undefined) return new Uint8Array(bytes.subarray(start, end));
  const copy = newBytes(end - start);
  copy.set(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  return copy;
}

/** The same bytes, none of whose views is a Buffer of Node's: its `slice` does not copy. */
export function plainBytes(bytes: Uint8Array): Uint8Array {
  return bytes.constructor === Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Bytes `start` to `end` (exclusive) go to `position` in `target`; where the next byte goes. */
export function putBytes(
  target: Uint8Array,
  position: number,
  source: Uint8Array,
  start = 0,
  end: number = source.length,
): number {
  // The engine's own copying needs a view, which costs as much as a loop over these few.
  if (end - start > LOOP_BYTES) target.set(source.subarray(start, end), position);
  else for (let from = start, to = position; from < end; from += 1, to += 1) target[to] = source[from] as number;
  return position + end - start;
}

const LOOP_BYTES = 128;

/**
 * The four bytes from `at` on as an unsigned number, the highest first. By hand, as is `putWord`: a `DataView` makes an
 * engine give a short array a buffer of its own, which takes longer than all else that is done with it.
 */
export function wordAt(bytes: Uint8Array, at: number): number {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  const low = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
  return ((high << 16) | low) >>> 0;
}

/** Writes a number below 2^32 into four bytes from `at` on, the highest first. */
export function putWord(target: Uint8Array, at: number, word: number): void {
  target[at] = word >>> 24;
  target[at + 1] = word >>> 16;
  target[at + 2] = word >>> 8;
  target[at + 3] = word;
}

/**
 * Room for bytes that are put together, looked at at once and not kept: a view of it for each use would cost as much as
 * what it is used for, so there is one for each length, made when it is asked for first.
 */
export class Scratch<Bytes extends Uint8Array = Uint8Array> {
  /** All of the room. */
  readonly bytes: Bytes;
  readonly #views: (Bytes | undefined)[];

  constructor(bytes: Bytes) {
    this.bytes = bytes;
    this.#views = new Array<undefined>(bytes.length + 1).fill(undefined);
  }

  /** The first bytes of the room, with whatever is in them; undefined when there are not so many. */
  first(length: number): Bytes | undefined {
    const known = this.#views[length];
    if (known !== undefined || length > this.bytes.length) return known;
    const view = this.bytes.subarray(0, length) as Bytes;
    this.#views[length] = view;
    return view;
  }
}
