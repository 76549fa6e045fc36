import type { Currency, MessageId, PayeeId } from "@cairn/messages";
import type { AccountFunds, Funding, LedgerEntry, Posting } from "./model.ts";

const smaller = (left: bigint, right: bigint): bigint => (left < right ? left : right);

/** Balance first, then credit, then the issuer's loss reserve, which never refuses. */
export function fund(funds: Omit<AccountFunds, "account">, takenMinor: bigint): Funding {
  const balanceMinor = smaller(takenMinor, funds.balanceMinor);
  const creditMinor = smaller(takenMinor - balanceMinor, funds.creditAvailableMinor);
  return { balanceMinor, creditMinor, reserveMinor: takenMinor - balanceMinor - creditMinor };
}

/** The entry that credits the payee's clearing account in full; undefined when nothing was taken. */
export function settlementEntry(input: {
  readonly paymentId: MessageId;
  readonly account: number;
  readonly payeeId: PayeeId;
  readonly currency: Currency;
  readonly takenMinor: bigint;
  readonly funding: Funding;
  readonly at: number;
}): LedgerEntry | undefined {
  const { account, funding, takenMinor } = input;
  if (takenMinor === 0n) return undefined;
  const postings: Posting[] = [];
  if (funding.balanceMinor > 0n)
    postings.push({ ledgerAccount: { kind: "wallet", account }, minor: funding.balanceMinor });
  if (funding.creditMinor > 0n)
    postings.push({ ledgerAccount: { kind: "credit", account }, minor: funding.creditMinor });
  if (funding.reserveMinor > 0n)
    postings.push({ ledgerAccount: { kind: "loss-reserve" }, minor: funding.reserveMinor });
  postings.push({ ledgerAccount: { kind: "clearing", payeeId: input.payeeId }, minor: -takenMinor });
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
