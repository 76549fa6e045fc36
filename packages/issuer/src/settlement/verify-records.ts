import type { CertificateIdCipher } from "@cairn/issue";
import { isRefusal, type MessageId, refusal, verifyUnder } from "@cairn/messages";
import type { SettlementItem } from "@cairn/settle";
import type { InboxRecord, RequestVoidRecord } from "@cairn/stores";
import { type Sender, type VerifyRecordsContext, verifiedCertificate } from "./context.ts";
import {
  certificateIdOf,
  type DecodedRecord,
  type DecodingContext,
  decodeRecord,
  paymentIdOf,
} from "./decode-record.ts";
import { openedId } from "./opened-ids.ts";
import { faultOf, isRecordFault, type RecordFault, recordFault } from "./record-codes.ts";
import { openPaymentItem, twoWayItem, voidRecord } from "./settlement-item.ts";

/** What verification needs of an inbox record. */
export type UploadedRecord = Pick<InboxRecord, "inboxId" | "broughtBy" | "senderId" | "bytes" | "receivedAt">;
export type RejectedRecord<Uploaded extends UploadedRecord = InboxRecord> = {
  readonly record: Uploaded;
  readonly paymentId: MessageId | undefined;
  readonly code: string;
  readonly sentence: string;
};
export type VerifiedRecords<Uploaded extends UploadedRecord = InboxRecord> = {
  readonly items: readonly SettlementItem[];
  /** Kept as evidence with their code; they do not touch the payment that they name. */
  readonly rejected: readonly RejectedRecord<Uploaded>[];
  /** Requests that their payee has cancelled. Their records are among the rejected, as they are no payments. */
  readonly voids: readonly RequestVoidRecord[];
  /** Not judged, for a fault of our own: they stay in the inbox for another try. */
  readonly faulty: readonly { readonly record: Uploaded; readonly error: unknown }[];
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
export async function verifyUploadRecords<Uploaded extends UploadedRecord>(
  records: readonly Uploaded[],
  context: VerifyRecordsContext,
): Promise<VerifiedRecords<Uploaded>> {
  const items: SettlementItem[] = [];
  const rejected: RejectedRecord<Uploaded>[] = [];
  const faulty: { readonly record: Uploaded; readonly error: unknown }[] = [];
  const voids: RequestVoidRecord[] = [];
  const decoding = { crypto: context.crypto, decoding: context.caches.decoding };
  for (const record of records) {
    const seen = await judgeSafely(record, decoding, context);
    if ("error" in seen) {
      faulty.push({ record, error: seen.error });
      continue;
    }
    const { paymentId, judged } = seen;
    if ("certificateId" in judged) {
      items.push(judged);
      continue;
    }
    const isVoid = !isRecordFault(judged);
    if (isVoid) voids.push(judged);
    const { code, sentence } = isVoid ? recordFault("VOID_RECORDED") : judged;
    rejected.push({ record, paymentId, code, sentence });
  }
  return { items, rejected, voids, faulty };
}

type Judged = SettlementItem | RequestVoidRecord | RecordFault;

async function judgeSafely(
  record: UploadedRecord,
  decoding: DecodingContext,
  context: VerifyRecordsContext,
): Promise<{ readonly paymentId: MessageId | undefined; readonly judged: Judged } | { readonly error: unknown }> {
  try {
    const decoded = decodeRecord(record.bytes, record.broughtBy, decoding);
    if (isRecordFault(decoded)) return { paymentId: undefined, judged: decoded };
    return { paymentId: paymentIdOf(decoded), judged: await verifyRecord(record, decoded, context) };
  } catch (error) {
    return { error };
  }
}

async function verifyRecord(
  record: UploadedRecord,
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
  const opened = certificateId === undefined ? undefined : openedId(certificateId, cipher);
  if (certificateId !== undefined && opened === undefined) return recordFault("CERTIFICATE_NOT_OURS");
  if (sender?.kind === "payer")
    return opened?.account === sender.account ? undefined : recordFault("RECORD_OF_ANOTHER_ACCOUNT");
  const payeeId = decoded.payeeCertificate?.unverified.payeeId;
  return sender !== undefined && payeeId === sender.payeeId ? undefined : recordFault("RECORD_OF_ANOTHER_PAYEE");
}
