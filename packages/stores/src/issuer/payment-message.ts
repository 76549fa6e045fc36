import { CodedError } from "@cairn/cose";
import { readSyncRecord, readUploadRecord } from "@cairn/messages";
import type { InboxRecord } from "./port.ts";
import { StoreError } from "./store-error.ts";

/**
 * The payment as its payer signed it, out of a record that it came in: it is kept there and nowhere else. A view of the
 * record's bytes.
 * @throws StoreError STORE_DAMAGED when the record holds none
 */
export function paymentMessageIn({ bytes, broughtBy }: Pick<InboxRecord, "bytes" | "broughtBy">): Uint8Array {
  try {
    const record = broughtBy === "terminal" ? readUploadRecord(bytes) : readSyncRecord(bytes);
    if ("payment" in record) return record.payment;
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
  }
  throw new StoreError("STORE_DAMAGED", "A payment's record holds no payment.");
}
