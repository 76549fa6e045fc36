import { copyOfBytes } from "@cairn/cose";
import { type AccountNumber, partitionOf } from "@cairn/issue";
import type { CertificateId, Currency, DeviceId, MessageId } from "@cairn/messages";
import { type CertificateState, type ClosingFacts, type ConflictProof, judgeClosing } from "@cairn/settle";
import { mainOutcome, type PaymentFacts } from "../outcome-views.ts";
import { paymentMessageIn } from "../payment-message.ts";
import type {
  CertificateRecord,
  ConflictRecord,
  IssuanceView,
  IssuerStore,
  PreparedCertificate,
  StoredOutcome,
} from "../port.ts";
import { found, StoreError } from "../store-error.ts";
import type { MemoryInbox } from "./memory-inbox.ts";
import type { MemoryMembers } from "./memory-members.ts";

type Closing = Parameters<IssuerStore["recordClosing"]>[1];
/** `inboxId`: the record that it was first known from. */
type KeptPayment = PaymentFacts & { readonly inboxId: number };
/** An account's certificates, and their records as they are now; undefined: one has changed. */
type OfAccount = { readonly kept: KeptCertificate[]; records: readonly CertificateRecord[] | undefined };

export class KeptCertificate {
  readonly currency: Currency;
  closing: CertificateState["closing"];
  /** Every closing ever received. */
  readonly closings = new Map<MessageId, ClosingFacts & { readonly bytes: Uint8Array }>();
  readonly #payments = new Map<MessageId, KeptPayment>();
  readonly #ofAccount: OfAccount;
  #record: CertificateRecord;
  /** Undefined: a payment has changed. */
  #outcomes: readonly StoredOutcome[] | undefined;

  constructor(record: CertificateRecord, currency: Currency, ofAccount: OfAccount) {
    this.#record = record;
    this.currency = currency;
    this.#ofAccount = ofAccount;
  }

  get record(): CertificateRecord {
    return this.#record;
  }

  set record(record: CertificateRecord) {
    this.#record = record;
    this.#ofAccount.records = undefined;
  }

  get payments(): ReadonlyMap<MessageId, KeptPayment> {
    return this.#payments;
  }

  setPayment(paymentId: MessageId, payment: KeptPayment): void {
    this.#payments.set(paymentId, payment);
    this.#outcomes = undefined;
  }

  /** In the order of the chain. */
  outcomes(): readonly StoredOutcome[] {
    this.#outcomes ??= [...this.#payments.values()]
      .sort((left, right) => left.payment.sequence - right.payment.sequence)
      .map(mainOutcome);
    return this.#outcomes;
  }
}

/** What a list of withdrawn certificates was made from: from one expiry to another it stays as it is. */
type RevokedList = {
  readonly indices: readonly number[];
  /** The latest expiry that was left out, and the earliest that was not. */
  readonly expiredUntil: number;
  readonly expiresFrom: number;
};

/** Certificates with their payments, closings and conflicts. */
export class MemoryCertificates {
  readonly #kept = new Map<CertificateId, KeptCertificate>();
  readonly #byAccount = new Map<AccountNumber, OfAccount>();
  readonly #conflicts = new Map<CertificateId, ConflictRecord>();
  /** How many of an account's are not resolved. */
  readonly #unresolved = new Map<AccountNumber, number>();
  readonly #revoked = new Set<KeptCertificate>();
  /** Undefined: one has changed. */
  #revokedList: RevokedList | undefined;
  #nextStatusIndex = 0;
  /** Where the signed payments are. */
  readonly #inbox: MemoryInbox;

  constructor(inbox: MemoryInbox) {
    this.#inbox = inbox;
  }

