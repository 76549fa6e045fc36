import { type ExposurePolicy, exposureOf, holdOf, overdueOf } from "@cairn/issue";
import {
  type AccountRecord,
  type CertificateRecord,
  type ConflictRecord,
  type DeviceRecord,
  type EvidenceRecord,
  ledgerAccountText,
  type PayeeRecord,
  type StoredEntry,
  type StoredOutcome,
  type TerminalRecord,
} from "@cairn/stores";
import type * as api from "../api/operator-api.ts";
import { base64url, type Encoded } from "../api/wire.ts";

/** How the store's records are shown to the operator: field by field, so that nothing slips out by being added. */
export function accountView(record: AccountRecord, now: number): Encoded<typeof api.Account> {
  const { account, name, status, currency, credit, unresolvedConflicts, createdAt } = record;
  return {
    account,
    name,
    status,
    currency,
    balanceMinor: record.balanceMinor.toString(),
    creditLineMinor: credit.lineMinor.toString(),
    creditUsedMinor: credit.usedMinor.toString(),
    overdueMinor: overdueOf(credit, now).toString(),
    dues: credit.dues.map(({ dueAt, minor }) => ({ dueAt, minor: minor.toString() })),
    scoreBand: credit.scoreBand,
    creditInformedAt: credit.informedAt,
    unresolvedConflicts,
    createdAt,
  };
}

export function deviceView(record: DeviceRecord): Encoded<typeof api.Device> {
  const { deviceId, account, status, protection, label, enrolledAt } = record;
  return { deviceId, account, status, protection, label, enrolledAt };
}

export function terminalView(record: TerminalRecord): Encoded<typeof api.Terminal> {
  const { terminalId, payeeId, status, label, enrolledAt } = record;
  return { terminalId, payeeId, status, label, enrolledAt };
}

export function payeeView(record: PayeeRecord): Encoded<typeof api.Payee> {
  const { payeeId, name, currency, maximumOfflineSeconds, createdAt } = record;
  return {
    payeeId,
    name,
    currency,
    perPaymentCapMinor: record.perPaymentCapMinor.toString(),
    storedTotalCapMinor: record.storedTotalCapMinor.toString(),
    perCertificateCapMinor: record.perCertificateCapMinor.toString(),
    maximumOfflineSeconds,
    createdAt,
  };
}

export function certificateView(
  record: CertificateRecord,
  { policy, now }: { readonly policy: ExposurePolicy; readonly now: number },
): Encoded<typeof api.Certificate> {
  const { certificateId, account, deviceId, serial, statusIndex, issuedAt, expiresAt, bytes } = record;
  const explanation: unknown = JSON.parse(record.explanation);
  return {
    certificateId,
    account,
    deviceId,
    serial,
    statusIndex,
    issuedAt,
    expiresAt,
    limitMinor: record.limitMinor.toString(),
    perPaymentCapMinor: record.perPaymentCapMinor.toString(),
    settledMinor: record.settledMinor.toString(),
    releasedMinor: record.releasedMinor.toString(),
    exposureMinor: exposureOf(record, policy, now).toString(),
    heldMinor: holdOf(record, policy, now).toString(),
    revokedAt: record.revokedAt ?? null,
    revocationReason: record.revocationReason ?? null,
    closedAt: record.closing?.closedAt ?? null,
    inConflict: record.conflict !== undefined,
    signed: bytes !== undefined,
    certificate: bytes === undefined ? null : base64url(bytes),
    explanation,
  };
}

export function paymentView(outcome: StoredOutcome): Encoded<typeof api.Payment> {
  const { paymentId, state, sentence, decidedAt, funding } = outcome;
  return {
    paymentId,
    certificateId: outcome.certificateId ?? null,
    account: outcome.account ?? null,
    payeeId: outcome.payeeId ?? null,
    terminalId: outcome.terminalId ?? null,
    state,
    code: outcome.code ?? null,
    sentence,
    amountMinor: outcome.amountMinor.toString(),
    takenMinor: outcome.takenMinor.toString(),
    currency: outcome.currency ?? null,
    funding:
      funding === undefined
        ? null
        : {
            balanceMinor: funding.balanceMinor.toString(),
            creditMinor: funding.creditMinor.toString(),
            reserveMinor: funding.reserveMinor.toString(),
          },
    decidedAt,
  };
}

export function evidenceView(record: EvidenceRecord): Encoded<typeof api.Evidence>["records"][number] {
  const { broughtBy, senderId, receivedAt, recordHash, bytes } = record;
  return {
    broughtBy,
    senderId,
    receivedAt,
    recordHash,
    bytes: base64url(bytes),
    code: record.code ?? null,
    sentence: record.sentence ?? null,
    decidedAt: record.decidedAt ?? null,
  };
}

export function conflictView(record: ConflictRecord): Encoded<typeof api.Conflict> {
  const { certificateId, account, kind, first, second, provenAt } = record;
  return {
    certificateId,
    account,
    kind,
    first,
    second,
    firstBytes: base64url(record.firstBytes),
    secondBytes: base64url(record.secondBytes),
    provenAt,
    resolvedAt: record.resolvedAt ?? null,
  };
}

export function entryView(entry: StoredEntry): Encoded<typeof api.Entry> {
  const { entryId, reference, kind, currency, postedAt } = entry;
  const postings = entry.postings.map(({ ledgerAccount, minor }) => ({
    ledgerAccount: ledgerAccountText(ledgerAccount),
    minor: minor.toString(),
  }));
  return { entryId, reference, kind, currency, postedAt, postings };
}
