import { t } from "@cairn/app-kit";
import type { HistoryEntry, PaymentState } from "@cairn/pay";
import { useState } from "preact/hooks";

const LOOKS: Readonly<Record<PaymentState, "good" | "bad" | "warn" | "">> = {
  prepared: "warn",
  shown: "",
  receipted: "good",
  pending: "",
  settled: "good",
  refused: "bad",
  held: "warn",
  released: "",
};

export function StatePill({ state }: { readonly state: PaymentState }) {
  return <span class={`pill ${LOOKS[state]}`}>{t(`state.${state}`)}</span>;
}

export const payeeName = ({ payee }: HistoryEntry): string => payee?.name ?? t("history.gate");

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
