import type { OpenedCertificateId } from "@cairn/issue";
import { isRefusal, type MessageId, refusal } from "@cairn/messages";
import type { SettlementItem } from "@cairn/settle";
import type { InboxRecord, RequestVoidRecord } from "@cairn/stores";
import { type CheckedRecord, checkSignatures } from "./check-signatures.ts";
import type { Sender, VerifyRecordsContext } from "./context.ts";
import { type DecodedRecord, type DecodedVoid, decodedOf, paymentIdOf } from "./decode-record.ts";
import { openedId } from "./opened-ids.ts";
import { faultOf, isRecordFault, type RecordFault, recordFault } from "./record-codes.ts";
import { openPaymentItem, twoWayItem, voidRecord } from "./settlement-item.ts";

export type DecodedPayment = Exclude<DecodedRecord, DecodedVoid>;
/** What verification needs of an inbox record. */
export type UploadedRecord = Pick<
  InboxRecord,
  "inboxId" | "broughtBy" | "senderId" | "bytes" | "receivedAt" | "decoded"
>;
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
/** With what was read of the items' records and of the voids', in the order of each. */
export type ReadRecords<Uploaded extends UploadedRecord = InboxRecord> = VerifiedRecords<Uploaded> & {
  readonly payments: readonly DecodedPayment[];
  readonly voided: readonly { readonly record: Uploaded; readonly decoded: DecodedVoid }[];
};
/** Who sent hints that made a batch of signatures fail: they cost time and changed nothing. */
type WrongHints = { readonly wrongHintsOf: readonly SenderId[] };
type SenderId = UploadedRecord["senderId"];

/**
 * Turns uploaded bytes into payments to settle. For each record, in this order:
 * strict decoding; the sender speaks for the record's payee or account; the certificate id is one of ours; the user
 * certificate's signature under an issuer key of ours; the payment belongs to the certificate; the payment's signature
 * under the certificate's device key; the payee certificate's signature; the capture's, receipt's or void's signature
 * under its terminal key; then the shared rules, whose verdict travels with the item. The signatures of all records are
 * looked at together before any record of any batch is judged.
 *
 * The request's own signature is not looked at: the payment's signature covers the request's hash, and the uploader
 * speaks for the payee that the request names through its payee certificate; where this issuer did not issue that one,
 * guard-items.ts looks at it. Certificates are verified once for equal
 * bytes. One bad record never stops the others.
 */
export async function verifyBatches<Uploaded extends UploadedRecord>(
  batches: readonly (readonly Uploaded[])[],
  context: VerifyRecordsContext,
): Promise<WrongHints & { readonly verified: readonly ReadRecords<Uploaded>[] }> {
  const sent: { readonly senderId: SenderId; readonly decoded: DecodedRecord }[] = [];
  const looked = batches.map((records) =>
    records.map((record) => {
      const look = lookSafely(record, context);
      if ("decoded" in look) sent.push({ senderId: record.senderId, decoded: look.decoded });
      return look;
    }),
  );
  const { checked, wrongHintsOf } = await checkSafely(sent, context);
  let next = 0;
  const verified = batches.map((records, batch): ReadRecords<Uploaded> => {
    const items: SettlementItem[] = [];
    const rejected: RejectedRecord<Uploaded>[] = [];
    const faulty: { readonly record: Uploaded; readonly error: unknown }[] = [];
    const voids: RequestVoidRecord[] = [];
    const payments: DecodedPayment[] = [];
    const voided: { readonly record: Uploaded; readonly decoded: DecodedVoid }[] = [];
    const looks = looked[batch] as readonly Look[];
    for (let index = 0; index < records.length; index++) {
      const record = records[index] as Uploaded;
      const look = looks[index] as Look;
      const seen = "decoded" in look ? judgeSafely(record, checked[next++] as CheckedRecord | Failed, context) : look;
      if ("error" in seen) {
        faulty.push({ record, error: seen.error });
        continue;
      }
      const { paymentId, judged } = seen;
      // Whatever was judged to be more than a fault was read as that.
      const { decoded } = look as Read;
      if ("certificateId" in judged) {
        items.push(judged);
        payments.push(decoded as DecodedPayment);
        continue;
      }
      const isVoid = !isRecordFault(judged);
      if (isVoid) {
        voids.push(judged);
        voided.push({ record, decoded: decoded as DecodedVoid });
      }
      const { code, sentence } = isVoid ? recordFault("VOID_RECORDED") : judged;
      rejected.push({ record, paymentId, code, sentence });
    }
    return { items, payments, rejected, voids, voided, faulty };
  });
  return { verified, wrongHintsOf };
}

