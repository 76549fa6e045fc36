import { bytesId, minorUnits, required, sequenceNumber, timeSeconds } from "./fields.ts";
import { type CertificateId, type ChainHash, IDENTIFIER_BYTES, type RequestHash } from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind } from "./message.ts";

/** What every link of a certificate's chain carries. */
export type ChainLink = {
  /** The certificate under whose key the payment is signed (header `kid`). */
  readonly certificateId: CertificateId;
  /** 1 for the certificate's first payment, then one more each. */
  readonly sequence: number;
  /** The link before: the previous payment's id, for the first payment the certificate's own message id; shortened. */
  readonly previous: ChainHash;
  /** Minor units; for an open payment the maximum. */
  readonly amountMinor: bigint;
  /** All payments of the certificate so far, this one included, minor units. Never runs backwards. */
  readonly spentMinor: bigint;
  /** By the payer's clock, seconds since 1970. */
  readonly issuedAt: number;
};

/** Device-signed consent to one payment request. Spec: messages.md "Payment". */
export type Payment = ChainLink & { readonly requestHash: RequestHash };

export const chainLinkFields = {
  issuedAt: required(LABEL.issuedAt, timeSeconds),
  amountMinor: required(LABEL.amount, minorUnits),
  sequence: required(LABEL.sequence, sequenceNumber),
  spentMinor: required(LABEL.spent, minorUnits),
  previous: required(LABEL.previous, bytesId<ChainHash>(IDENTIFIER_BYTES.chainHash)),
} as const;

export const certificateKeyId = {
  name: "certificateId",
  codec: bytesId<CertificateId>(IDENTIFIER_BYTES.certificateId),
} as const;

export const payment: MessageKind<Payment> = defineMessage({
  name: "payment",
  keyId: certificateKeyId,
  fields: {
    ...chainLinkFields,
    requestHash: required(LABEL.request, bytesId<RequestHash>(IDENTIFIER_BYTES.requestHash)),
  },
});
