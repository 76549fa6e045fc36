import { type AccountNumber, accountNumber } from "@cairn/issue";
import { type Currency, currency } from "@cairn/messages";
import { StoreError } from "../store-error.ts";
import type { Row } from "./database.ts";

/** Reads columns as what was written into them. Anything else means a damaged file: StoreError STORE_DAMAGED. */

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

export function number(row: Row, column: string): number {
  const value = row[column];
  if (typeof value !== "bigint") throw damaged(column);
  return Number(value);
}

export function bytes(row: Row, column: string): Uint8Array {
  const value = row[column];
  if (!(value instanceof Uint8Array)) throw damaged(column);
  return value;
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
