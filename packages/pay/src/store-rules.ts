import { CodedError } from "@cairn/cose";
import type { CertificateId, MessageId } from "@cairn/messages";
import type { StoredCertificate, StoredPayment, WalletWrite } from "./wallet-store.ts";

export type WalletStoreCode =
  /** A write that would break a chain. Nothing was written. */
  "WALLET_WRITE_REFUSED";
/** The program is at fault, never a message. */
export class WalletStoreError extends CodedError<WalletStoreCode> {}

/** What a store looks up for `refuseWrite`; of the moment just before the write. */
export type WriteFacts = {
  isEnrolled(): boolean;
  certificate(certificateId: CertificateId): StoredCertificate | undefined;
  payment(paymentId: MessageId): StoredPayment | undefined;
  hasPaymentOfRequest(requestId: MessageId): boolean;
};

/**
 * The last line before the disk, run by every store on every write: a chain grows by exactly one link, within its
 * limit, never after its closing. It repeats what the decisions check, because here an error would get an honest
 * payer blamed.
 * @throws WalletStoreError WALLET_WRITE_REFUSED
 */
export function refuseWrite(write: WalletWrite, facts: WriteFacts): void {
  const why = faultOf(write, facts);
  if (why !== undefined)
    throw new WalletStoreError("WALLET_WRITE_REFUSED", `The wallet's store refuses this change: ${why}.`);
}

function faultOf(write: WalletWrite, facts: WriteFacts): string | undefined {
  switch (write.kind) {
    case "identity":
      return facts.isEnrolled() ? "the wallet is enrolled already" : undefined;
    case "trust-list":
    case "status-list":
    case "newest-seen":
      return facts.isEnrolled() ? undefined : "the wallet is not enrolled";
    case "certificate":
      return undefined;
    case "revoked":
    case "closing-delivered":
      return facts.certificate(write.certificateId) === undefined ? "the certificate is unknown" : undefined;
    case "payment":
      return faultOfPayment(write.payment, facts);
    case "closing":
      return faultOfClosing(facts.certificate(write.certificateId));
    case "closing-signature":
      return facts.certificate(write.certificateId)?.closing === undefined
        ? "the certificate is not closed"
        : undefined;
    case "shown":
      return facts.payment(write.paymentId)?.signed === undefined ? "the payment is not signed" : undefined;
    case "signature":
    case "receipt":
    case "void":
    case "outcome":
      return facts.payment(write.paymentId) === undefined ? "the payment is unknown" : undefined;
  }
}

function faultOfPayment(payment: StoredPayment, facts: WriteFacts): string | undefined {
  const certificate = facts.certificate(payment.certificateId);
  if (certificate === undefined) return "the certificate is unknown";
  const { counter, closing, limitMinor } = certificate;
  if (closing !== undefined) return "the certificate is closed";
  if (payment.sequence !== counter.sequence + 1) return "the sequence number is not the next one";
  if (payment.amountMinor <= 0n) return "the amount is not above zero";
  if (payment.spentMinor !== counter.spentMinor + payment.amountMinor) return "the running total does not add up";
  if (payment.spentMinor > limitMinor) return "the limit is exceeded";
  if (facts.payment(payment.paymentId) !== undefined) return "the payment is there already";
  if (payment.signed !== undefined || payment.shown) return "a payment is durable before it is signed";
  const { requestId } = payment;
  return requestId !== undefined && facts.hasPaymentOfRequest(requestId) ? "the request is paid already" : undefined;
}

function faultOfClosing(certificate: StoredCertificate | undefined): string | undefined {
  if (certificate === undefined) return "the certificate is unknown";
  if (certificate.closing !== undefined) return "the certificate is closed already";
  return certificate.counter.unsignedPayments > 0 ? "a payment is not signed yet" : undefined;
}
