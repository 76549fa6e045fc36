/**
 * The subset of CBOR that the project speaks (RFC 8949, core deterministic encoding, section 4.2.1):
 * integers within ±(2^53-1), byte strings, text strings, arrays, maps with integer or text keys, true, false and null.
 * Every value has exactly one encoding. Everything else is refused: floats, tags, indefinite lengths, undefined, other
 * simple values, other keys, lengths and integers longer than needed, keys unsorted or repeated, trailing bytes.
 */
import { CodedError } from "./coded-error.ts";

/** Map keys: integers or text only. */
export type CborKey = number | string;
export type CborValue = number | boolean | null | string | Uint8Array | CborValue[] | CborMap;
/** A Map rather than an object, so that a text key such as `__proto__` is a key like any other. */
export type CborMap = Map<CborKey, CborValue>;

export type CborCode =
  /** The input ends inside an item, or is empty. */
  | "CBOR_TRUNCATED"
  /** The item is followed by further bytes. */
  | "CBOR_TRAILING_BYTES"
  /** A length or an integer takes more bytes than it needs. */
  | "CBOR_NON_MINIMAL"
  /** A map key sorts before the key that it follows. */
  | "CBOR_UNSORTED_KEYS"
  /** A map key follows itself. */
  | "CBOR_DUPLICATE_KEY"
  /** Text is not UTF-8, or holds half a surrogate pair. */
  | "CBOR_INVALID_UTF8"
  /** Outside the subset: floats, tags, indefinite lengths, undefined, other simple values, other key types. */
  | "CBOR_UNSUPPORTED"
  /** An integer beyond ±(2^53-1). */
  | "CBOR_INTEGER_RANGE"
  /** Arrays and maps nested more than `MAXIMUM_CBOR_DEPTH` deep. */
  | "CBOR_TOO_DEEP"
  /** A declared length beyond the rest of the input, or more than `MAXIMUM_CBOR_CONTAINERS` arrays and maps. */
  | "CBOR_TOO_LONG";

/** Arrays and maps within one another. The deepest message of the protocol needs five; a bound keeps the stack flat. */
export const MAXIMUM_CBOR_DEPTH = 8;

/** Arrays and maps in one call: an empty map is one byte of input and some hundred bytes of memory. */
export const MAXIMUM_CBOR_CONTAINERS = 10_000;

/** The only error of encoder and decoder. */
export class CborError extends CodedError<CborCode> {
  /** Where it was found: bytes from the start of the input when decoding, of the output when encoding. */
  readonly offset: number;

  constructor(code: CborCode, message: string, offset: number) {
    super(code, `${message} (at byte ${offset})`);
    this.offset = offset;
  }
}

/** Major types, RFC 8949 section 3.1. */
export const UNSIGNED = 0;
export const NEGATIVE = 1;
export const BYTES = 2;
export const TEXT = 3;
export const ARRAY = 4;
export const MAP = 5;
export const TAG = 6;
export const SIMPLE = 7;

/** Initial bytes of the three simple values of the subset, RFC 8949 section 3.3. */
export const FALSE_BYTE = 0xf4;
export const TRUE_BYTE = 0xf5;
export const NULL_BYTE = 0xf6;
