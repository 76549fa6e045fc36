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
    /** As a file instead of events. */
    format: Type.Optional(Type.Union([Type.Literal("csv"), Type.Literal("camt053")])),
  },
  strict,
);
/** A payee's `creditUsedMinor` is always zero. */
const standing = { balanceMinor: SignedMinor, creditUsedMinor: SignedMinor };
/** A statement comes as server-sent events: `statement`, any number of `lines`, `end`; or `problem`. */
export const StatementHead = Type.Object({
  of: Type.String(),
  currency: CurrencyText,
  from: Time,
  to: Time,
  opening: Type.Object(standing),
});
export const StatementLines = Type.Object({
  lines: Type.Array(
    Type.Object({
      entryId: Type.Integer(),
      kind: Type.String(),
      reference: Type.String(),
      postedAt: Time,
      ...standing,
    }),
  ),
});
export const StatementEnd = Type.Object({ closing: Type.Object(standing) });
/** All of it together. */
export type StatementAnswer = Decoded<typeof StatementHead> &
  Decoded<typeof StatementLines> &
  Decoded<typeof StatementEnd>;
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
