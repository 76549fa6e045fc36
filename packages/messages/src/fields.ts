import {
  type CborCursor,
  type CborKey,
  type CborMap,
  type CborValue,
  type P256PublicKey,
  publicKeyFromCbor,
  publicKeyToCbor,
  readArrayHead,
  readByteString,
  readInteger,
  readMapHead,
  readText,
  readTextBytes,
  readUnsigned,
  readValue,
} from "@cairn/cose";
import { type Currency, isCurrency } from "./amount.ts";
import { MAXIMUM_MINOR, MAXIMUM_SEQUENCE, MAXIMUM_STATUS_INDEX, MAXIMUM_TIME_SECONDS } from "./bounds.ts";
import { fromHex, type HexIdentifier, identifierBefore } from "./identifiers.ts";
import { CONFIRMATION_COSE_KEY } from "./labels.ts";
import { MessageError } from "./message-error.ts";

/**
 * How one value stands in CBOR: writer and reader side by side. Readers take only what the writer could have made, and
 * writers write only what the reader takes; both throw {@link MessageError} MESSAGE_FIELD_INVALID for the rest. A reader
 * also throws `CborError`, and what it throws says nothing of the bytes behind: the caller looks whether they are CBOR.
 */
export type Codec<Value> = {
  write(value: Value, name: string): CborValue;
  read(cursor: CborCursor, name: string): Value;
};

/** One entry of a message map: its label, its codec, and whether it may be absent. */
export type Field<Value> = { readonly label: number; readonly codec: Codec<Value>; readonly optional: boolean };
export type Fields = { readonly [name: string]: Field<unknown> };

type ValueOf<Entry> = Entry extends Field<infer Value> ? Value : never;
type OptionalNames<Table> = {
  [Name in keyof Table]: undefined extends ValueOf<Table[Name]> ? Name : never;
}[keyof Table];
/** The content type that a field table describes; an optional field is an optional property. */
export type ContentOf<Table> = {
  readonly [Name in Exclude<keyof Table, OptionalNames<Table>>]: ValueOf<Table[Name]>;
} & { readonly [Name in OptionalNames<Table>]?: Exclude<ValueOf<Table[Name]>, undefined> };

export function required<Value>(label: number, codec: Codec<Value>): Field<Value> {
  return { label, codec, optional: false };
}

export function optional<Value>(label: number, codec: Codec<Value>): Field<Value | undefined> {
  return { label, codec, optional: true };
}

function invalid(name: string, why: string, options?: ErrorOptions): MessageError {
  return new MessageError("MESSAGE_FIELD_INVALID", `${name}: ${why}`, options);
}

function unsigned(maximum: number): Codec<number> {
  const check = (value: number, name: string): number => {
    if (!Number.isInteger(value) || value < 0 || value > maximum)
      throw invalid(name, `must be a whole number from 0 to ${maximum}`);
    return value;
  };
  return { write: check, read: (cursor, name) => check(readUnsigned(cursor), name) };
}

/** Whole seconds since 1970-01-01T00:00:00Z (RFC 8392 NumericDate, integers only). */
export const timeSeconds = unsigned(MAXIMUM_TIME_SECONDS);
/** A span in whole seconds. */
export const durationSeconds = unsigned(MAXIMUM_TIME_SECONDS);
export const statusIndex = unsigned(MAXIMUM_STATUS_INDEX);
export const listVersion = unsigned(MAXIMUM_SEQUENCE);
export const sequenceNumber = unsigned(MAXIMUM_SEQUENCE);

/** Minor units, 0 to 2^53-1, bigint in memory. */
export const minorUnits: Codec<bigint> = {
  write: (value, name) => {
    if (typeof value !== "bigint" || value < 0n || value > MAXIMUM_MINOR)
      throw invalid(name, "must be from 0 to 2^53-1");
    return Number(value);
  },
  read: (cursor, name) => {
    const value = readUnsigned(cursor);
    if (value < 0) throw invalid(name, "must be from 0 to 2^53-1");
    return BigInt(value);
  },
};

function checkedCurrency(value: unknown, name: string): Currency {
  if (typeof value !== "string" || !isCurrency(value)) throw notCurrency(name);
  return value;
}

const notCurrency = (name: string): MessageError => invalid(name, "must be three capital letters (ISO 4217)");

