import type { P256PublicKey } from "@cairn/cose";
import type { Currency } from "./amount.ts";
import { MAXIMUM_NAME_BYTES, MAXIMUM_PAYEE_ID_BYTES } from "./bounds.ts";
import {
  bytesId,
  confirmationKey,
  currencyCode,
  durationSeconds,
  formedText,
  minorUnits,
  required,
  row,
  shownText,
  timeSeconds,
} from "./fields.ts";
import { IDENTIFIER_BYTES, isPayeeId, type KeyId, type PayeeCertificateId, type PayeeId } from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind } from "./message.ts";
import { MessageError } from "./message-error.ts";

/** Issuer-signed: who a terminal collects for and within which ceilings. Spec: messages.md "Payee certificate". */
export type PayeeCertificate = {
  readonly issuerKeyId: KeyId;
  readonly payeeCertificateId: PayeeCertificateId;
  readonly payeeId: PayeeId;
  readonly terminalKey: P256PublicKey;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly terms: {
    /** What the payer is shown before consent. */
    readonly name: string;
    readonly currency: Currency;
    /** Most that one payment may take, minor units. */
    readonly perPaymentCapMinor: bigint;
    /** Most that the terminal may hold without an upload, minor units. */
    readonly storedTotalCapMinor: bigint;
    /** Most that is paid without review to this payee for one certificate found to be in conflict, minor units. */
    readonly perCertificateCapMinor: bigint;
    /** How old the terminal's status list may be for a sale to be guaranteed, seconds. */
    readonly maximumOfflineSeconds: number;
  };
};

export const payeeCertificate: MessageKind<PayeeCertificate> = defineMessage({
  name: "payee-certificate",
  keyId: { name: "issuerKeyId", codec: bytesId<KeyId>(IDENTIFIER_BYTES.keyId) },
  fields: {
    payeeId: required(LABEL.subject, formedText<PayeeId>(isPayeeId, MAXIMUM_PAYEE_ID_BYTES)),
    expiresAt: required(LABEL.expiresAt, timeSeconds),
    issuedAt: required(LABEL.issuedAt, timeSeconds),
    payeeCertificateId: required(LABEL.tokenId, bytesId<PayeeCertificateId>(IDENTIFIER_BYTES.payeeCertificateId)),
    terminalKey: required(LABEL.confirmation, confirmationKey),
    terms: required(
      LABEL.payeeTerms,
      row({
        name: shownText(MAXIMUM_NAME_BYTES),
        currency: currencyCode,
        perPaymentCapMinor: minorUnits,
        storedTotalCapMinor: minorUnits,
        perCertificateCapMinor: minorUnits,
        maximumOfflineSeconds: durationSeconds,
      }),
    ),
  },
  check: ({ issuedAt, expiresAt }) => {
    if (expiresAt <= issuedAt) throw new MessageError("MESSAGE_INCONSISTENT", "expires before it begins");
  },
});
