import { Type } from "@sinclair/typebox";
import { CurrencyText, type Decoded, Minor, OrNull, PayeeIdText, Time } from "./wire.ts";

/** Payouts under /v1/operator: what is sent and what is answered. */
const strict = { additionalProperties: false } as const;
const Name = Type.String({ minLength: 1, maxLength: 70 });
const Iban = Type.String({ minLength: 15, maxLength: 34 });
export const BatchIdText = Type.String({
  pattern: "^[A-Z0-9-]{1,16}$",
  description: "Chosen by the caller, used once.",
});

export const Terms = Type.Object(
  {
    holder: Name,
    iban: Iban,
    feeBasisPoints: Type.Integer({ minimum: 0, maximum: 10_000 }),
    feeFixedMinor: Minor,
    feeMinimumMinor: Minor,
    feeMaximumMinor: OrNull(Minor),
  },
  strict,
);
export const SweepAnswer = Type.Object({ swept: Type.Integer({ minimum: 0 }) });
export const NewBatch = Type.Object({ batchId: BatchIdText, currency: CurrencyText }, strict);
export const Payout = Type.Object({
  payeeId: PayeeIdText,
  holder: Type.String(),
  iban: Type.String(),
  grossMinor: Minor,
  feeMinor: Minor,
  netMinor: Minor,
  state: Type.Union([Type.Literal("ordered"), Type.Literal("paid"), Type.Literal("returned")]),
  reason: OrNull(Type.String()),
  decidedAt: OrNull(Time),
});
export const Batch = Type.Object({
  batchId: BatchIdText,
  currency: CurrencyText,
  /** `draft` until it was exported, `done` when the bank's word on every payout is known. */
  state: Type.Union([Type.Literal("draft"), Type.Literal("exported"), Type.Literal("done")]),
  createdAt: Time,
  exportedAt: OrNull(Time),
  payouts: Type.Array(Payout),
});
export type Batch = Decoded<typeof Batch>;
export const Export = Type.Object(
  {
    format: Type.Union([Type.Literal("pain.001"), Type.Literal("csv")]),
    debtorName: Name,
    debtorIban: Iban,
    executionDate: Type.String({ pattern: "^[0-9]{4}-[0-9]{2}-[0-9]{2}$" }),
  },
  strict,
);
export const ExportAnswer = Type.Object({ document: Type.String(), batch: Batch });
export const PayoutDecision = Type.Object(
  {
    state: Type.Union([Type.Literal("paid"), Type.Literal("returned")]),
    reason: OrNull(Type.String({ minLength: 1, maxLength: 200 })),
  },
  strict,
);
