import type { Currency, PayeeId } from "@cairn/messages";
import { fund } from "./funding.ts";
import type { LedgerEntry, Posting } from "./model.ts";
import { SettleError } from "./settle-error.ts";

/** Money that moves while its owner is online: withdrawal, transfer, payment. Pure; spec: docs/guides/books.md. */

/** What an account has, and what of it is held for its offline certificates. Minor units. */
export type OnlineFunds = {
  readonly account: number;
  readonly currency: Currency;
  readonly status: "active" | "frozen";
  readonly balanceMinor: bigint;
  readonly creditLineMinor: bigint;
  readonly creditUsedMinor: bigint;
  readonly overdueMinor: bigint;
  /** What the issuing policy holds on the balance for payments that were made offline, or may be. */
  readonly heldMinor: bigint;
};

export const ONLINE_REFUSALS = {
  ACCOUNT_FROZEN: "This account is blocked.",
  CURRENCY_DIFFERS: "Both sides must have the same currency.",
  FUNDS_INSUFFICIENT: "There is not enough money that is not held for offline payments.",
  SAME_ACCOUNT: "An account cannot pay itself.",
} as const;
export type OnlineRefusal = keyof typeof ONLINE_REFUSALS;

type Order = {
  readonly funds: OnlineFunds;
  readonly amountMinor: bigint;
  readonly idempotencyKey: string;
  readonly at: number;
};
export type Ordered = { readonly entry: LedgerEntry } | { readonly refusal: OnlineRefusal };

/**
 * What can be spent now: of the balance alone, and with the free part of the credit line. A hold lies on the balance; what
 * the balance is too small for lies on the credit line.
 */
export function spendable(funds: OnlineFunds): { readonly balanceMinor: bigint; readonly withCreditMinor: bigint } {
  const { balanceMinor, creditLineMinor, creditUsedMinor, overdueMinor, heldMinor } = funds;
  const creditMinor = creditLineMinor > creditUsedMinor ? creditLineMinor - creditUsedMinor : 0n;
  const freeMinor = balanceMinor + creditMinor > heldMinor ? balanceMinor + creditMinor - heldMinor : 0n;
  const ownMinor = balanceMinor > heldMinor ? balanceMinor - heldMinor : 0n;
  // Who is behind with repaying spends no more credit, though what is held stays held.
  return { balanceMinor: ownMinor, withCreditMinor: overdueMinor > 0n ? ownMinor : freeMinor };
}

/** Money leaves: of the balance alone. @throws SettleError AMOUNT_INVALID for an amount of zero or below. */
export function decideWithdrawal(order: Order): Ordered {
  const { account, currency } = order.funds;
  const refusal = refusalOf(order, spendable(order.funds).balanceMinor);
  if (refusal !== undefined) return { refusal };
  return entryOf(order, currency, "withdrawal", withdrawalReference(account, order.idempotencyKey), [
    { ledgerAccount: { kind: "wallet", account }, minor: order.amountMinor },
    { ledgerAccount: { kind: "cash" }, minor: -order.amountMinor },
  ]);
}

/**
 * To another account, of the balance alone. To one of another partition the entry ends in `transit`, and
 * `transferArrival` brings it home.
 * @throws SettleError AMOUNT_INVALID for an amount of zero or below.
 */
export function decideTransfer(
  order: Order & {
    readonly to: { readonly account: number; readonly currency: Currency };
    /** Undefined when both accounts are of one partition. */
    readonly transit: { readonly from: number; readonly to: number } | undefined;
  },
): Ordered {
  const { funds, to, transit, amountMinor } = order;
  if (to.account === funds.account) return { refusal: "SAME_ACCOUNT" };
  if (to.currency !== funds.currency) return { refusal: "CURRENCY_DIFFERS" };
  const refusal = refusalOf(order, spendable(funds).balanceMinor);
  if (refusal !== undefined) return { refusal };
  const reference = transferReference(funds.account, order.idempotencyKey);
  return entryOf(order, funds.currency, transit === undefined ? "transfer" : "transfer-out", reference, [
    { ledgerAccount: { kind: "wallet", account: funds.account }, minor: amountMinor },
    {
      ledgerAccount: transit === undefined ? { kind: "wallet", account: to.account } : { kind: "transit", ...transit },
      minor: -amountMinor,
    },
  ]);
}

/** The second half of a transfer between partitions. */
export function transferArrival(input: {
  readonly from: number;
  readonly to: number;
  readonly currency: Currency;
  readonly amountMinor: bigint;
  readonly idempotencyKey: string;
  readonly transit: { readonly from: number; readonly to: number };
  readonly at: number;
}): LedgerEntry {
  const { amountMinor, currency } = input;
  return {
    kind: "transfer-in",
    reference: transferArrivalReference(input.from, input.idempotencyKey),
    currency,
    postedAt: input.at,
    postings: [
      { ledgerAccount: { kind: "transit", ...input.transit }, minor: amountMinor },
      { ledgerAccount: { kind: "wallet", account: input.to }, minor: -amountMinor },
    ],
  };
}

/**
 * To a payee, of the balance first, then of the credit line; never of the loss reserve.
 * @throws SettleError AMOUNT_INVALID for an amount of zero or below.
 */
export function decideOnlinePayment(
  order: Order & { readonly payee: { readonly payeeId: PayeeId; readonly currency: Currency } },
): Ordered {
  const { funds, payee, amountMinor } = order;
  const { account } = funds;
  if (payee.currency !== funds.currency) return { refusal: "CURRENCY_DIFFERS" };
  const refusal = refusalOf(order, spendable(funds).withCreditMinor);
  if (refusal !== undefined) return { refusal };
  const creditAvailableMinor = funds.creditLineMinor - funds.creditUsedMinor;
  const { balanceMinor, creditMinor } = fund({ balanceMinor: funds.balanceMinor, creditAvailableMinor }, amountMinor);
  const postings: Posting[] = [];
  if (balanceMinor > 0n) postings.push({ ledgerAccount: { kind: "wallet", account }, minor: balanceMinor });
  if (creditMinor > 0n) postings.push({ ledgerAccount: { kind: "credit", account }, minor: creditMinor });
  postings.push({ ledgerAccount: { kind: "clearing", payeeId: payee.payeeId }, minor: -amountMinor });
  return entryOf(
    order,
    funds.currency,
    "online-payment",
    onlinePaymentReference(account, order.idempotencyKey),
    postings,
  );
}

/** The one reference of each under an idempotency key. */
export const withdrawalReference = (account: number, key: string): string => `withdrawal:${account}:${key}`;
export const transferReference = (account: number, key: string): string => `transfer:${account}:${key}`;
export const transferArrivalReference = (account: number, key: string): string => `transfer-in:${account}:${key}`;
export const onlinePaymentReference = (account: number, key: string): string => `online-payment:${account}:${key}`;

/** Below zero, money would flow the other way, out of accounts that nobody asked. */
function refusalOf({ funds, amountMinor }: Order, availableMinor: bigint): OnlineRefusal | undefined {
  if (amountMinor <= 0n) throw new SettleError("AMOUNT_INVALID", "What is ordered must be more than zero.");
  if (funds.status !== "active") return "ACCOUNT_FROZEN";
  return amountMinor > availableMinor ? "FUNDS_INSUFFICIENT" : undefined;
}

function entryOf(
  order: Order,
  currency: Currency,
  kind: LedgerEntry["kind"],
  reference: string,
  postings: readonly Posting[],
): Ordered {
  return { entry: { kind, reference, currency, postings, postedAt: order.at } };
}
