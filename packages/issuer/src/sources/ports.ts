import type { AccountNumber, ScoreBand } from "@cairn/issue";

/**
 * Where an operator's own systems come in. Without them the built-in ledger and credit lines are all there is. Contract
 * of the HTTP adapters: docs/guides/core-banking.md. Both throw {@link SourceError}; a caller goes on with what it knows.
 */
export interface CreditSource {
  /** What the bureau says of an account's credit. Used credit is the ledger's own. */
  credit(account: AccountNumber): Promise<CreditReport>;
}

export type CreditReport = {
  /** Minor units of the account's currency. */
  readonly lineMinor: bigint;
  readonly overdueMinor: bigint;
  readonly scoreBand: ScoreBand;
  /** When the bureau last confirmed this, seconds since 1970. */
  readonly informedAt: number;
};

export interface AccountSource {
  /** What core banking says of an account: its state, and deposits after one that was reported before. */
  account(account: AccountNumber, after: string | undefined): Promise<AccountReport>;
}

export type AccountReport = {
  readonly status: "active" | "frozen";
  /** Oldest first. Each is posted once, however often it is reported. */
  readonly deposits: readonly { readonly depositId: string; readonly amountMinor: bigint }[];
};