  prepare<Result>(
    members: MemoryMembers,
    { account, deviceId }: { readonly account: AccountNumber; readonly deviceId: DeviceId },
    decide: (view: IssuanceView) => { result: Result; prepared?: PreparedCertificate | undefined },
  ): Result {
    const device = members.device(deviceId);
    const certificates = this.of(account);
    const view: IssuanceView = {
      account: found(members.account(account), "ACCOUNT_UNKNOWN", account),
      device: found(device?.account === account ? device : undefined, "DEVICE_UNKNOWN", deviceId),
      certificates,
      nextSerial: (certificates.at(-1)?.serial ?? 0) + 1,
      statusIndex: this.#nextStatusIndex,
      partition: partitionOf(account),
    };
    const { result, prepared } = decide(view);
    if (prepared !== undefined) this.#insert(view, prepared);
    return result;
  }

  kept(certificateId: CertificateId): KeptCertificate | undefined {
    return this.#kept.get(certificateId);
  }

  all(): Iterable<KeptCertificate> {
    return this.#kept.values();
  }

  of(account: AccountNumber): readonly CertificateRecord[] {
    const its = this.#byAccount.get(account);
    if (its === undefined) return [];
    its.records ??= its.kept.map(({ record }) => record);
    return its.records;
  }

  recordIssued(certificateId: CertificateId, bytes: Uint8Array): void {
    const kept = found(this.#kept.get(certificateId), "CERTIFICATE_UNKNOWN", certificateId);
    kept.record = { ...kept.record, bytes: copyOfBytes(bytes) };
  }

  recordClosing(
    certificateId: CertificateId,
    { bytes, closedAt, ...facts }: Closing,
  ): "recorded" | "repeated" | "differs" | "unknown-certificate" {
    const kept = this.#kept.get(certificateId);
    if (kept === undefined) return "unknown-certificate";
    const { answer, conflict } = judgeClosing(stateOf(kept), facts, closedAt);
    if (!kept.closings.has(facts.messageId))
      kept.closings.set(facts.messageId, { ...facts, bytes: copyOfBytes(bytes) });
    if (answer === "recorded") {
      const { sequence, spentMinor } = facts;
      kept.closing = facts;
      kept.record = { ...kept.record, closing: { sequence, spentMinor, closedAt } };
    }
    if (conflict !== undefined) this.recordConflict(conflict);
    return answer;
  }

  revoke(certificateId: CertificateId, at: number, reason: string): "revoked" | "repeated" | "unknown-certificate" {
    const kept = this.#kept.get(certificateId);
    if (kept === undefined) return "unknown-certificate";
    if (kept.record.revokedAt !== undefined) return "repeated";
    const changes = [...kept.record.changes, { change: "revoked" as const, at, reason }];
    kept.record = { ...kept.record, revokedAt: at, revocationReason: reason, restoredAt: undefined, changes };
    this.#revoked.add(kept);
    this.#revokedList = undefined;
    return "revoked";
  }

  restore(
    certificateId: CertificateId,
    at: number,
  ): "restored" | "not-revoked" | "in-conflict" | "unknown-certificate" {
    const kept = this.#kept.get(certificateId);
    if (kept === undefined) return "unknown-certificate";
    if (kept.record.revokedAt === undefined) return "not-revoked";
    for (const { record } of this.#kept.values())
      if (record.deviceId === kept.record.deviceId && record.conflict !== undefined) return "in-conflict";
    const changes = [...kept.record.changes, { change: "restored" as const, at, reason: "" }];
    this.#revoked.delete(kept);
    this.#revokedList = undefined;
    kept.record = { ...kept.record, revokedAt: undefined, revocationReason: undefined, restoredAt: at, changes };
    return "restored";
  }

  revokedIndices(expiresFrom: number): { readonly revoked: readonly number[]; readonly size: number } {
    const known = this.#revokedList;
    const isStill = known !== undefined && known.expiredUntil < expiresFrom && expiresFrom <= known.expiresFrom;
    const list = isStill ? known : this.#listRevoked(expiresFrom);
    this.#revokedList = list;
    return { revoked: list.indices, size: this.#nextStatusIndex };
  }

  #listRevoked(wantedFrom: number): RevokedList {
    const indices: number[] = [];
    let expiredUntil = Number.NEGATIVE_INFINITY;
    let expiresFrom = Number.POSITIVE_INFINITY;
    for (const { record } of this.#revoked) {
      const { expiresAt, statusIndex } = record;
      if (expiresAt < wantedFrom) expiredUntil = Math.max(expiredUntil, expiresAt);
      else {
        expiresFrom = Math.min(expiresFrom, expiresAt);
        indices.push(statusIndex);
      }
    }
    return { indices: indices.sort((left, right) => left - right), expiredUntil, expiresFrom };
  }

  /** Keeps the first proof of a certificate with the bytes of both messages and withdraws the certificate. */
  recordConflict(proof: ConflictProof): void {
    const { certificateId, first, second, provenAt } = proof;
    const kept = found(this.#kept.get(certificateId), "CERTIFICATE_UNKNOWN", certificateId);
    if (this.#conflicts.has(certificateId)) return;
    this.#conflicts.set(certificateId, {
      ...proof,
      account: kept.record.account,
      firstBytes: this.#signedBytes(kept, first),
      secondBytes: this.#signedBytes(kept, second),
      resolvedAt: undefined,
    });
    kept.record = { ...kept.record, conflict: proof };
    const { account, deviceId } = kept.record;
    this.#unresolved.set(account, this.unresolvedConflicts(account) + 1);
    // The key was copied, whichever certificate showed it.
    for (const { record } of this.#byAccount.get(account)?.kept ?? [])
      if (record.deviceId === deviceId) this.revoke(record.certificateId, provenAt, "Proven conflict.");
  }

  conflicts(): ConflictRecord[] {
    return [...this.#conflicts.values()].sort(
      (left, right) => left.provenAt - right.provenAt || (left.certificateId < right.certificateId ? -1 : 1),
    );
  }

  unresolvedConflicts(account: AccountNumber): number {
    return this.#unresolved.get(account) ?? 0;
  }

  resolveConflicts(account: AccountNumber, at: number): number {
    let resolved = 0;
    for (const [certificateId, conflict] of this.#conflicts) {
      if (conflict.account !== account || conflict.resolvedAt !== undefined) continue;
      this.#conflicts.set(certificateId, { ...conflict, resolvedAt: at });
      resolved++;
    }
    this.#unresolved.delete(account);
    return resolved;
  }

  #signedBytes({ payments, closings }: KeptCertificate, messageId: MessageId): Uint8Array {
    const payment = payments.get(messageId);
    const record = payment && this.#inbox.record(payment.inboxId);
    return record === undefined
      ? found(closings.get(messageId)?.bytes, "STORE_DAMAGED", messageId)
      : copyOfBytes(paymentMessageIn(record));
  }

  #insert({ account: { account, currency } }: IssuanceView, prepared: PreparedCertificate): void {
    if (this.#kept.has(prepared.certificateId))
      throw new StoreError("STORE_INPUT_INVALID", "This certificate id exists already.");
    const record: CertificateRecord = {
      ...prepared,
      account,
      settledMinor: 0n,
      releasedMinor: 0n,
      revokedAt: undefined,
      revocationReason: undefined,
      restoredAt: undefined,
      changes: [],
      closing: undefined,
      bytes: undefined,
      conflict: undefined,
    };
    const ofAccount = this.#byAccount.get(account) ?? { kept: [], records: undefined };
    const kept = new KeptCertificate(record, currency, ofAccount);
    this.#kept.set(prepared.certificateId, kept);
    ofAccount.kept.push(kept);
    ofAccount.records = undefined;
    this.#byAccount.set(account, ofAccount);
    this.#nextStatusIndex = Math.max(this.#nextStatusIndex, prepared.statusIndex + 1);
  }
}

/** A certificate as settlement sees it. */
export function stateOf({ record, currency, closing, payments }: KeptCertificate): CertificateState {
  const { certificateId, account, limitMinor, issuedAt, expiresAt, revokedAt, conflict } = record;
  const known = [...payments.values()].map(({ payment, sideClaims }) => ({ ...payment, sideClaims }));
  return {
    certificateId,
    account,
    currency,
    limitMinor,
    issuedAt,
    expiresAt,
    revokedAt,
    closing,
    conflict,
    payments: known,
  };
}
