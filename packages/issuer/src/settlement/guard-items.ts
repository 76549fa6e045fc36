import type { Partition } from "@cairn/issue";
import {
  type Decoded,
  isRefusal,
  type PayeeCertificate,
  type PaymentRequest,
  type UserCertificate,
  verifyUnder,
} from "@cairn/messages";
import type { SettlementItem } from "@cairn/settle";
import type { InboxRecord, RequestVoidRecord } from "@cairn/stores";
import type { IssuedHere, IssuedHereContext, OtherPayeeStanding } from "./issued-here.ts";
import { faultOf, isRecordFault, type RecordFault, recordFault } from "./record-codes.ts";
import type { DecodedPayment, ReadRecords, RejectedRecord, VerifiedRecords } from "./verify-records.ts";

export type GuardContext = IssuedHereContext & { readonly issuedHere: IssuedHere };
type Batch = { readonly partition: Partition; readonly records: readonly InboxRecord[] };

/**
 * What signatures alone cannot tell. A user certificate counts when it is the very one that this server issued: whoever
 * has a signing key can sign another one for any id that was ever shown. So does a payee certificate. One that this
 * server did not issue, as another issuer's is, counts when a till brings it whose key is enrolled here for its payee,
 * with that till's own signature under what was paid for, and with no higher ceiling than the payee has here; what a
 * payer brings under it is evidence.
 */
export async function guardItems(
  verified: ReadRecords,
  { partition, records }: Batch,
  context: GuardContext,
): Promise<VerifiedRecords> {
  const { payments, voided } = verified;
  const certificates = new Set<Decoded<UserCertificate>>();
  const payees = new Set<Decoded<PayeeCertificate>>();
  for (const { certificate, payeeCertificate } of payments) {
    certificates.add(certificate);
    if (payeeCertificate !== undefined) payees.add(payeeCertificate);
  }
  for (const { decoded } of voided) payees.add(decoded.payeeCertificate);
  const [forged, others] = await Promise.all([
    context.issuedHere.forgedAmong(certificates, partition, context),
    context.issuedHere.othersAmong(payees, context),
  ]);
  if (forged.size === 0 && others.size === 0) return verified;

  const items: SettlementItem[] = [];
  const faults = new Map<number, RecordFault>();
  for (const [index, item] of verified.items.entries()) {
    const decoded = payments[index];
    if (decoded === undefined) throw new Error("An item of no record.");
    const guarded = forged.has(decoded.certificate)
      ? recordFault("CERTIFICATE_NOT_OURS")
      : await guardItem(item, decoded, { others, context });
    if (isRecordFault(guarded)) faults.set(item.inboxId, guarded);
    else items.push(guarded);
  }
  const voids: RequestVoidRecord[] = [];
  for (const [index, { record, decoded }] of voided.entries()) {
    const fault = await refuseTill(decoded.payeeCertificate, decoded.request, { others, context });
    if (fault === undefined) voids.push(verified.voids[index] as RequestVoidRecord);
    else faults.set(record.inboxId, fault);
  }
  return { items, voids, rejected: rejectedWith(faults, { verified, records }), faulty: verified.faulty };
}

type About = {
  readonly others: ReadonlyMap<Decoded<PayeeCertificate>, OtherPayeeStanding>;
  readonly context: GuardContext;
};

async function guardItem(
  item: SettlementItem,
  decoded: DecodedPayment,
  about: About,
): Promise<SettlementItem | RecordFault> {
  const { payeeCertificate: payee } = decoded;
  const standing = payee === undefined ? undefined : about.others.get(payee);
  if (payee === undefined || standing === undefined) return item;
  if (item.broughtBy === "payer") return { ...item, payeeWord: undefined, voided: false };
  const request = decoded.kind === "payment" ? decoded.request : undefined;
  const fault = await refuseTill(payee, request, about);
  if (fault !== undefined) return fault;
  const { payeeWord: word } = item;
  if (word === undefined || standing.kind === "foreign" || word.perCertificateCapMinor <= standing.ceilingMinor)
    return item;
  return { ...item, payeeWord: { ...word, perCertificateCapMinor: standing.ceilingMinor } };
}

/** Why a till's word does not count. A capture bears the till's own signature already, what names a request may not. */
async function refuseTill(
  payee: Decoded<PayeeCertificate>,
  request: Decoded<PaymentRequest> | undefined,
  { others, context }: About,
): Promise<RecordFault | undefined> {
  const standing = others.get(payee);
  if (standing === undefined) return undefined;
  if (standing.kind === "foreign") return recordFault("TERMINAL_NOT_OF_PAYEE");
  if (request === undefined) return undefined;
  const verified = await verifyUnder(request, payee.unverified.terminalKey, context.crypto);
  return isRefusal(verified) ? faultOf(verified) : undefined;
}

/** What was rejected before, and what is now, each once. */
function rejectedWith(
  faults: ReadonlyMap<number, RecordFault>,
  { verified, records }: { readonly verified: VerifiedRecords; readonly records: readonly InboxRecord[] },
): readonly RejectedRecord[] {
  const before = verified.rejected.filter(({ record }) => !faults.has(record.inboxId));
  const now = records.flatMap((record) => {
    const fault = faults.get(record.inboxId);
    return fault === undefined
      ? []
      : { record, paymentId: record.paymentId, code: fault.code, sentence: fault.sentence };
  });
  return [...before, ...now];
}
