import type { MessageId, RequestHash } from "@cairn/messages";
import { Chain } from "./chain.ts";
import type {
  CertificateState,
  ConflictProof,
  ExposureChange,
  KnownPayment,
  NewSideClaim,
  PaymentChange,
  SettlementItem,
  SideClaim,
} from "./model.ts";

/** One certificate while a batch is settled: what was known before, and what the batch has added so far. */
export class CertificateSheet {
  readonly certificate: CertificateState;
  /** Settled ones, in the order in which they were credited. */
  readonly credited: KnownPayment[] = [];
  readonly sideClaims: NewSideClaim[] = [];
  revokedAt: number | undefined;
  conflict: ConflictProof | undefined;
  readonly #payments = new Map<MessageId, KnownPayment>();
  readonly #changed = new Map<MessageId, SettlementItem | undefined>();
  readonly #paidRequests = new Set<RequestHash>();
  /** Everything known, as long as nothing contradicts anything. */
  readonly #chain = new Chain();
  #settledMinor = 0n;
  #releasedMinor = 0n;

  constructor(certificate: CertificateState) {
    this.certificate = certificate;
    this.revokedAt = certificate.revokedAt;
    this.conflict = certificate.conflict;
    for (const payment of certificate.payments) {
      this.#payments.set(payment.paymentId, payment);
      if (payment.state === "settled") this.#noteCredit(payment);
      if (this.conflict === undefined) this.#chain.add(payment);
    }
  }

  payment(paymentId: MessageId): KnownPayment | undefined {
    return this.#payments.get(paymentId);
  }

  /** Whether a payment was credited for this request. */
  isPaid(requestHash: RequestHash): boolean {
    return this.#paidRequests.has(requestHash);
  }

  get chain(): Chain {
    return this.#chain;
  }

  /** Puts a payment in its new state; `addedBy` when it was not known before. */
  put(payment: KnownPayment, addedBy: SettlementItem | undefined): void {
    const before = this.#payments.get(payment.paymentId);
    this.#settledMinor += payment.takenMinor - (before?.takenMinor ?? 0n);
    this.#releasedMinor += releasedMinor(payment) - (before === undefined ? 0n : releasedMinor(before));
    this.#payments.set(payment.paymentId, payment);
    this.#changed.set(payment.paymentId, addedBy ?? this.#changed.get(payment.paymentId));
    if (payment.state === "settled") this.#noteCredit(payment);
  }

  /** Keeps a claim beside its payment. */
  putBeside(payment: KnownPayment, sideClaim: SideClaim): void {
    const { paymentId } = payment;
    const { certificateId } = this.certificate;
    this.sideClaims.push({ certificateId, paymentId, sideClaim });
    const latest = this.#payments.get(paymentId) ?? payment;
    this.#payments.set(paymentId, { ...latest, sideClaims: [...latest.sideClaims, sideClaim] });
  }

  changes(): PaymentChange[] {
    const { certificateId } = this.certificate;
    const changes: PaymentChange[] = [];
    for (const [paymentId, addedBy] of this.#changed) {
      const payment = this.#payments.get(paymentId);
      if (payment !== undefined) changes.push({ certificateId, payment, addedBy });
    }
    return changes;
  }

  exposureChange(): ExposureChange | undefined {
    if (this.#settledMinor === 0n && this.#releasedMinor === 0n) return undefined;
    const { certificateId } = this.certificate;
    return { certificateId, settledMinor: this.#settledMinor, releasedMinor: this.#releasedMinor };
  }

  #noteCredit(payment: KnownPayment): void {
    this.credited.push(payment);
    if (payment.requestHash !== undefined) this.#paidRequests.add(payment.requestHash);
  }
}

/** What of a payment goes back to the payer: all of it, or what a capture left of an open payment's maximum. */
export function releasedMinor(payment: Pick<KnownPayment, "state" | "amountMinor" | "takenMinor">): bigint {
  if (payment.state === "released") return payment.amountMinor;
  return payment.state === "settled" ? payment.amountMinor - payment.takenMinor : 0n;
}
