import type { MessageId } from "@cairn/messages";
import type { SettingsMemory } from "./settings.ts";

/**
 * What this till has given back, for its own report: the issuer alone says how much of a payment was given back. Noted
 * before the issuer is asked, so that a refund whose answer is lost is found again.
 */
export type RefundNote = {
  readonly paymentId: MessageId;
  /** Minor units, as decimal digits. */
  readonly amountMinor: string;
  /** What had been given back before, minor units, as decimal digits. */
  readonly beforeMinor: string;
  /** Seconds since 1970. */
  readonly at: number;
  readonly isDone: boolean;
};

const KEY = "cairn-terminal-refunds";
/** More refunds than any till gives in the time that its reports are asked for. */
const MAXIMUM_NOTES = 1_000;

export function readRefundNotes(memory: SettingsMemory): readonly RefundNote[] {
  try {
    const found: unknown = JSON.parse(memory.getItem(KEY) ?? "[]");
    return Array.isArray(found) ? found.filter(isNote) : [];
  } catch {
    return [];
  }
}

export function noteRefund(memory: SettingsMemory, note: RefundNote): void {
  const others = readRefundNotes(memory).filter((each) => !isSame(each, note));
  memory.setItem(KEY, JSON.stringify([...others, note].slice(-MAXIMUM_NOTES)));
}

/** The issuer's word for how much of a payment was given back also says which of the refunds asked for were. */
export function settleRefundNotes(
  memory: SettingsMemory,
  { paymentId, refundedMinor }: { readonly paymentId: MessageId; readonly refundedMinor: bigint },
): void {
  for (const note of readRefundNotes(memory)) {
    const isHeard = refundedMinor >= BigInt(note.beforeMinor) + BigInt(note.amountMinor);
    if (note.paymentId === paymentId && !note.isDone && isHeard) noteRefund(memory, { ...note, isDone: true });
  }
}

/** Given back from `from` until before `until`. Seconds since 1970. */
export function refundsBetween(
  memory: SettingsMemory,
  { from, until }: { readonly from: number; readonly until: number },
): readonly RefundNote[] {
  return readRefundNotes(memory).filter(({ at, isDone }) => isDone && at >= from && at < until);
}

const isSame = (left: RefundNote, right: RefundNote): boolean =>
  left.paymentId === right.paymentId && left.beforeMinor === right.beforeMinor;

function isNote(value: unknown): value is RefundNote {
  if (typeof value !== "object" || value === null) return false;
  const { paymentId, amountMinor, beforeMinor, at, isDone } = value as Partial<Record<keyof RefundNote, unknown>>;
  const isDigits = (text: unknown): boolean => typeof text === "string" && /^\d{1,16}$/.test(text);
  return (
    typeof paymentId === "string" &&
    isDigits(amountMinor) &&
    isDigits(beforeMinor) &&
    Number.isSafeInteger(at) &&
    typeof isDone === "boolean"
  );
}
