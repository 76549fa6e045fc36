import type { P256PublicKey } from "@cairn/cose";
import type { Currency } from "./amount.ts";
import {
  bytesId,
  confirmationKey,
  currencyCode,
  minorUnits,
  oneOf,
  required,
  row,
  statusIndex,
  timeSeconds,
} from "./fields.ts";
import { type CertificateId, IDENTIFIER_BYTES, type KeyId } from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind } from "./message.ts";
import { MessageError } from "./message-error.ts";

/**
 * How well the device guards its key, as established when the device was enrolled.
 * 0 software, 1 operating system key store, 2 secure hardware, 3 certified secure element.
 */
export type KeyProtection = 0 | 1 | 2 | 3;

/** Issuer-signed right of one device key to spend up to a limit while nobody can ask the issuer. Spec: messages.md "User certificate". */
export type UserCertificate = {
  /** Which issuer key signed (header `kid`). */
  readonly issuerKeyId: KeyId;
  readonly certificateId: CertificateId;
  readonly deviceKey: P256PublicKey;
  /** Seconds since 1970; also the beginning of validity. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly terms: {
    readonly currency: Currency;
    /** What all payments of this certificate together may add up to, minor units. */
    readonly limitMinor: bigint;
    /** What one payment may be at most, minor units. */
    readonly perPaymentCapMinor: bigint;
    readonly protection: KeyProtection;
    /** Position in the issuer's status list. */
    readonly statusIndex: number;
  };
};

export const userCertificate: MessageKind<UserCertificate> = defineMessage({
  name: "user-certificate",
  keyId: { name: "issuerKeyId", codec: bytesId<KeyId>(IDENTIFIER_BYTES.keyId) },
  fields: {
    expiresAt: required(LABEL.expiresAt, timeSeconds),
    issuedAt: required(LABEL.issuedAt, timeSeconds),
    certificateId: required(LABEL.tokenId, bytesId<CertificateId>(IDENTIFIER_BYTES.certificateId)),
    deviceKey: required(LABEL.confirmation, confirmationKey),
    terms: required(
      LABEL.userTerms,
      row({
        currency: currencyCode,
        limitMinor: minorUnits,
        perPaymentCapMinor: minorUnits,
        protection: oneOf<KeyProtection>([0, 1, 2, 3]),
        statusIndex,
      }),
    ),
  },
  check: ({ issuedAt, expiresAt, terms }) => {
    if (expiresAt <= issuedAt) throw new MessageError("MESSAGE_INCONSISTENT", "expires before it begins");
    if (terms.perPaymentCapMinor > terms.limitMinor) throw new MessageError("MESSAGE_INCONSISTENT", "cap above limit");
    if (terms.perPaymentCapMinor === 0n) throw new MessageError("MESSAGE_INCONSISTENT", "cap of zero");
  },
});