/** As `verifyBatches`, for one. */
export async function verifyUploadRecords<Uploaded extends UploadedRecord>(
  records: readonly Uploaded[],
  context: VerifyRecordsContext,
): Promise<WrongHints & VerifiedRecords<Uploaded>> {
  const { verified, wrongHintsOf } = await verifyBatches([records], context);
  return { ...(verified[0] as VerifiedRecords<Uploaded>), wrongHintsOf };
}

type Judged = SettlementItem | RequestVoidRecord | RecordFault;
type Seen = { readonly paymentId: MessageId | undefined; readonly judged: Judged };

/** An error is a fault of ours: bytes that are wrong are judged. */
type Failed = { readonly error: unknown };
type Read = { readonly decoded: DecodedRecord };
type Look = Read | Seen | Failed;

/** What can be said without any signature. */
function lookSafely(
  record: UploadedRecord,
  { crypto, caches, senderOf, certificateIdCipher }: VerifyRecordsContext,
): Look {
  try {
    const decoded = decodedOf(record, { crypto, decoding: caches.decoding });
    if (isRecordFault(decoded)) return { paymentId: undefined, judged: decoded };
    const { certificateId } = decoded;
    const opened = certificateId === undefined ? undefined : openedId(certificateId, certificateIdCipher);
    const foreign = refuseSender(decoded, senderOf(record), opened);
    return foreign === undefined ? { decoded } : { paymentId: paymentIdOf(decoded), judged: foreign };
  } catch (error) {
    return { error };
  }
}

/** What fails for all is tried for each, so that nobody's record has to wait for one that our means fail at. */
async function checkSafely(
  sent: Parameters<typeof checkSignatures>[0],
  context: VerifyRecordsContext,
): Promise<WrongHints & { readonly checked: readonly (CheckedRecord | Failed)[] }> {
  try {
    return await checkSignatures(sent, context);
  } catch (error) {
    if (sent.length === 1) return { checked: [{ error }], wrongHintsOf: [] };
    const checked: (CheckedRecord | Failed)[] = [];
    for (const each of sent) checked.push(...(await checkSafely([each], context)).checked);
    return { checked, wrongHintsOf: [] };
  }
}

function judgeSafely(
  record: UploadedRecord,
  checked: CheckedRecord | Failed,
  context: VerifyRecordsContext,
): Seen | Failed {
  if ("error" in checked) return checked;
  try {
    return { paymentId: paymentIdOf(checked.decoded), judged: judge(record, checked, context) };
  } catch (error) {
    return { error };
  }
}

function judge(record: UploadedRecord, checked: CheckedRecord, context: VerifyRecordsContext): Judged {
  if (checked.kind === "void") return voidRecord(record, checked, context);
  const { certificate } = checked;
  if (isRefusal(certificate)) return faultOf(certificate);
  if (checked.decoded.certificateId !== certificate.content.certificateId)
    return faultOf(refusal("CERTIFICATE_MISMATCH"));
  if (checked.kind === "payment") {
    const { payment } = checked;
    return isRefusal(payment) ? faultOf(payment) : twoWayItem({ record, checked, certificate, payment }, context);
  }
  const { payment } = checked;
  return isRefusal(payment) ? faultOf(payment) : openPaymentItem({ record, checked, certificate, payment }, context);
}

/**
 * Whether the sender may bring this record: a terminal what its payee accepted, from whichever of the payee's tills; a
 * wallet what its own account paid.
 * @param opened The id of the payment's certificate: undefined when it is none of ours, or when there is no payment.
 */
export function refuseSender(
  decoded: DecodedRecord,
  sender: Sender | undefined,
  opened: OpenedCertificateId | undefined,
): RecordFault | undefined {
  if (decoded.certificateId !== undefined && opened === undefined) return recordFault("CERTIFICATE_NOT_OURS");
  if (sender?.kind === "payer")
    return opened?.account === sender.account ? undefined : recordFault("RECORD_OF_ANOTHER_ACCOUNT");
  const payeeId = decoded.payeeCertificate?.unverified.payeeId;
  return sender !== undefined && payeeId === sender.payeeId ? undefined : recordFault("RECORD_OF_ANOTHER_PAYEE");
}
