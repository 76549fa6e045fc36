import type { AcceptanceState, HistoryEntry } from "@cairn/collect";

export type Tone = "good" | "bad" | "warn" | "plain";

/** How one line of history looks: its amount, the message key of its state, and a tone that never stands alone. */
export type EntryView = {
  readonly key: string;
  readonly minor: bigint;
  readonly state: AcceptanceState | "open" | "expired" | "voided" | "turned-away";
  readonly tone: Tone;
  readonly note: string | undefined;
};

const TONES: Readonly<Record<AcceptanceState, Tone>> = {
  uncaptured: "warn",
  stored: "plain",
  received: "plain",
  pending: "plain",
  settled: "good",
  refused: "bad",
  held: "warn",
  released: "plain",
};

export function entryView(entry: HistoryEntry): EntryView {
  if (entry.kind === "payment") {
    const { acceptance, state, orderReference } = entry;
    return {
      key: acceptance.paymentId,
      minor: acceptance.takenMinor ?? acceptance.amountMinor,
      state,
      tone: TONES[state],
      note: orderReference,
    };
  }
  if (entry.kind === "refused") {
    const { paymentId, amountMinor, code, refusedAt } = entry.refused;
    return { key: `${paymentId}-${refusedAt}`, minor: amountMinor, state: "turned-away", tone: "bad", note: code };
  }
  const { requestId, request, state } = entry;
  return { key: requestId, minor: request.amountMinor, state, tone: "plain", note: request.orderReference };
}
