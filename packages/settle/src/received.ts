import type { Currency, PayeeId } from "@cairn/messages";
import type { LedgerEntry, Posting } from "./model.ts";
import { SettleError } from "./settle-error.ts";

/**
 * What a person was paid, from the payee's account into the person's own: used credit is repaid first, the rest goes to
 * the balance, as with every other money that comes in. `number` counts such entries of the payee. Pure.
 * @throws SettleError AMOUNT_INVALID for an amount of zero or below.
 */
export function receivedEntry(input: {
  readonly payeeId: PayeeId;
  readonly account: number;
  readonly currency: Currency;
  readonly amountMinor: bigint;
  readonly creditUsedMinor: bigint;
  readonly number: number;
  readonly at: number;
}): { readonly entry: LedgerEntry; readonly repaidMinor: bigint } {
  const { payeeId, account, amountMinor, creditUsedMinor } = input;
  if (amountMinor <= 0n) throw new SettleError("AMOUNT_INVALID", "What was received must be more than zero.");
  const repaidMinor = amountMinor < creditUsedMinor ? amountMinor : creditUsedMinor;
  const into: readonly Posting[] = [
    { ledgerAccount: { kind: "credit", account }, minor: -repaidMinor },
    { ledgerAccount: { kind: "wallet", account }, minor: repaidMinor - amountMinor },
  ];
  const entry: LedgerEntry = {
    kind: "received",
    reference: `received:${payeeId}:${input.currency}:${input.number}`,
    currency: input.currency,
    postings: [
      { ledgerAccount: { kind: "payee", payeeId }, minor: amountMinor },
      ...into.filter(({ minor }) => minor !== 0n),
    ],
    postedAt: input.at,
  };
  return { entry, repaidMinor };
}
