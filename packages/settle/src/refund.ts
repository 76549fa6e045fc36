import type { Currency, MessageId } from "@cairn/messages";
import type { Funding, LedgerAccount, LedgerEntry, Posting } from "./model.ts";

/** How a refund is divided among those who paid. The sum is the refund. */
export type RefundShares = {
  readonly reserveMinor: bigint;
  /** Of the share that the credit line paid: what is still owed of it. */
  readonly creditMinor: bigint;
  readonly balanceMinor: bigint;
};

/**
 * The reverse of the order in which the payment was funded: first the issuer's loss is made good, then used credit is
 * repaid, then the balance gets its part. Part refunds go on where the ones before ended, so many small ones give back
 * to each what one large one would. Credit that was repaid meanwhile goes to the balance.
 */
export function refundShares(input: {
  readonly funding: Funding;
  readonly refundedMinor: bigint;
  readonly amountMinor: bigint;
  readonly creditUsedMinor: bigint;
}): RefundShares {
  const { funding, refundedMinor, amountMinor, creditUsedMinor } = input;
  const end = refundedMinor + amountMinor;
  const within = (from: bigint, to: bigint): bigint => {
    const overlap = smaller(end, to) - larger(refundedMinor, from);
    return overlap > 0n ? overlap : 0n;
  };
  const reserveMinor = within(0n, funding.reserveMinor);
  const creditPart = within(funding.reserveMinor, funding.reserveMinor + funding.creditMinor);
  const creditMinor = smaller(creditPart, creditUsedMinor);
  return { reserveMinor, creditMinor, balanceMinor: amountMinor - reserveMinor - creditMinor };
}

/** Posted in the payer's partition. `from` is where the payee's money comes from. */
export function refundEntry(input: {
  readonly paymentId: MessageId;
  readonly idempotencyKey: string;
  readonly account: number;
  readonly currency: Currency;
  readonly from: LedgerAccount;
  readonly shares: RefundShares;
  readonly at: number;
}): LedgerEntry {
  const { account, shares } = input;
  const back: readonly (readonly [LedgerAccount, bigint])[] = [
    [{ kind: "loss-reserve" }, shares.reserveMinor],
    [{ kind: "credit", account }, shares.creditMinor],
    [{ kind: "wallet", account }, shares.balanceMinor],
  ];
  const postings: Posting[] = back
    .filter(([, minor]) => minor > 0n)
    .map(([ledgerAccount, minor]) => ({ ledgerAccount, minor: -minor }));
  const amountMinor = shares.reserveMinor + shares.creditMinor + shares.balanceMinor;
  return {
    kind: "refund",
    reference: refundReference(input.paymentId, input.idempotencyKey),
    currency: input.currency,
    postings: [{ ledgerAccount: input.from, minor: amountMinor }, ...postings],
    postedAt: input.at,
  };
}

export const refundReference = (paymentId: MessageId, key: string): string => `refund:${paymentId}:${key}`;
export const refundOutReference = (paymentId: MessageId, key: string): string => `refund-out:${paymentId}:${key}`;

const smaller = (left: bigint, right: bigint): bigint => (left < right ? left : right);
const larger = (left: bigint, right: bigint): bigint => (left > right ? left : right);
