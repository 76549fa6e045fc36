import type { Currency, PayeeId } from "@cairn/messages";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";

/** What is kept about payouts beside the ledger (operation records), as JSON. Amounts are minor units as text. */
const Minor = Type.String({ pattern: "^(0|[1-9][0-9]{0,15})$" });
const CurrencyCode = Type.Unsafe<Currency>(Type.String({ pattern: "^[A-Z]{3}$" }));
const Payee = Type.Unsafe<PayeeId>(Type.String({ pattern: "^[A-Z0-9-]{1,16}$" }));

export const PayeeTerms = Type.Object({
  payeeId: Payee,
  holder: Type.String(),
  iban: Type.String(),
  feeBasisPoints: Type.Integer({ minimum: 0, maximum: 10_000 }),
  feeFixedMinor: Minor,
  feeMinimumMinor: Minor,
  feeMaximumMinor: Type.Union([Minor, Type.Null()]),
});
export type PayeeTerms = Static<typeof PayeeTerms>;

export const PayoutBatch = Type.Object({
  batchId: Type.String(),
  currency: CurrencyCode,
  createdAt: Type.Integer(),
  exportedAt: Type.Union([Type.Integer(), Type.Null()]),
  payees: Type.Array(Payee),
});
export type PayoutBatch = Static<typeof PayoutBatch>;

export const Payout = Type.Object({
  batchId: Type.String(),
  payeeId: Payee,
  currency: CurrencyCode,
  holder: Type.String(),
  iban: Type.String(),
  grossMinor: Minor,
  feeMinor: Minor,
  netMinor: Minor,
  state: Type.Union([Type.Literal("ordered"), Type.Literal("paid"), Type.Literal("returned")]),
  reason: Type.Union([Type.String(), Type.Null()]),
  decidedAt: Type.Union([Type.Integer(), Type.Null()]),
});
export type Payout = Static<typeof Payout>;

/** Throws for what this module never wrote. */
export const readTerms = (body: string): PayeeTerms => Value.Parse(PayeeTerms, JSON.parse(body));
export const readBatch = (body: string): PayoutBatch => Value.Parse(PayoutBatch, JSON.parse(body));
export const readPayout = (body: string): Payout => Value.Parse(Payout, JSON.parse(body));
