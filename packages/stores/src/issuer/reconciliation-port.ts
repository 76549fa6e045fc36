import type { Currency } from "@cairn/messages";
import type { PaymentState } from "@cairn/settle";

/** What became of the payments that came in during some time. */
export interface ReconciliationPort {
  /**
   * Every payment whose first record was received from `from` on and before `to` is counted in exactly one line, by how
   * it stands now. Seconds since 1970.
   */
  reconcile(period: { readonly from: number; readonly to: number }): Promise<readonly ReconciliationLine[]>;
}

export type ReconciliationLine = {
  /** `received`: waits to be looked at. `rejected`: every record that named it was malformed or of nobody known. */
  readonly state: PaymentState | "received" | "rejected";
  /** Undefined where no payment is known. */
  readonly currency: Currency | undefined;
  readonly payments: number;
  /** Signed by the payers. */
  readonly amountMinor: bigint;
  /** Credited to the payees; the rest of the amount was given back, refused or is undecided. */
  readonly takenMinor: bigint;
};
