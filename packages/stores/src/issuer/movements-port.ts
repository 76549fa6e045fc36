import type { AccountNumber, CertificateView, Partition } from "@cairn/issue";
import type { Currency } from "@cairn/messages";
import type { LedgerAccount, LedgerEntry } from "@cairn/settle";
import type { AccountRecord, StoredEntry } from "./port.ts";

/** Money that moves by other ways than offline payments, and what people agreed, ordered or decided about it. */
export interface MovementsPort {
  /**
   * Reads what is asked for under the partition's lock, runs the pure decision, and writes its entries and records, in
   * one transaction. An entry's reference must be new: the decision looks first, by naming it among `references`.
   * @throws StoreError ACCOUNT_UNKNOWN; STORE_INPUT_INVALID for an account of another partition.
   */
  move<Result>(input: MovementInput, decide: (view: MovementView) => MovementDecision<Result>): Promise<Result>;
  /** Kept balances of one kind of ledger account, over all partitions, those at zero left out. Debit positive. */
  ledgerBalances(kind: LedgerAccount["kind"]): Promise<readonly LedgerBalance[]>;
  /** The sum of one kind of ledger account over all partitions, by currency, none of no money. Debit positive. */
  ledgerSums(kind: LedgerAccount["kind"]): Promise<readonly { readonly currency: Currency; readonly minor: bigint }[]>;
  /**
   * What sweeps sent and what has not all come home: `minor` is what the sending partition's side says, all that it ever
   * sent, as a credit. Sides that agree stay for ever, two for each payee and partition, and are not told.
   */
  sweepsUnderway(): Promise<readonly Omit<LedgerBalance, "partition">[]>;
  /** All of a kind, by id. */
  operationRecords(kind: OperationKind): Promise<readonly { readonly id: string; readonly body: string }[]>;
}

/** `payee-terms` and `sweeps` (how many so far) by payee, `payout-batch` by batch, `payout` by batch and payee, `refunds` and `review` by payment, `receiving` by account, `receiver` by payee, `policy` by fingerprint, and `entry-seal` by the reference of its entry. */
export type OperationKind =
  | "payee-terms"
  | "sweeps"
  | "payout-batch"
  | "payout"
  | "refunds"
  | "review"
  | "transfer"
  | "policy"
  | "open-transfer"
  | "receiving"
  | "entry-seal"
  | "receiver";

export type RecordKey = { readonly kind: OperationKind; readonly id: string };

export type MovementInput = {
  readonly partition: Partition;
  readonly accounts?: readonly AccountNumber[];
  readonly balances?: readonly LedgerAccount[];
  /** Of entries that are no settlements. */
  readonly references?: readonly string[];
  readonly records?: readonly RecordKey[];
};

export type MovementView = {
  account(account: AccountNumber): MovementAccount;
  /** Debit positive; zero for what was not asked for. */
  balance(ledgerAccount: LedgerAccount, currency: Currency): bigint;
  entry(reference: string): StoredEntry | undefined;
  record(key: RecordKey): string | undefined;
};
export type MovementAccount = { readonly record: AccountRecord; readonly certificates: readonly CertificateView[] };

export type MovementDecision<Result> = {
  readonly result: Result;
  readonly entries?: readonly LedgerEntry[];
  /** JSON; undefined takes the record away. */
  readonly records?: readonly (RecordKey & { readonly body: string | undefined })[];
  /** Credit that the entries repay: what is overdue sinks with it. */
  readonly repaid?: { readonly account: AccountNumber; readonly minor: bigint };
};

export type LedgerBalance = {
  readonly partition: Partition;
  readonly ledgerAccount: LedgerAccount;
  readonly currency: Currency;
  readonly minor: bigint;
};