export const currencyCode: Codec<Currency> = {
  write: checkedCurrency,
  read: (cursor, name) => {
    if (readTextBytes(cursor) !== CURRENCY_LETTERS) throw notCurrency(name);
    const { bytes, position: end } = cursor;
    const [first, second, third] = [bytes[end - 3] as number, bytes[end - 2] as number, bytes[end - 1] as number];
    const place = (first << 16) | (second << 8) | third;
    const known = CURRENCIES.get(place);
    if (known !== undefined) return known;
    const code = checkedCurrency(String.fromCharCode(first, second, third), name);
    CURRENCIES.set(place, code);
    return code;
  },
};

const CURRENCY_LETTERS = 3;
/** By their letters, of which there are 26: the same text every time, which is quicker to make and to look up. */
const CURRENCIES = new Map<number, Currency>();

/** Byte string of a fixed length, hexadecimal in memory. */
export function bytesId<Id extends HexIdentifier>(length: number): Codec<Id> {
  return {
    write: (value, name) => {
      if (typeof value !== "string" || value.length !== 2 * length) throw invalid(name, `must be ${length} bytes`);
      try {
        return fromHex(value);
      } catch (cause) {
        throw invalid(name, "must be hexadecimal text in small letters", { cause });
      }
    },
    read: (cursor, name) => {
      if (readByteString(cursor) !== length) throw invalid(name, `must be ${length} bytes`);
      return identifierBefore<Id>(cursor, length);
    },
  };
}

const encoder = new TextEncoder();
/** Most names: nothing else needs to be looked at in them but their length. */
const PLAIN = /^[!-~](?:[ -~]*[!-~])?$/;
/** Control characters, line breaks and direction overrides could make a name on a screen say something else. */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]/u;

/** Text that people read: bounded in UTF-8 bytes, not empty, in Unicode normal form C, without invisible characters. */
export function shownText(maximumBytes: number): Codec<string> {
  const check = (value: unknown, name: string): string => {
    if (typeof value !== "string") throw invalid(name, "must be text");
    if (value.length <= maximumBytes && PLAIN.test(value)) return value;
    const length = encoder.encode(value).length;
    if (length === 0 || length > maximumBytes) throw invalid(name, `must be 1 to ${maximumBytes} bytes of text`);
    if (UNPRINTABLE.test(value)) throw invalid(name, "must not hold invisible or control characters");
    if (value !== value.normalize("NFC")) throw invalid(name, "must be in Unicode normal form C");
    if (value !== value.trim()) throw invalid(name, "must not begin or end with a space");
    return value;
  };
  return { write: check, read: (cursor, name) => check(readText(cursor), name) };
}

/** Text of a narrow form (an id, a URL), checked by a type guard. */
export function formedText<Text extends string>(
  form: (text: string) => text is Text,
  maximumBytes: number,
): Codec<Text> {
  const check = (value: unknown, name: string): Text => {
    if (typeof value !== "string" || value.length > maximumBytes || !form(value))
      throw invalid(name, "has not the allowed form");
    return value;
  };
  return { write: check, read: (cursor, name) => check(readText(cursor), name) };
}

/** A whole number out of a closed set. */
export function oneOf<Value extends number>(allowed: readonly Value[]): Codec<Value> {
  const check = (value: unknown, name: string): Value => {
    const found = allowed.find((candidate) => candidate === value);
    if (found === undefined) throw invalid(name, `must be one of ${allowed.join(", ")}`);
    return found;
  };
  return { write: check, read: (cursor, name) => check(readUnsigned(cursor), name) };
}

/** `cnf` claim with a COSE_Key (RFC 8747 section 3.2). */
export const confirmationKey: Codec<P256PublicKey> = {
  write: (key) => new Map([[CONFIRMATION_COSE_KEY, publicKeyToCbor(key)]]),
  read: (cursor, name) => {
    const value = readValue(cursor);
    const key = value instanceof Map && value.size === 1 ? value.get(CONFIRMATION_COSE_KEY) : undefined;
    if (key === undefined) throw invalid(name, "must hold one COSE_Key");
    return publicKeyFromCbor(key);
  },
};

export const coseKey: Codec<P256PublicKey> = {
  write: (key) => publicKeyToCbor(key),
  read: (cursor) => publicKeyFromCbor(readValue(cursor)),
};

