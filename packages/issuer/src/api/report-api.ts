import { Type } from "@sinclair/typebox";
import { CurrencyText, type Decoded, Minor, OrNull, PayeeIdText, SignedMinor, Time } from "./wire.ts";

/** Statements and the reconciliation under /v1/operator. */
const strict = { additionalProperties: false } as const;
const Digits = (pattern: string) =>
  Type.Transform(Type.String({ pattern }))
    .Decode((text) => Number(text))
    .Encode((value) => value.toString());
/** Seconds since 1970: from `from` on, before `to`. */
const period = { from: Digits("^[0-9]{1,11}$"), to: Digits("^[0-9]{1,11}$") };

export const PeriodQuery = Type.Object(period, strict);
export const StatementQuery = Type.Object(
  {
    ...period,
    /** Either of the two. */
    account: Type.Optional(Digits("^[1-9][0-9]{0,14}$")),
    payeeId: Type.Optional(PayeeIdText),
  },
  strict,
);
/** A payee's `creditUsedMinor` is always zero. */
const standing = { balanceMinor: SignedMinor, creditUsedMinor: SignedMinor };
export const StatementAnswer = Type.Object({
  of: Type.String(),
  currency: CurrencyText,
  from: Time,
  to: Time,
  opening: Type.Object(standing),
  lines: Type.Array(
    Type.Object({
      entryId: Type.Integer(),
      kind: Type.String(),
      reference: Type.String(),
      postedAt: Time,
      ...standing,
    }),
  ),
  closing: Type.Object(standing),
  /** The same as files. */
  csv: Type.String(),
  camt053: Type.String(),
});
export type StatementAnswer = Decoded<typeof StatementAnswer>;
export const ReconciliationAnswer = Type.Object({
  lines: Type.Array(
    Type.Object({
      state: Type.String(),
      currency: OrNull(CurrencyText),
      payments: Type.Integer(),
      amountMinor: Minor,
      takenMinor: Minor,
    }),
  ),
  /** All lines together. */
  payments: Type.Integer(),
});
export type ReconciliationAnswer = Decoded<typeof ReconciliationAnswer>;
