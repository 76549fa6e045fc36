import { generateNodeSigner, nodeCrypto } from "@cairn/cose/node";
import {
  type CertificateId,
  type ChainHash,
  currency,
  identifier,
  keyIdOf,
  type PayeeCertificate,
  type PayeeCertificateId,
  type PayeeId,
  type Payment,
  type PaymentRequest,
  payeeCertificate,
  payment,
  paymentRequest,
  type RequestNonce,
  requestHashOf,
  signMessage,
  type UserCertificate,
  userCertificate,
  type Verified,
} from "@cairn/messages";

/** Messages as they look on an ordinary day: two-digit prices, names as shops have them, the hundred-thousandth certificate. */
export type TypicalMessages = {
  readonly certificate: Verified<UserCertificate>;
  readonly payeeCertificate: Verified<PayeeCertificate>;
  readonly request: Verified<PaymentRequest>;
  readonly payment: Verified<Payment>;
};

const EUR = currency("EUR");
const DAY_SECONDS = 86_400;
/** 2026-11-23, a day on which times take five bytes, as they do until 2106. */
const NOW = 1_795_420_800;

const bytes = (length: number, fill: number): Uint8Array => new Uint8Array(length).fill(fill);

export async function typicalMessages(): Promise<TypicalMessages> {
  const crypto = nodeCrypto();
  const [issuer, device, till] = [generateNodeSigner(), generateNodeSigner(), generateNodeSigner()];
  const issuerKeyId = keyIdOf(issuer.publicKey, crypto);
  const certificate = await signMessage<UserCertificate>(
    userCertificate,
    {
      issuerKeyId,
      certificateId: identifier<CertificateId>(bytes(16, 0xc1), 16),
      deviceKey: device.publicKey,
      issuedAt: NOW,
      expiresAt: NOW + 7 * DAY_SECONDS,
      terms: { currency: EUR, limitMinor: 20_000n, perPaymentCapMinor: 5_000n, protection: 1, statusIndex: 123_456 },
    },
    { signer: issuer, crypto },
  );
  const payee = await signMessage(
    payeeCertificate,
    {
      issuerKeyId,
      payeeCertificateId: identifier<PayeeCertificateId>(bytes(8, 0xe1), 8),
      payeeId: "P-7F3K2M9Q" as PayeeId,
      terminalKey: till.publicKey,
      issuedAt: NOW,
      expiresAt: NOW + 90 * DAY_SECONDS,
      terms: {
        name: "Harbour Kiosk 3",
        currency: EUR,
        perPaymentCapMinor: 10_000n,
        storedTotalCapMinor: 500_000n,
        perCertificateCapMinor: 10_000n,
        maximumOfflineSeconds: 7 * DAY_SECONDS,
      },
    },
    { signer: issuer, crypto },
  );
  const request = await signMessage(
    paymentRequest,
    {
      payeeCertificateId: payee.content.payeeCertificateId,
      amountMinor: 1_337n,
      currency: EUR,
      nonce: identifier<RequestNonce>(bytes(8, 0x71), 8),
      issuedAt: NOW + 600,
      expiresAt: NOW + 900,
      orderReference: "A-1042",
    },
    { signer: till, crypto },
  );
  const paid = await signMessage(
    payment,
    {
      certificateId: certificate.content.certificateId,
      sequence: 3,
      previous: identifier<ChainHash>(bytes(8, 0x51), 8),
      amountMinor: 1_337n,
      spentMinor: 4_711n,
      issuedAt: NOW + 620,
      requestHash: requestHashOf(request.messageId),
    },
    { signer: device, crypto },
  );
  return { certificate, payeeCertificate: payee, request, payment: paid };
}
