import type { BooksReading } from "../port.ts";
import { EntryAudit } from "./audit-entries.ts";
import { auditPayments } from "./audit-payments.ts";
import type { Reading } from "./audit-reading.ts";
import type { Database } from "./database.ts";
import type { PaymentIndex } from "./payment-index/payment-index.ts";
import { verifyIndex } from "./payment-index/verify-index.ts";

export type Audit = { readonly entries: number; readonly faults: readonly string[] };

/** Faults told; after so many the books are not read for single faults any more. */
const MAXIMUM_FAULTS = 1_000;

/**
 * Reads the books from their first line to their last and says everything in them that cannot be, page by page, while
 * others go on: what is compared with each other is read in one go, and what was written since the page before is read
 * first. So every fault is one that was there in a single moment.
 */
export async function audit(
  database: Database,
  index: PaymentIndex,
  { progress = () => undefined, signal }: BooksReading = {},
): Promise<Audit> {
  const faults: string[] = [];
  const reading: Reading = {
    database,
    report: (fault) => {
      if (faults.length < MAXIMUM_FAULTS) faults.push(fault);
    },
    progress,
    othersTurn: async () => {
      await new Promise((resolve) => setImmediate(resolve));
      signal?.throwIfAborted();
    },
  };
  const entries = new EntryAudit(reading);
  await entries.read();
  await entries.balances();
  await entries.accounts();
  await auditPayments(reading, entries);
  await verifyIndex(reading, index);
  return { entries: entries.count, faults };
}
