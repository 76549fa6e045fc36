import type { Partition } from "@cairn/issue";
import type { CertificateId, MessageId } from "@cairn/messages";
import type { ClosingFacts, KnownPayment } from "@cairn/settle";
import type { CertificateRecord, InboxRecord, RequestVoidRecord } from "./port.ts";

/**
 * Everything that was kept, page by page, for an auditor who holds it against the signed messages themselves. Pages are in
 * no particular order. `after`: the mark of the page before; undefined for the first.
 */
export interface KeptPort {
  keptRecords(after?: string): Promise<KeptPage<InboxRecord>>;
  keptPayments(after?: string): Promise<KeptPage<KeptPayment>>;
  keptCertificates(after?: string): Promise<KeptPage<CertificateRecord>>;
  keptClosings(after?: string): Promise<KeptPage<KeptClosing>>;
  keptVoids(after?: string): Promise<KeptPage<RequestVoidRecord>>;
  /** Entries that settle no payment. */
  keptMovements(after?: string): Promise<KeptPage<KeptMovement>>;
  /** The newest entry of each partition that has any. */
  ledgerHeads(): Promise<readonly LedgerHead[]>;
  /** Those of which there is no entry with this number and hash. */
  missingHeads(heads: readonly LedgerHead[]): Promise<readonly LedgerHead[]>;
  /** Every record that names one of these payments. */
  recordsNaming(paymentIds: readonly MessageId[]): Promise<readonly InboxRecord[]>;
}

/** `next`: the mark for the page behind this one; undefined for the last. */
export type KeptPage<Kept> = { readonly kept: readonly Kept[]; readonly next: string | undefined };

/** A payment as settlement goes by it. */
export type KeptPayment = Omit<KnownPayment, "sideClaims"> & {
  readonly certificateId: CertificateId;
  /** The one that it was first known from, in which the signed message is. */
  readonly record: InboxRecord | undefined;
};

/** A device's last word on a certificate, the first or one that contradicts it. */
export type KeptClosing = ClosingFacts & {
  readonly certificateId: CertificateId;
  readonly bytes: Uint8Array;
  /** The certificate as it was issued, which names the key. */
  readonly certificate: Uint8Array | undefined;
};

/** `sealed`: what its seal is made of. `seal`: undefined where it has none. */
export type KeptMovement = {
  readonly partition: Partition;
  readonly entryId: number;
  readonly sealed: string;
  readonly seal: string | undefined;
};

/** `hash`: hexadecimal. It covers all entries of the partition up to this one. */
export type LedgerHead = { readonly partition: Partition; readonly entryId: number; readonly hash: string };

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
