import type { Currency } from "@cairn/messages";
import type { LedgerEntry, Posting } from "./model.ts";
import { SettleError } from "./settle-error.ts";

/**
 * The entry of money coming in: used credit is repaid first, the rest goes to the balance.
 * @throws SettleError AMOUNT_INVALID for an amount of zero or below.
 */
export function topUpEntry(input: {
  readonly account: number;
  readonly currency: Currency;
  readonly amountMinor: bigint;
  readonly creditUsedMinor: bigint;
  readonly idempotencyKey: string;
  readonly at: number;
}): LedgerEntry {
  const { account, amountMinor, creditUsedMinor } = input;
  if (amountMinor <= 0n) throw new SettleError("AMOUNT_INVALID", "A top-up must be more than zero.");
  const repaidMinor = amountMinor < creditUsedMinor ? amountMinor : creditUsedMinor;
  const postings: Posting[] = [{ ledgerAccount: { kind: "cash" }, minor: amountMinor }];
  if (repaidMinor > 0n) postings.push({ ledgerAccount: { kind: "credit", account }, minor: -repaidMinor });
  if (amountMinor > repaidMinor)
    postings.push({ ledgerAccount: { kind: "wallet", account }, minor: repaidMinor - amountMinor });
  return {
    reference: topUpReference(account, input.idempotencyKey),
    kind: "top-up",
    currency: input.currency,
    postings,
    postedAt: input.at,
  };
}

/** The one reference under which a top-up of this account with this key can be posted. */
export const topUpReference = (account: number, idempotencyKey: string): string =>
  `top-up:${account}:${idempotencyKey}`;
