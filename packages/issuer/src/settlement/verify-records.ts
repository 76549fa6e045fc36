import { type CertificateIdCipher, openCertificateId } from "@cairn/issue";
import { isRefusal, type MessageId, refusal, verifyUnder } from "@cairn/messages";
import type { SettlementItem } from "@cairn/settle";
import type { InboxRecord, RequestVoidRecord } from "@cairn/stores";
import { type Sender, type VerifyRecordsContext, verifiedCertificate } from "./context.ts";
import { certificateIdOf, type DecodedRecord, decodeRecord, paymentIdOf } from "./decode-record.ts";
import { faultOf, isRecordFault, type RecordFault, recordFault } from "./record-codes.ts";
import { openPaymentItem, twoWayItem, voidRecord } from "./settlement-item.ts";

export type RejectedRecord = {
  readonly record: InboxRecord;
  readonly paymentId: MessageId | undefined;
  readonly code: string;
  readonly sentence: string;
};
export type VerifiedRecords = {
  readonly items: readonly SettlementItem[];
  /** Kept as evidence with their code; they do not touch the payment that they name. */
  readonly rejected: readonly RejectedRecord[];
  /** Requests that their payee has cancelled. Their records are among the rejected, as they are no payments. */
  readonly voids: readonly RequestVoidRecord[];
};

/**
 * Turns uploaded bytes into payments to settle. For each record, in this order:
 * strict decoding; the sender speaks for the record's payee or account; the certificate id is one of ours; the user
 * certificate's signature under an issuer key of ours; the payment belongs to the certificate; the payment's signature
 * under the certificate's device key; the payee certificate's signature; the capture's, receipt's or void's signature
 * under its terminal key; then the shared rules, whose verdict travels with the item.
 *
 * The request's own signature is not looked at: the payment's signature covers the request's hash, and the uploader
 * speaks for the payee that the request names through its payee certificate. Certificates are verified once for equal
 * bytes. One bad record never stops the others.
 */
export async function verifyUploadRecords(
  records: readonly InboxRecord[],
  context: VerifyRecordsContext,
): Promise<VerifiedRecords> {
  const items: SettlementItem[] = [];
  const rejected: RejectedRecord[] = [];
  const voids: RequestVoidRecord[] = [];
  const decoding = { crypto: context.crypto, decoding: context.caches.decoding };
  for (const record of records) {
    const decoded = decodeRecord(record.bytes, record.broughtBy, decoding);
    const judged = isRecordFault(decoded) ? decoded : await verifySafely(record, decoded, context);
    if ("certificateId" in judged) {
      items.push(judged);
      continue;
    }
    const isVoid = !isRecordFault(judged);
    if (isVoid) voids.push(judged);
    const { code, sentence } = isVoid ? recordFault("VOID_RECORDED") : judged;
    rejected.push({ record, paymentId: isRecordFault(decoded) ? undefined : paymentIdOf(decoded), code, sentence });
  }
  return { items, rejected, voids };
}

type Judged = SettlementItem | RequestVoidRecord | RecordFault;

async function verifySafely(
  record: InboxRecord,
  decoded: DecodedRecord,
  context: VerifyRecordsContext,
): Promise<Judged> {
  try {
    return await verifyRecord(record, decoded, context);
  } catch (error) {
    context.onFault(record, error);
    return recordFault("RECORD_FAULT");
  }
}

async function verifyRecord(
  record: InboxRecord,
  decoded: DecodedRecord,
  context: VerifyRecordsContext,
): Promise<Judged> {
  const foreign = refuseSender(decoded, context.senderOf(record), context.certificateIdCipher);
  if (foreign !== undefined) return foreign;
  if (decoded.kind === "void") return voidRecord(record, decoded, context);
  const certificate = await verifiedCertificate(decoded.certificate, context);
  if (isRefusal(certificate)) return faultOf(certificate);
  const { certificateId, deviceKey } = certificate.content;
  if (decoded.payment.unverified.certificateId !== certificateId) return faultOf(refusal("CERTIFICATE_MISMATCH"));
  if (decoded.kind === "payment") {
    const payment = await verifyUnder(decoded.payment, deviceKey, context.crypto);
    return isRefusal(payment) ? faultOf(payment) : twoWayItem({ record, decoded, certificate, payment }, context);
  }
  const payment = await verifyUnder(decoded.payment, deviceKey, context.crypto);
  return isRefusal(payment) ? faultOf(payment) : openPaymentItem({ record, decoded, certificate, payment }, context);
}

/**
 * Whether the sender may bring this record: a terminal what its payee accepted, from whichever of the payee's tills; a
 * wallet what its own account paid.
 */
export function refuseSender(
  decoded: DecodedRecord,
  sender: Sender | undefined,
  cipher: CertificateIdCipher,
): RecordFault | undefined {
  const certificateId = certificateIdOf(decoded);
  const opened = certificateId === undefined ? undefined : openCertificateId(certificateId, cipher);
  if (certificateId !== undefined && opened === undefined) return recordFault("CERTIFICATE_NOT_OURS");
  if (sender?.kind === "payer")
    return opened?.account === sender.account ? undefined : recordFault("RECORD_OF_ANOTHER_ACCOUNT");
  const payeeId = decoded.payeeCertificate?.unverified.payeeId;
  return sender !== undefined && payeeId === sender.payeeId ? undefined : recordFault("RECORD_OF_ANOTHER_PAYEE");
}
