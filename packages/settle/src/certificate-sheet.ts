import type { MessageId, RequestHash } from "@cairn/messages";
import { KnownPayments } from "./known-payments.ts";
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
import { SettleError } from "./settle-error.ts";

/** How a payment came to be as it is. */
type Cause = {
  readonly known: KnownPayment | undefined;
  /** What it is first known from. */
  readonly item: SettlementItem | undefined;
  /** The position of the entry that pays it. */
  readonly entry: number | undefined;
};

/** One certificate while a batch is settled: what was known before, and what the batch has added so far. */
export class CertificateSheet {
  readonly certificate: CertificateState;
  readonly sideClaims: NewSideClaim[] = [];
  revokedAt: number | undefined;
  conflict: ConflictProof | undefined;
  readonly #before: KnownPayments;
  /** What differs from before. */
  readonly #since = new KnownPayments();
  readonly #changes: PaymentChange[] = [];
  #settledMinor = 0n;
  #releasedMinor = 0n;

  constructor(certificate: CertificateState) {
    this.certificate = certificate;
    this.revokedAt = certificate.revokedAt;
    this.conflict = certificate.conflict;
    this.#before = new KnownPayments(certificate.payments);
  }

  payment({ paymentId, sequence }: Pick<KnownPayment, "paymentId" | "sequence">): KnownPayment | undefined {
    return this.#since.find(paymentId, sequence) ?? this.#before.find(paymentId, sequence);
  }

  /** By its id alone: looks at each. @throws SettleError HISTORY_MISSING */
  paymentNamed(paymentId: MessageId): KnownPayment | undefined {
    this.#needAll();
    const isIt = (payment: KnownPayment): boolean => payment.paymentId === paymentId;
    return this.#since.list.find(isIt) ?? this.#before.list.find(isIt);
  }

  /** Whether a payment was credited for this request. */
  isPaid(requestHash: RequestHash): boolean {
    return this.#since.isPaid(requestHash) || this.#before.isPaid(requestHash);
  }

  /** Between which payments one with this number belongs. Which of several with one number does not matter: they are a conflict. */
  neighbours(sequence: number): {
    readonly earlier: KnownPayment | undefined;
    readonly later: KnownPayment | undefined;
  } {
    const [old, young] = [this.#before.before(sequence), this.#since.before(sequence)];
    const [oldNext, youngNext] = [this.#before.from(sequence), this.#since.from(sequence)];
    return {
      earlier: (old?.sequence ?? 0) > (young?.sequence ?? 0) ? old : young,
      later: (oldNext?.sequence ?? Infinity) < (youngNext?.sequence ?? Infinity) ? oldNext : youngNext,
    };
  }

  /** Settled ones; looks at each. @throws SettleError HISTORY_MISSING */
  *credited(): Iterable<KnownPayment> {
    this.#needAll();
    for (const payment of this.#since.list) if (payment.state === "settled") yield payment;
    for (const payment of this.#before.list)
      if (payment.state === "settled" && this.#since.find(payment.paymentId, payment.sequence) === undefined)
        yield payment;
  }

  /** Puts a payment in its new state. */
  put(payment: KnownPayment, { known, item, entry }: Cause): void {
    this.#settledMinor += payment.takenMinor - (known?.takenMinor ?? 0n);
    this.#releasedMinor += releasedMinor(payment) - (known === undefined ? 0n : releasedMinor(known));
    this.#since.put(payment);
    const { certificateId } = this.certificate;
    const addedBy = known === undefined ? item : undefined;
    const earlier =
      known === undefined ? -1 : this.#changes.findIndex((each) => each.payment.paymentId === payment.paymentId);
    const change = this.#changes[earlier];
    if (change === undefined) this.#changes.push({ certificateId, payment, addedBy, entry });
    else this.#changes[earlier] = { ...change, payment, entry: entry ?? change.entry };
  }

  /** Keeps a claim beside its payment. */
  putBeside(payment: KnownPayment, sideClaim: SideClaim): void {
    const { paymentId } = payment;
    const { certificateId } = this.certificate;
    this.sideClaims.push({ certificateId, paymentId, sideClaim });
    const latest = this.payment(payment) ?? payment;
    this.#since.put({ ...latest, sideClaims: [...latest.sideClaims, sideClaim] });
  }

  get changes(): readonly PaymentChange[] {
    return this.#changes;
  }

  exposureChange(): ExposureChange | undefined {
    if (this.#settledMinor === 0n && this.#releasedMinor === 0n) return undefined;
    const { certificateId } = this.certificate;
    return { certificateId, settledMinor: this.#settledMinor, releasedMinor: this.#releasedMinor };
  }

  #needAll(): void {
    if (this.certificate.isBrief === true)
      throw new SettleError("HISTORY_MISSING", "The state holds only some of a certificate's payments.");
  }
}

/** What of a payment goes back to the payer: all of it, or what a capture left of an open payment's maximum. */
export function releasedMinor(payment: Pick<KnownPayment, "state" | "amountMinor" | "takenMinor">): bigint {
  if (payment.state === "released") return payment.amountMinor;
  return payment.state === "settled" ? payment.amountMinor - payment.takenMinor : 0n;
}
