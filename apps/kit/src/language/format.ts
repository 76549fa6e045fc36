import { type Currency, formatMinor } from "@cairn/messages";
import { language } from "./language.ts";

/** Money as people of the language in use write it: "13,37 €". Exact for every amount: no floating point is involved. */
export function formatMoney(minor: bigint, currency: Currency): string {
  const format = new Intl.NumberFormat(language(), { style: "currency", currency });
  return format.format(formatMinor(minor, currency) as `${number}`);
}

/** "14:05" today, "23 Nov, 14:05" on other days. Seconds since 1970, in the device's time zone. */
export function formatTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  const isToday = date.toDateString() === new Date().toDateString();
  const day = isToday ? {} : ({ day: "numeric", month: "short" } as const);
  return new Intl.DateTimeFormat(language(), { ...day, hour: "2-digit", minute: "2-digit" }).format(date);
}

export function formatDay(seconds: number): string {
  return new Intl.DateTimeFormat(language(), { dateStyle: "long" }).format(new Date(seconds * 1000));
}

const UNITS = [
  { unit: "day", seconds: 86_400 },
  { unit: "hour", seconds: 3_600 },
  { unit: "minute", seconds: 60 },
] as const;

/**
 * "in 3 days", "2 hours ago", "this minute": in the largest unit, minutes at the least. Never "tomorrow": what is a day
 * away may be the day after it.
 */
export function formatFromNow(seconds: number, now: number): string {
  const { count, unit } = inLargestUnit(seconds - now);
  const numeric = count === 0 ? "auto" : "always";
  return new Intl.RelativeTimeFormat(language(), { numeric }).format(count, unit);
}

/** "7 days", "12 hours": in the largest unit. */
export function formatDuration(seconds: number): string {
  const { count, unit } = inLargestUnit(seconds);
  return new Intl.NumberFormat(language(), { style: "unit", unit, unitDisplay: "long" }).format(count);
}

function inLargestUnit(seconds: number) {
  const { unit, seconds: size } = UNITS.find((each) => Math.abs(seconds) >= each.seconds) ?? UNITS[2];
  return { count: Math.round(seconds / size), unit };
}
