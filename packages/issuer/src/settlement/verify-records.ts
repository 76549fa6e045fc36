import type { P256PublicKey } from "@cairn/cose";
import type { CertificateIdCipher } from "@cairn/issue";
import {
  type Decoded,
  isRefusal,
  type MessageId,
  type OpenPayment,
  type Payment,
  type Refusal,
  refusal,
  type Verified,
  verifyUnder,
} from "@cairn/messages";
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
import type { ProvenPayments } from "./payment-prover.ts";
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
  /** Who sent hints that made a batch fail: they cost time and changed nothing. */
  readonly wrongHintsOf: readonly UploadedRecord["senderId"][];
};

/**
 * Turns uploaded bytes into payments to settle. For each record, in this order:
 * strict decoding; the payments' signatures many at a time where their hints allow it; the sender speaks for the record's payee or account; the certificate id is one of ours; the user
 * certificate's signature under an issuer key of ours; the payment belongs to the certificate; the payment's signature
 * under the certificate's device key, unless it is proven; the payee certificate's signature; the capture's, receipt's or void's signature
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
  const looked = records.map((record) => ({ record, seen: decodeSafely(record, decoding) }));
  const proven = context.prover?.prove(
    looked.flatMap(({ record, seen }) => ("decoded" in seen ? { record, ...seen } : [])),
  );
  for (const { record, seen: first } of looked) {
    const seen = "decoded" in first ? await judgeSafely(record, first.decoded, { ...context, proven }) : first;
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
  return { items, rejected, voids, faulty, wrongHintsOf: [...(proven?.wrongHintsOf ?? [])] };
}

type JudgingContext = VerifyRecordsContext & { readonly proven: ProvenPayments | undefined };
type Judged = SettlementItem | RequestVoidRecord | RecordFault;

type Seen = { readonly paymentId: MessageId | undefined; readonly judged: Judged };

/** An error is a fault of ours: bytes that are wrong are judged. */
type Failed = { readonly error: unknown };

function decodeSafely(
  record: UploadedRecord,
  decoding: DecodingContext,
): { readonly decoded: DecodedRecord } | Seen | Failed {
  try {
    const decoded = decodeRecord(record.bytes, record.broughtBy, decoding);
    return isRecordFault(decoded) ? { paymentId: undefined, judged: decoded } : { decoded };
  } catch (error) {
    return { error };
  }
}

async function judgeSafely(
  record: UploadedRecord,
  decoded: DecodedRecord,
  context: JudgingContext,
): Promise<Seen | Failed> {
  try {
    return { paymentId: paymentIdOf(decoded), judged: await verifyRecord(record, decoded, context) };
  } catch (error) {
    return { error };
  }
}

async function verifyRecord(record: UploadedRecord, decoded: DecodedRecord, context: JudgingContext): Promise<Judged> {
  const foreign = refuseSender(decoded, context.senderOf(record), context.certificateIdCipher);
  if (foreign !== undefined) return foreign;
  if (decoded.kind === "void") return voidRecord(record, decoded, context);
  const certificate = await verifiedCertificate(decoded.certificate, context);
  if (isRefusal(certificate)) return faultOf(certificate);
  const { certificateId, deviceKey } = certificate.content;
  if (decoded.payment.unverified.certificateId !== certificateId) return faultOf(refusal("CERTIFICATE_MISMATCH"));
  if (decoded.kind === "payment") {
    const payment = await verifiedPayment(decoded.payment, deviceKey, context);
    return isRefusal(payment) ? faultOf(payment) : twoWayItem({ record, decoded, certificate, payment }, context);
  }
  const payment = await verifiedPayment(decoded.payment, deviceKey, context);
  return isRefusal(payment) ? faultOf(payment) : openPaymentItem({ record, decoded, certificate, payment }, context);
}

function verifiedPayment<Content extends Payment | OpenPayment>(
  decoded: Decoded<Content>,
  deviceKey: P256PublicKey,
  { proven, crypto }: JudgingContext,
): Verified<Content> | Promise<Verified<Content> | Refusal> {
  return proven?.under(decoded, deviceKey) ?? verifyUnder(decoded, deviceKey, crypto);
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
