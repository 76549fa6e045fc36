import { bytesId, minorUnits, required, timeSeconds } from "./fields.ts";
import { IDENTIFIER_BYTES, type MessageId, type PayeeCertificateId } from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind } from "./message.ts";

/**
 * What a terminal says about one payment or request, signed with the key of its payee certificate (header `kid`).
 * Capture, receipt and void have the same small shape; the signed context keeps them apart.
 */
type AboutPayment = {
  readonly payeeCertificateId: PayeeCertificateId;
  readonly paymentId: MessageId;
  /** What is taken, minor units: at most the payment's amount. */
  readonly amountMinor: bigint;
  readonly issuedAt: number;
};

/** Fixes the amount of an open payment. Spec: messages.md "Capture". */
export type Capture = AboutPayment;
/** Tells the payer that the payment was accepted, and for how much. Spec: messages.md "Receipt". */
export type Receipt = AboutPayment;

const keyId = {
  name: "payeeCertificateId",
  codec: bytesId<PayeeCertificateId>(IDENTIFIER_BYTES.payeeCertificateId),
} as const;
const aboutPayment = {
  issuedAt: required(LABEL.issuedAt, timeSeconds),
  amountMinor: required(LABEL.amount, minorUnits),
  paymentId: required(LABEL.payment, bytesId<MessageId>(IDENTIFIER_BYTES.messageId)),
} as const;

export const capture: MessageKind<Capture> = defineMessage({ name: "capture", keyId, fields: aboutPayment });
export const receipt: MessageKind<Receipt> = defineMessage({ name: "receipt", keyId, fields: aboutPayment });

/** The payee's word that it will never accept a payment for this request. Spec: messages.md "Void". */
export type RequestVoid = {
  readonly payeeCertificateId: PayeeCertificateId;
  readonly requestId: MessageId;
  readonly issuedAt: number;
};

export const requestVoid: MessageKind<RequestVoid> = defineMessage({
  name: "void",
  keyId,
  fields: {
    issuedAt: required(LABEL.issuedAt, timeSeconds),
    requestId: required(LABEL.request, bytesId<MessageId>(IDENTIFIER_BYTES.messageId)),
  },
});
