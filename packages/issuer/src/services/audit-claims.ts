import { requestHashOf } from "@cairn/messages";
import type { InboxRecord, KeptPayment } from "@cairn/stores";
import type { CheckedRecord } from "../settlement/check-signatures.ts";
import type { DecodedOpen, DecodedTwoWay } from "../settlement/decode-record.ts";

/** What a kept record says of the payment that it names. */
export type Claim = {
  readonly record: InboxRecord;
  readonly decoded: DecodedTwoWay | DecodedOpen;
  /** Whether its certificate is the very one that the issuer has as issued under its id. */
  readonly isOfIssued: boolean;
  /** Undefined where signatures are not looked at. */
  readonly checked: CheckedRecord | undefined;
};

export const payeeOf = ({ decoded }: Pick<Claim, "decoded">): string | undefined =>
  decoded.payeeCertificate?.unverified.payeeId;

/** Whether the books have the payment as it was signed. */
export function isWhatWasSigned({ decoded: { kind, payment } }: Claim, kept: KeptPayment): boolean {
  const { messageId, unverified } = payment;
  return (
    kind === kept.kind &&
    messageId === kept.paymentId &&
    unverified.certificateId === kept.certificateId &&
    unverified.sequence === kept.sequence &&
    unverified.previous === kept.previous &&
    unverified.amountMinor === kept.amountMinor &&
    unverified.spentMinor === kept.spentMinor &&
    ("requestHash" in unverified ? unverified.requestHash : undefined) === kept.requestHash
  );
}

/**
 * Whether the claim is what a payment was paid for: as it was signed, an open one as its payee took it, within what was
 * signed; to the payee whose request the payer signed, or who took it. A payer's own copy pays nobody without the payee's
 * word.
 */
export function isWhatWasPaid({ record, decoded }: Claim, { claim, takenMinor, amountMinor }: KeptPayment): boolean {
  if (payeeOf({ decoded }) !== claim?.payeeId || takenMinor > amountMinor) return false;
  const isPayersCopy = record.broughtBy === "payer";
  return decoded.kind === "payment"
    ? isForItsRequest(decoded) &&
        decoded.payment.unverified.amountMinor === takenMinor &&
        (!isPayersCopy || decoded.receipt?.unverified.paymentId === decoded.payment.messageId)
    : isTakenByItsPayee(decoded, takenMinor);
}

function isForItsRequest({ payment, request, payeeCertificate }: DecodedTwoWay): boolean {
  return (
    payment.unverified.requestHash === requestHashOf(request.messageId) &&
    request.unverified.payeeCertificateId === payeeCertificate.unverified.payeeCertificateId
  );
}

function isTakenByItsPayee({ payment, word, payeeCertificate }: DecodedOpen, takenMinor: bigint): boolean {
  const said = word?.message.unverified;
  return (
    said?.paymentId === payment.messageId &&
    said.payeeCertificateId === payeeCertificate?.unverified.payeeCertificateId &&
    said.amountMinor === takenMinor
  );
}

/** By the device that a certificate of the issuer names, the one that the payment names. */
export function isSignedByItsPayer({ decoded, checked }: Claim): boolean {
  if (checked === undefined || checked.kind === "void") return false;
  return (
    isGood(checked.certificate) &&
    isGood(checked.payment) &&
    decoded.certificate.unverified.certificateId === decoded.payment.unverified.certificateId
  );
}

/** The payee's part: its certificate by the issuer, and its word where the payment needs one. */
export function isSignedByItsPayee({ record, checked }: Claim): boolean {
  if (checked === undefined || checked.kind === "void" || !isGood(checked.payeeCertificate)) return false;
  if (checked.kind === "open-payment") return isGood(checked.word);
  return record.broughtBy === "terminal" || isGood(checked.receipt);
}

/** Refusals have a code. */
export const isGood = (checked: object | undefined): boolean => checked !== undefined && !("code" in checked);