/** A fixed row of values: an array in CBOR, named in memory. Saves the labels where a certificate must stay small. */
export function row<Columns extends { readonly [name: string]: Codec<unknown> }>(
  columns: Columns,
): Codec<{ readonly [Name in keyof Columns]: Columns[Name] extends Codec<infer Value> ? Value : never }> {
  type Row = { readonly [Name in keyof Columns]: Columns[Name] extends Codec<infer Value> ? Value : never };
  const entries = Object.entries(columns) as [string, Codec<unknown>][];
  // Mostly the row of one field: what errors call its columns is not put together for every message.
  let known: { readonly row: string; readonly columns: readonly string[] } = { row: "", columns: [] };
  const namesIn = (row: string): readonly string[] => {
    if (known.row !== row) known = { row, columns: entries.map(([column]) => `${row}.${column}`) };
    return known.columns;
  };
  return {
    write: (value, name) => {
      const names = namesIn(name);
      return entries.map(([column, codec], index) =>
        codec.write((value as Record<string, unknown>)[column], names[index] as string),
      );
    },
    read: (cursor, name) => {
      if (readArrayHead(cursor) !== entries.length) throw invalid(name, `must be a row of ${entries.length}`);
      const names = namesIn(name);
      const read: Record<string, unknown> = {};
      entries.forEach(([column, codec], index) => {
        read[column] = codec.read(cursor, names[index] as string);
      });
      return read as Row;
    },
  };
}

export function listOf<Value>(codec: Codec<Value>, maximumLength: number): Codec<readonly Value[]> {
  return {
    write: (values, name) => {
      if (values.length > maximumLength) throw invalid(name, `must be a list of at most ${maximumLength}`);
      return values.map((element, index) => codec.write(element, `${name}[${index}]`));
    },
    read: (cursor, name) => {
      const length = readArrayHead(cursor);
      if (length < 0 || length > maximumLength) throw invalid(name, `must be a list of at most ${maximumLength}`);
      return Array.from({ length }, (_, index) => codec.read(cursor, `${name}[${index}]`));
    },
  };
}

type Entry = readonly [name: string, field: Field<unknown>];
/** A field table in the order of its labels on the wire, worked out once. */
export type Entries = readonly Entry[];

export function entriesOf(fields: Fields): Entries {
  return Object.entries(fields).sort(([, left], [, right]) => (isBefore(left.label, right.label) ? -1 : 1));
}

/** The order of deterministic encoding, RFC 8949 section 4.2.1: 0, 1, ... then -1, -2, ... then text. */
function isBefore(label: number, key: CborKey): boolean {
  if (typeof key === "string") return true;
  if (label >= 0 !== key >= 0) return label >= 0;
  return label >= 0 ? label < key : label > key;
}

/** Writes the named fields as a message map. Absent optional fields are left out. */
export function writeFields(entries: Entries, content: { readonly [name: string]: unknown }): CborMap {
  const map: CborMap = new Map();
  for (const [name, field] of entries) {
    const value = content[name];
    if (value === undefined && field.optional) continue;
    if (value === undefined) throw new MessageError("MESSAGE_FIELD_MISSING", name);
    map.set(field.label, field.codec.write(value, name));
  }
  return map;
}

/**
 * Reads a message map into `content`, field by field as they come: every required one, no unknown one.
 * What is thrown is the first field missing or invalid, in the order of the labels, or else the first unknown one.
 */
export function readFields(entries: Entries, cursor: CborCursor, content: Record<string, unknown>): void {
  const size = readMapHead(cursor);
  if (size < 0) throw invalid("payload", "must be a map");
  let next = 0;
  let unknown: CborKey | undefined;
  for (let count = 0; count < size; count += 1) {
    const key = readInteger(cursor) ?? keyOf(readValue(cursor));
    next = skipAbsent(entries, next, key);
    const entry = entries[next];
    // Keys that come twice or out of order are unknown too: whoever is known has come at its place.
    if (entry === undefined || entry[1].label !== key) {
      // No map of many keys out of order is gone through before it is told to be no CBOR of the subset.
      if (typeof unknown === "number" && !isBefore(unknown, key)) break;
      unknown ??= key;
      readValue(cursor);
      continue;
    }
    const [name, field] = entry;
    content[name] = field.codec.read(cursor, name);
    next += 1;
  }
  skipAbsent(entries, next, END);
  if (unknown !== undefined) throw new MessageError("MESSAGE_FIELD_UNKNOWN", `label ${unknown}`);
}

/** Behind every number. */
const END = "";

const keyOf = (value: CborValue): CborKey => (typeof value === "string" ? value : END);

/** Where the fields begin that are not before the key. @throws MessageError MESSAGE_FIELD_MISSING for those that are. */
function skipAbsent(entries: Entries, first: number, key: CborKey): number {
  for (let at = first; at < entries.length; at += 1) {
    const [name, field] = entries[at] as Entry;
    if (!isBefore(field.label, key)) return at;
    if (!field.optional) throw new MessageError("MESSAGE_FIELD_MISSING", name);
  }
  return entries.length;
}
