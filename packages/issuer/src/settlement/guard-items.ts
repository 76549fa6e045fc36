import type { KeyId } from "@cairn/messages";
import type { SettlementItem } from "@cairn/settle";
import type { InboxRecord, IssuerStore } from "@cairn/stores";
import { type DecodingContext, decodeRecord } from "./decode-record.ts";
import { isRecordFault, recordFault } from "./record-codes.ts";
import type { VerifiedRecords } from "./verify-records.ts";

export type KeyRing = {
  /** Every key this issuer ever had. */
  readonly own: ReadonlySet<KeyId>;
  /** Those that may be in a thief's hands. */
  readonly withdrawn: ReadonlySet<KeyId>;
  /** The trust list names other issuers too. */
  readonly hasOthers: boolean;
};

/**
 * What signatures alone cannot tell, looked at only when there is reason to. A user certificate under a withdrawn key
 * counts when the store shows that this server issued that very one: terminals took it in good faith, but a thief of the
 * key can sign others. A payee's word that the payer brings counts when this issuer itself certified the payee: another
 * issuer's word about a payee is believed only when the payee brings it.
 */
export async function guardItems(
  verified: VerifiedRecords,
  records: readonly InboxRecord[],
  context: DecodingContext & { readonly keys: KeyRing; readonly store: Pick<IssuerStore, "certificate"> },
): Promise<VerifiedRecords> {
  const { keys, store } = context;
  if (keys.withdrawn.size === 0 && !keys.hasOthers) return verified;
  const byInboxId = new Map(records.map((record) => [record.inboxId, record]));
  const items: SettlementItem[] = [];
  const rejected = [...verified.rejected];
  for (const item of verified.items) {
    const record = byInboxId.get(item.inboxId);
    const decoded = record === undefined ? undefined : decodeRecord(record.bytes, record.broughtBy, context);
    if (record === undefined || decoded === undefined || isRecordFault(decoded) || decoded.kind === "void") continue;
    const { certificate, payeeCertificate } = decoded;
    if (keys.withdrawn.has(certificate.unverified.issuerKeyId)) {
      const stored = await store.certificate(item.certificateId);
      if (stored?.messageId !== certificate.messageId) {
        rejected.push({ record, paymentId: item.paymentId, ...recordFault("CERTIFICATE_NOT_OURS") });
        continue;
      }
    }
    const payeeKey = payeeCertificate?.unverified.issuerKeyId;
    const isTrusted = payeeKey !== undefined && keys.own.has(payeeKey) && !keys.withdrawn.has(payeeKey);
    items.push(item.broughtBy === "payer" && !isTrusted ? { ...item, payeeWord: undefined } : item);
  }
  return { ...verified, items, rejected };
}
