import type { CertificateId } from "@cairn/messages";
import type { KnownPayment } from "@cairn/settle";
import type { InboxRecord } from "./port.ts";

/** Everything that was kept, page by page, for an auditor who holds it against the signed messages themselves. */
export interface KeptPort {
  /** @param after The mark of the page before; undefined for the first. In no particular order. */
  keptRecords(after?: string): Promise<KeptPage<InboxRecord>>;
  keptPayments(after?: string): Promise<KeptPage<KeptPayment>>;
}

/** `next`: the mark for the page behind this one; undefined for the last. */
export type KeptPage<Kept> = { readonly kept: readonly Kept[]; readonly next: string | undefined };

/** A payment as settlement goes by it, and the signed message that it came from. */
export type KeptPayment = Omit<KnownPayment, "sideClaims"> & {
  readonly certificateId: CertificateId;
  readonly bytes: Uint8Array;
};

/** Few enough to hold, enough not to ask too often. */
export const KEPT_PAGE = 1_000;

/** @param markOf Where the next page begins. */
export function keptPage<Row, Kept>(
  rows: readonly Row[],
  read: { readonly kept: (row: Row) => Kept; readonly markOf: (row: Row) => string },
): KeptPage<Kept> {
  const last = rows.at(-1);
  const isLast = last === undefined || rows.length < KEPT_PAGE;
  return { kept: rows.map(read.kept), next: isLast ? undefined : read.markOf(last) };
}
