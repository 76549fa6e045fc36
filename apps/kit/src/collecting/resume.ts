import type { HistoryEntry } from "@cairn/collect";

/** What was being collected when the app was closed, or the device fell. */
export type Resumed =
  /** The request was paid: its verdict comes first, so that nobody charges twice. */
  | { readonly kind: "paid"; readonly entry: Extract<HistoryEntry, { kind: "payment" }> }
  /** The request is still open: the payer may have its payment code on the screen. */
  | { readonly kind: "open"; readonly entry: Extract<HistoryEntry, { kind: "request" }> };

/** `currentRequestId` is what the app kept of its last step; the journal knows what became of it. */
export function resumeCollecting(
  entries: readonly HistoryEntry[],
  currentRequestId: string | undefined,
): Resumed | undefined {
  if (currentRequestId === undefined) return undefined;
  for (const entry of entries) {
    if (entry.kind === "payment" && entry.acceptance.requestId === currentRequestId) return { kind: "paid", entry };
    if (entry.kind === "request" && entry.requestId === currentRequestId && entry.state === "open") {
      return { kind: "open", entry };
    }
  }
  return undefined;
}
