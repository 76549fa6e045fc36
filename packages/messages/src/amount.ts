import { CodedError } from "@cairn/cose";
import { MAXIMUM_MINOR } from "./bounds.ts";

declare const currencyBrand: unique symbol;
/** ISO 4217 alphabetic code, checked for form: three capital letters. */
export type Currency = string & { readonly [currencyBrand]: true };

/** Money: whole minor units (cents, yen) of one currency. Never negative unless a ledger posting says so, never a fraction. */
export type Amount = { readonly currency: Currency; readonly minor: bigint };

export type AmountCode =
  | "AMOUNT_CURRENCY_UNKNOWN"
  | "AMOUNT_CURRENCIES_DIFFER"
  | "AMOUNT_RANGE"
  | "AMOUNT_TEXT_INVALID";
/** Misuse of money: overflow, mixed currencies, text that is not an amount. */
export class AmountError extends CodedError<AmountCode> {}

const CURRENCY_FORM = /^[A-Z]{3}$/;

export function isCurrency(text: string): text is Currency {
  return CURRENCY_FORM.test(text);
}

/** @throws AmountError AMOUNT_CURRENCY_UNKNOWN when the text is not three capital letters. */
export function currency(text: string): Currency {
  if (!isCurrency(text))
    throw new AmountError("AMOUNT_CURRENCY_UNKNOWN", `"${text}" is not a currency code such as EUR.`);
  return text;
}

/**
 * The one way to make an amount.
 * @throws AmountError AMOUNT_RANGE below zero or above 2^53-1 minor units.
 */
export function amount(minor: bigint, of: Currency): Amount {
  if (minor < 0n || minor > MAXIMUM_MINOR)
    throw new AmountError("AMOUNT_RANGE", `${minor} is outside the range of amounts.`);
  return { currency: of, minor };
}

/** @throws AmountError AMOUNT_CURRENCIES_DIFFER, AMOUNT_RANGE on overflow. */
export function addAmounts(left: Amount, right: Amount): Amount {
  return amount(left.minor + sameCurrency(left, right).minor, left.currency);
}

/** @throws AmountError AMOUNT_CURRENCIES_DIFFER, AMOUNT_RANGE when the result would be negative. */
export function subtractAmounts(left: Amount, right: Amount): Amount {
  return amount(left.minor - sameCurrency(left, right).minor, left.currency);
}

function sameCurrency(left: Amount, right: Amount): Amount {
  if (left.currency !== right.currency) {
    throw new AmountError("AMOUNT_CURRENCIES_DIFFER", `${left.currency} and ${right.currency} do not mix.`);
  }
  return right;
}

/** Asking Intl takes some 20 microseconds, so each currency is asked for once. */
const FRACTION_DIGITS = new Map<Currency, number>();

/** Digits behind the decimal point, by ISO 4217 as the runtime's Intl knows it. */
export function fractionDigits(of: Currency): number {
  const known = FRACTION_DIGITS.get(of);
  if (known !== undefined) return known;
  const digits = new Intl.NumberFormat("en", { style: "currency", currency: of }).resolvedOptions()
    .maximumFractionDigits;
  FRACTION_DIGITS.set(of, digits ?? 2);
  return digits ?? 2;
}

/** "13.37 EUR": the same in every locale, for logs, commands and tests. Apps use Intl with the user's locale. */
export function formatAmount(value: Amount): string {
  return `${formatMinor(value.minor, value.currency)} ${value.currency}`;
}

/** "13.37", or "-13.37" for a negative ledger posting. */
export function formatMinor(minor: bigint, of: Currency): string {
  const digits = fractionDigits(of);
  const sign = minor < 0n ? "-" : "";
  const text = (minor < 0n ? -minor : minor).toString().padStart(digits + 1, "0");
  return digits === 0 ? sign + text : `${sign}${text.slice(0, -digits)}.${text.slice(-digits)}`;
}

/**
 * Reads "13.37" or "13". No sign, no grouping, no more fraction digits than the currency has.
 * @throws AmountError AMOUNT_TEXT_INVALID, AMOUNT_RANGE.
 */
export function parseAmount(text: string, of: Currency): Amount {
  const digits = fractionDigits(of);
  const match = /^(\d{1,16})(?:\.(\d+))?$/.exec(text);
  const fraction = match?.[2] ?? "";
  if (match?.[1] === undefined || fraction.length > digits) {
    const example = digits === 0 ? "1337" : `13.${"37".padEnd(digits, "0").slice(0, digits)}`;
    throw new AmountError("AMOUNT_TEXT_INVALID", `"${text}" is not an amount in ${of}. Write it like ${example}.`);
  }
  return amount(BigInt(match[1] + fraction.padEnd(digits, "0")), of);
}
