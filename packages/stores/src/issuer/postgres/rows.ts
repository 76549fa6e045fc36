import { type AccountNumber, accountNumber } from "@cairn/issue";
import { type Currency, currency } from "@cairn/messages";
import { StoreError } from "../store-error.ts";

/** As the driver gives it: whole numbers as bigint, bytes as hexadecimal text, everything else as text. */
export type Row = Readonly<Record<string, string | bigint | null>>;

/** Reads columns as what was written into them. Anything else means a damaged database: StoreError STORE_DAMAGED. */

export function text(row: Row, column: string): string {
  const value = row[column];
  if (typeof value !== "string") throw damaged(column);
  return value;
}

export function minor(row: Row, column: string): bigint {
  const value = row[column];
  if (typeof value !== "bigint") throw damaged(column);
  return value;
}

export const number = (row: Row, column: string): number => Number(minor(row, column));

/** In a plain Uint8Array, as what is written comes in. */
export function bytes(row: Row, column: string): Uint8Array {
  const { buffer, byteOffset, length } = Buffer.from(text(row, column), "hex");
  return new Uint8Array(buffer, byteOffset, length);
}

/** What `string_agg` put together with commas: of many rows of a column or two, which the driver would read one by one. */
export function list(row: Row, column: string): string[] {
  return row[column] === null ? [] : text(row, column).split(",");
}

/** Lets a column be empty. */
export function optional<Value>(
  row: Row,
  column: string,
  read: (row: Row, column: string) => Value,
): Value | undefined {
  return row[column] === null ? undefined : read(row, column);
}

/**
 * An identifier that this store was given as one and wrote itself; its form was checked where it came in.
 * The one place of the store where the brand is given back.
 */
export function id<Id extends string>(row: Row, column: string): Id {
  return text(row, column) as Id;
}

export function oneOf<Value extends string>(row: Row, column: string, allowed: readonly Value[]): Value {
  const value = row[column];
  const known = allowed.find((candidate) => candidate === value);
  if (known === undefined) throw damaged(column);
  return known;
}

export const accountIn = (row: Row, column = "account"): AccountNumber => accountNumber(number(row, column));
export const currencyIn = (row: Row, column = "currency"): Currency => currency(text(row, column));

export function damaged(column: string): StoreError {
  return new StoreError("STORE_DAMAGED", `The column "${column}" holds what was never written into it.`);
}
