import type { HistoryEntry, Totals } from "@cairn/collect";
import { formatMinor } from "@cairn/messages";
import type { RefundNote } from "../session/refund-notes.ts";

const DAY_MS = 86_400_000;

/** Midnight to midnight in the device's own time zone; seconds since 1970, `until` exclusive. */
export function dayRange(day: Date): { readonly from: number; readonly until: number } {
  const start = new Date(day.getFullYear(), day.getMonth(), day.getDate());
  // Not 24 hours: a day with a change of the clocks is longer or shorter.
  const end = new Date(day.getFullYear(), day.getMonth(), day.getDate() + 1);
  return { from: Math.floor(start.getTime() / 1000), until: Math.floor(end.getTime() / 1000) };
}

export function neighbourDay(day: Date, days: number): Date {
  return new Date(day.getFullYear(), day.getMonth(), day.getDate() + days);
}

/** "2026-05-17", for file names. */
export function isoDay(day: Date): string {
  const twoDigits = (number: number): string => String(number).padStart(2, "0");
  return `${day.getFullYear()}-${twoDigits(day.getMonth() + 1)}-${twoDigits(day.getDate())}`;
}

/** Whole days from `day` until today: 0 is today. */
export function daysAgo(day: Date, today: Date): number {
  const midnight = (date: Date): number => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  return Math.round((midnight(today) - midnight(day)) / DAY_MS);
}

/** RFC 4180, one line for each accepted payment, oldest first, then one for each refund, for the shop's own books. */
export function dayAsCsv(
  entries: readonly HistoryEntry[],
  { currency, refunds }: { readonly currency: Totals["currency"]; readonly refunds: readonly RefundNote[] },
): string {
  const rows = [["time", "payment", "order", "amount", "currency", "state", "guaranteed", "risk", "code"]];
  for (const entry of [...entries].reverse()) {
    if (entry.kind !== "payment") continue;
    const { acceptance, state, guaranteed, orderReference, at } = entry;
    rows.push([
      new Date(at * 1000).toISOString(),
      acceptance.paymentId,
      orderReference ?? "",
      formatMinor(acceptance.takenMinor ?? acceptance.amountMinor, currency),
      currency,
      state,
      guaranteed ? "yes" : "no",
      acceptance.risk ?? "",
      acceptance.answer?.code ?? "",
    ]);
  }
  for (const { at, paymentId, amountMinor } of refunds) {
    const amount = `-${formatMinor(BigInt(amountMinor), currency)}`;
    rows.push([new Date(at * 1000).toISOString(), paymentId, "", amount, currency, "given-back", "", "", ""]);
  }
  return rows.map((row) => `${row.map(csvField).join(",")}\r\n`).join("");
}

/** A leading =, +, - or @ would be run as a formula by spreadsheets: order references come from people. */
function csvField(text: string): string {
  const harmless = /^[=+\-@\t]/.test(text) && !/^-?\d+(\.\d+)?$/.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
