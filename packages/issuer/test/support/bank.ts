import { generateNodeSigner } from "@cairn/cose/node";
import { type AccountNumber, accountNumber, partitionOf, sealCertificateId } from "@cairn/issue";
import {
  type CertificateId,
  type ChainHash,
  chainHashOf,
  currency,
  type DeviceId,
  deviceIdOf,
  identifier,
  isIssuerId,
  keyIdOf,
  type OpenPayment,
  openPayment,
  type PayeeCertificate,
  type PayeeCertificateId,
  type Payment,
  type PaymentRequest,
  payeeCertificate,
  payment,
  paymentRequest,
  type RequestNonce,
  requestHashOf,
  signMessage,
  type TerminalId,
  type TrustAnchors,
  terminalIdOf,
  trustAnchors,
  trustList,
  type UserCertificate,
  userCertificate,
  type Verified,
} from "@cairn/messages";
import type { InboxRecord } from "@cairn/stores";
import { certificateIdCipher } from "../../src/keys/certificate-id-cipher.ts";
import {
  checkerHere,
  type Sender,
  type VerifyRecordsContext,
  verificationCaches,
} from "../../src/settlement/context.ts";
import { crypto, payeeId } from "./values.ts";

export const NOW = 1_800_000_000;
export const SHOP = payeeId("SHOP");
export const ACCOUNT: AccountNumber = accountNumber(42);
const EUR = currency("EUR");

export const issuerSigner = generateNodeSigner();
export const deviceSigner = generateNodeSigner();
export const tillSigner = generateNodeSigner();
const issuerKeyId = keyIdOf(issuerSigner.publicKey, crypto);
const CERTIFICATE_ID_KEY = new Uint8Array(16).fill(5);
const cipher = certificateIdCipher(CERTIFICATE_ID_KEY);
export const byIssuer = { signer: issuerSigner, crypto };
export const byDevice = { signer: deviceSigner, crypto };
export const byTill = { signer: tillSigner, crypto };

export async function anchors(): Promise<TrustAnchors> {
  const issuerId = "bank";
  if (!isIssuerId(issuerId)) throw new Error(issuerId);
  const list = await signMessage(
    trustList,
    {
      rootKeyId: issuerKeyId,
      issuedAt: NOW,
      expiresAt: NOW + 1_000_000,
      version: 1,
      keys: [
        {
          issuerId,
          issuerName: "Bank",
          issuerUrl: "http://bank.example",
          key: issuerSigner.publicKey,
          validFrom: NOW - 1_000,
          validUntil: NOW + 1_000_000,
          uses: 7,
        },
      ],
    },
    byIssuer,
  );
  return trustAnchors(list, crypto);
}

export function userCertificateOf(changes: Partial<UserCertificate> = {}): Promise<Verified<UserCertificate>> {
  const content: UserCertificate = {
    issuerKeyId,
    certificateId: sealCertificateId({ account: ACCOUNT, serial: 1 }, cipher),
    deviceKey: deviceSigner.publicKey,
    issuedAt: NOW,
    expiresAt: NOW + 86_400,
    terms: { currency: EUR, limitMinor: 5_000n, perPaymentCapMinor: 2_000n, protection: 2, statusIndex: 0 },
    ...changes,
  };
  return signMessage(userCertificate, content, byIssuer);
}

export function payeeCertificateOf(changes: Partial<PayeeCertificate> = {}): Promise<Verified<PayeeCertificate>> {
  const content: PayeeCertificate = {
    issuerKeyId,
    payeeCertificateId: identifier<PayeeCertificateId>(new Uint8Array(8).fill(1), 8),
    payeeId: SHOP,
    terminalKey: tillSigner.publicKey,
    issuedAt: NOW,
    expiresAt: NOW + 86_400,
    terms: {
      name: "Shop",
      currency: EUR,
      perPaymentCapMinor: 9_000n,
      storedTotalCapMinor: 90_000n,
      perCertificateCapMinor: 9_000n,
      maximumOfflineSeconds: 3_600,
    },
    ...changes,
  };
  return signMessage(payeeCertificate, content, byIssuer);
}

export function requestOf(changes: Partial<PaymentRequest> = {}): Promise<Verified<PaymentRequest>> {
  const content: PaymentRequest = {
    payeeCertificateId: identifier<PayeeCertificateId>(new Uint8Array(8).fill(1), 8),
    amountMinor: 700n,
    currency: EUR,
    nonce: identifier<RequestNonce>(new Uint8Array(8).fill(9), 8),
    issuedAt: NOW + 10,
    expiresAt: NOW + 100,
    ...changes,
  };
  return signMessage(paymentRequest, content, byTill);
}

function linkOf(certificate: Verified<UserCertificate>, amountMinor: bigint) {
  const certificateId: CertificateId = certificate.content.certificateId;
  const previous: ChainHash = chainHashOf(certificate.messageId);
  return { certificateId, sequence: 1, previous, amountMinor, spentMinor: amountMinor, issuedAt: NOW + 20 };
}

export function paymentOf(
  certificate: Verified<UserCertificate>,
  request: Verified<PaymentRequest>,
  changes: Partial<Payment> = {},
): Promise<Verified<Payment>> {
  const requestHash = requestHashOf(request.messageId);
  return signMessage(payment, { ...linkOf(certificate, 700n), requestHash, ...changes }, byDevice);
}

export function openPaymentOf(
  certificate: Verified<UserCertificate>,
  changes: Partial<OpenPayment> = {},
): Promise<Verified<OpenPayment>> {
  return signMessage(openPayment, { ...linkOf(certificate, 700n), expiresAt: NOW + 80, ...changes }, byDevice);
}

export function inboxRecord(bytes: Uint8Array, broughtBy: "terminal" | "payer"): InboxRecord {
  const deviceId: DeviceId = deviceIdOf(deviceSigner.publicKey, crypto);
  const terminalId: TerminalId = terminalIdOf(tillSigner.publicKey, crypto);
  return {
    inboxId: 7,
    recordHash: "00",
    partition: partitionOf(ACCOUNT),
    broughtBy,
    senderId: broughtBy === "payer" ? deviceId : terminalId,
    paymentId: undefined,
    bytes,
    receivedAt: NOW + 500,
  };
}

export async function contextFor(changes: Partial<VerifyRecordsContext> = {}): Promise<VerifyRecordsContext> {
  const senders: Record<InboxRecord["broughtBy"], Sender> = {
    terminal: { kind: "terminal", payeeId: SHOP },
    payer: { kind: "payer", account: ACCOUNT },
  };
  return {
    anchors: await anchors(),
    crypto,
    certificateIdCipher: cipher,
    caches: verificationCaches(),
    checker: checkerHere(crypto),
    senderOf: ({ broughtBy }) => senders[broughtBy],
    ...changes,
  };
}
