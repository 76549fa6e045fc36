import type { Currency, MessageId } from "@cairn/messages";
import type { AccountFunds, Funding, LedgerAccount, LedgerEntry, Posting } from "./model.ts";

const smaller = (left: bigint, right: bigint): bigint => (left < right ? left : right);

/** Balance first, then credit, then the issuer's loss reserve, which never refuses. */
export function fund(funds: Omit<AccountFunds, "account">, takenMinor: bigint): Funding {
  const balanceMinor = smaller(takenMinor, funds.balanceMinor);
  const creditMinor = smaller(takenMinor - balanceMinor, funds.creditAvailableMinor);
  return { balanceMinor, creditMinor, reserveMinor: takenMinor - balanceMinor - creditMinor };
}

/** Where a payer's money is, and what it owes. */
export type PayerAccounts = { readonly wallet: LedgerAccount; readonly credit: LedgerAccount };

export const payerAccounts = (account: number): PayerAccounts => ({
  wallet: { kind: "wallet", account },
  credit: { kind: "credit", account },
});

const LOSS_RESERVE: LedgerAccount = { kind: "loss-reserve" };

/** The entry that credits the payee's clearing account in full. */
export function settlementEntry(input: {
  readonly paymentId: MessageId;
  readonly accounts: PayerAccounts;
  readonly clearing: LedgerAccount;
  readonly currency: Currency;
  readonly takenMinor: bigint;
  readonly funding: Funding;
  readonly at: number;
}): LedgerEntry {
  const { accounts, funding } = input;
  const postings: Posting[] = [];
  if (funding.balanceMinor > 0n) postings.push({ ledgerAccount: accounts.wallet, minor: funding.balanceMinor });
  if (funding.creditMinor > 0n) postings.push({ ledgerAccount: accounts.credit, minor: funding.creditMinor });
  if (funding.reserveMinor > 0n) postings.push({ ledgerAccount: LOSS_RESERVE, minor: funding.reserveMinor });
  postings.push({ ledgerAccount: input.clearing, minor: -input.takenMinor });
  return {
    reference: settlementReference(input.paymentId),
    kind: "settlement",
    currency: input.currency,
    postings,
    postedAt: input.at,
  };
}

/** The one reference under which a payment can be posted. */
export const settlementReference = (paymentId: MessageId): string => `settlement:${paymentId}`;
