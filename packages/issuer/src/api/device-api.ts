import { Type } from "@sinclair/typebox";
import {
  Bytes,
  CertificateIdText,
  CurrencyText,
  type Decoded,
  DeviceIdText,
  type Encoded,
  Minor,
  OrNull,
  PayeeIdText,
  PaymentIdText,
  Sentence,
  SignedMinor,
  TerminalIdText,
  Time,
} from "./wire.ts";

/** The calls of wallets and terminals: what is answered. What is sent are signed calls (docs/spec/messages.md). */

export const NonceAnswer = Type.Object({
  nonce: Type.String({ pattern: "^[0-9a-f]{48}$", description: "24 bytes, hexadecimal." }),
  expiresAt: Time,
});
export type NonceAnswer = Decoded<typeof NonceAnswer>;

export const DeviceEnrolment = Type.Object({
  deviceId: DeviceIdText,
  issuerId: Type.String(),
  issuerName: Type.String(),
  rootKey: Bytes,
  trustList: Bytes,
  statusList: Bytes,
  currency: CurrencyText,
});
/** `rootKey` is an encoded COSE_Key, to be pinned by the device for good. */
export type DeviceEnrolment = Decoded<typeof DeviceEnrolment>;

export const TerminalEnrolment = Type.Object({
  terminalId: TerminalIdText,
  payeeId: PayeeIdText,
  name: Type.String(),
  currency: CurrencyText,
  issuerId: Type.String(),
  issuerName: Type.String(),
  rootKey: Bytes,
  trustList: Bytes,
  statusList: Bytes,
  payeeCertificate: Bytes,
});
export type TerminalEnrolment = Decoded<typeof TerminalEnrolment>;

const RecordStateText = Type.Union([Type.Literal("received"), Type.Literal("refused")]);

/** Whether one record of an upload or sync is kept for settlement, or why not. Refused ones are kept as evidence alone. */
export const RecordReceipt = Type.Object({
  index: Type.Integer({ minimum: 0 }),
  paymentId: OrNull(PaymentIdText),
  state: RecordStateText,
  code: OrNull(Type.String()),
  sentence: OrNull(Sentence),
});
export type RecordReceipt = Decoded<typeof RecordReceipt>;

export const PaymentStateText = Type.Union([
  Type.Literal("received"),
  Type.Literal("pending"),
  Type.Literal("settled"),
  Type.Literal("refused"),
  Type.Literal("held"),
  Type.Literal("released"),
  Type.Literal("unknown"),
]);

export const PaymentOutcome = Type.Object({
  paymentId: PaymentIdText,
  state: PaymentStateText,
  code: OrNull(Type.String()),
  sentence: Sentence,
  takenMinor: Minor,
  currency: OrNull(CurrencyText),
});
export type PaymentOutcome = Decoded<typeof PaymentOutcome>;
export type PaymentOutcomeText = Encoded<typeof PaymentOutcome>;

export const OutcomesAnswer = Type.Object({ payments: Type.Array(PaymentOutcome) });
export type OutcomesAnswer = Decoded<typeof OutcomesAnswer>;

/** A device of the account, as its other devices see it. A `frozen` one was reported lost or blocked by the operator. */
export const AccountDevice = Type.Object({
  deviceId: DeviceIdText,
  label: Type.String(),
  enrolledAt: Time,
  status: Type.Union([Type.Literal("active"), Type.Literal("frozen")]),
  isCaller: Type.Boolean(),
});
export type AccountDevice = Decoded<typeof AccountDevice>;
export const DevicesAnswer = Type.Object({ devices: Type.Array(AccountDevice) });
export type DevicesAnswer = Decoded<typeof DevicesAnswer>;
export const LossAnswer = Type.Object({ withdrawn: Type.Integer({ minimum: 0 }) });
export type LossAnswer = Decoded<typeof LossAnswer>;

