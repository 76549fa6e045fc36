import { bytesId, minorUnits, required, sequenceNumber, timeSeconds } from "./fields.ts";
import { type CertificateId, type ChainHash, IDENTIFIER_BYTES } from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind } from "./message.ts";
import { certificateKeyId } from "./payment.ts";

/** The device's last word on a certificate: it signed `sequence` payments and will sign no more. Spec: messages.md "Closing". */
export type Closing = {
  readonly certificateId: CertificateId;
  /** Sequence number of the last payment; 0 when there was none. */
  readonly sequence: number;
  readonly spentMinor: bigint;
  /** The last link: the last payment's id, without payments the certificate's message id; shortened. */
  readonly previous: ChainHash;
  readonly issuedAt: number;
};

export const closing: MessageKind<Closing> = defineMessage({
  name: "closing",
  keyId: certificateKeyId,
  fields: {
    issuedAt: required(LABEL.issuedAt, timeSeconds),
    sequence: required(LABEL.sequence, sequenceNumber),
    spentMinor: required(LABEL.spent, minorUnits),
    previous: required(LABEL.previous, bytesId<ChainHash>(IDENTIFIER_BYTES.chainHash)),
  },
});
