import { t } from "@cairn/app-kit";
import type { AcceptanceState, HistoryEntry as CollectedEntry } from "@cairn/collect";
import type { HistoryEntry, PaymentState } from "@cairn/pay";
import { useState } from "preact/hooks";

const LOOKS: Readonly<Record<PaymentState | AcceptanceState, "good" | "bad" | "warn" | "">> = {
  prepared: "warn",
  shown: "",
  receipted: "good",
  pending: "",
  settled: "good",
  refused: "bad",
  held: "warn",
  released: "",
  uncaptured: "warn",
  stored: "",
  received: "",
};

export function StatePill({ state }: { readonly state: PaymentState | AcceptanceState }) {
  return <span class={`pill ${LOOKS[state]}`}>{t(`state.${state}`)}</span>;
}

/** One line of what this wallet was paid. */
export type ReceivedEntry = Extract<CollectedEntry, { readonly kind: "payment" }>;

export const payeeName = ({ payee }: HistoryEntry): string => payee?.name ?? t("history.gate");

/** What was paid, or would have been: of a payment that came to nothing, the amount that it was for. Minor units. */
export function shownMinor({ amount, takenMinor, state }: HistoryEntry): bigint {
  const isNothing = state === "released" || state === "refused";
  return isNothing ? amount.minor : (takenMinor ?? amount.minor);
}

/** Runs one piece of work at a time; a second touch of the button does nothing. */
export function useBusy(): readonly [boolean, (work: () => Promise<void>) => Promise<void>] {
  const [isBusy, setBusy] = useState(false);
  async function run(work: () => Promise<void>): Promise<void> {
    if (isBusy) return;
    setBusy(true);
    try {
      await work();
    } finally {
      setBusy(false);
    }
  }
  return [isBusy, run];
}