/** A one-time code for the key that the wallet receives with, as a terminal of its own account's payee. */
export const ReceivingAnswer = Type.Object({ payeeId: PayeeIdText, code: Type.String(), expiresAt: Time });
export type ReceivingAnswer = Decoded<typeof ReceivingAnswer>;

/** `waitingMinor` is promised and waits for the payee's money: the same call again completes it. */
export const TillRefundAnswer = Type.Object({
  takenMinor: Minor,
  refundedMinor: Minor,
  waitingMinor: Minor,
  repeated: Type.Boolean(),
});
export type TillRefundAnswer = Decoded<typeof TillRefundAnswer>;

export const IssuingAnswer = Type.Object({
  kind: Type.Union([Type.Literal("issue"), Type.Literal("refuse"), Type.Literal("none")]),
  reasons: Type.Array(Type.Object({ code: Type.String(), sentence: Sentence })),
  lines: Type.Array(Type.Object({ label: Type.String(), minor: SignedMinor, note: Type.String() })),
});
/** `lines` is the computation of the limit from top to bottom, what a line takes away negative; empty unless a limit was computed. */
export type IssuingAnswer = Decoded<typeof IssuingAnswer>;

export const EventsQuery = Type.Object(
  {
    holds: Type.Optional(
      Type.String({ maxLength: 600, description: "Certificate ids, comma-separated, newest first." }),
    ),
  },
  { additionalProperties: false },
);

export const SyncQuery = Type.Object(
  {
    ahead: Type.Optional(
      Type.Union([Type.Literal("true"), Type.Literal("false")], {
        description: "Asks for a fresh certificate ahead of a time without network.",
      }),
    ),
    holds: Type.Optional(
      Type.String({
        pattern: "^[0-9a-f]{32}(,[0-9a-f]{32}){0,15}$",
        description: "Ids of the certificates that the wallet holds. A current one not named here is delivered again.",
      }),
    ),
    since: Type.Optional(
      Type.String({
        pattern: "^(0|[1-9][0-9]{0,10})$",
        description:
          "The date of the status list that the wallet holds, seconds since 1970. The answer then leaves out payments that were decided well before, and are not brought in this call.",
      }),
    ),
  },
  { additionalProperties: false },
);

export const SyncAnswer = Type.Object({
  trustList: Bytes,
  statusList: Bytes,
  account: Type.Object({
    currency: CurrencyText,
    balanceMinor: Minor,
    creditLineMinor: Minor,
    creditUsedMinor: Minor,
    status: Type.Union([Type.Literal("active"), Type.Literal("frozen")]),
  }),
  decision: IssuingAnswer,
  certificateId: OrNull(CertificateIdText),
  certificate: OrNull(Bytes),
  records: Type.Array(RecordReceipt),
  payments: Type.Array(PaymentOutcome),
});
export type SyncAnswer = Decoded<typeof SyncAnswer>;

export const UploadAnswer = Type.Object({
  records: Type.Array(RecordReceipt),
  trustList: Bytes,
  statusList: Bytes,
  payeeCertificate: Bytes,
});
export type UploadAnswer = Decoded<typeof UploadAnswer>;

/** One portion of a streamed upload is durable: event `received`. */
export const PortionAnswer = Type.Object({
  portion: Type.Integer({ minimum: 0, description: "Counted from the first of this stream." }),
  records: Type.Array(RecordReceipt),
});
export type PortionAnswer = Decoded<typeof PortionAnswer>;

/** All of a streamed upload is durable: event `end`. */
export const UploadEnd = Type.Object({
  portions: Type.Integer({ minimum: 0 }),
  trustList: Bytes,
  statusList: Bytes,
  payeeCertificate: Bytes,
});
export type UploadEnd = Decoded<typeof UploadEnd>;

export const Problem = Type.Object({
  type: Type.String(),
  title: Sentence,
  status: Type.Integer(),
  code: Type.String(),
  detail: Type.Optional(Type.String()),
});
/** RFC 9457 problem document; `code` is the stable name, `title` the sentence for people. */
export type Problem = Decoded<typeof Problem>;
