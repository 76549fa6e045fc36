import type { Currency } from "./amount.ts";
import { MAXIMUM_ORDER_REFERENCE_BYTES } from "./bounds.ts";
import { bytesId, currencyCode, minorUnits, optional, required, shownText, timeSeconds } from "./fields.ts";
import { IDENTIFIER_BYTES, type PayeeCertificateId, type RequestNonce } from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind } from "./message.ts";
import { MessageError } from "./message-error.ts";

/** Payee-signed: what the payer is asked to pay, once. Spec: messages.md "Payment request". */
export type PaymentRequest = {
  /** The payee certificate under which the request is made (header `kid`). */
  readonly payeeCertificateId: PayeeCertificateId;
  readonly amountMinor: bigint;
  readonly currency: Currency;
  readonly nonce: RequestNonce;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly orderReference?: string;
};

export const paymentRequest: MessageKind<PaymentRequest> = defineMessage({
  name: "payment-request",
  keyId: { name: "payeeCertificateId", codec: bytesId<PayeeCertificateId>(IDENTIFIER_BYTES.payeeCertificateId) },
  fields: {
    expiresAt: required(LABEL.expiresAt, timeSeconds),
    issuedAt: required(LABEL.issuedAt, timeSeconds),
    amountMinor: required(LABEL.amount, minorUnits),
    currency: required(LABEL.currency, currencyCode),
    nonce: required(LABEL.nonce, bytesId<RequestNonce>(IDENTIFIER_BYTES.requestNonce)),
    orderReference: optional(LABEL.orderReference, shownText(MAXIMUM_ORDER_REFERENCE_BYTES)),
  },
  check: ({ issuedAt, expiresAt }) => {
    if (expiresAt <= issuedAt) throw new MessageError("MESSAGE_INCONSISTENT", "expires before it begins");
  },
});
