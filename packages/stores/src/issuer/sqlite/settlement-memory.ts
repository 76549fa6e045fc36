import type { CertificateId, RequestHash } from "@cairn/messages";
import type { CertificateState, KnownPayment, SettlementItem, SettlementResult } from "@cairn/settle";
import { leadingBits } from "../leading-bits.ts";

/** A certificate as settlement looks at it. `number`: its status index. */
export type LoadedCertificate = { readonly number: number; readonly state: CertificateState };

/** What of a certificate's payments has to be loaded for some items: those from one number to the other, and their neighbours. */
export type WantedNumbers = { readonly from: number; readonly to: number };

/** The most that is remembered: some 500,000 payments. */
const MAXIMUM_BYTES = 24 * 1024 * 1024;
/** What each takes here, generously: a certificate brings its latest payment. */
const CERTIFICATE_BYTES = 2_000;
const PAYMENT_BYTES = 48;
/** Of those beside the latest payment. */
const SIDE_CLAIM_BYTES = 260;

/**
 * What settlement has to know of a certificate's payments before it looks at a new one: the latest, and which requests
 * were paid. So the others are not read from the database again with each batch, however many they are. This process is
 * the only one that writes the file, so the memory is what the file says as long as every change is told: settlement's
 * own by `apply`, any other by `forget`, and `clear` after whatever was undone.
 */
export class SettlementMemory {
  /** What was used last comes last. */
  readonly #certificates = new Map<CertificateId, RememberedCertificate>();
  #bytes = 0;

  get(certificateId: CertificateId): RememberedCertificate | undefined {
    return this.#certificates.get(certificateId);
  }

  /** A certificate with all of its payments. Of one with a conflict all count, so nothing is remembered. */
  remember(loaded: LoadedCertificate): void {
    const { certificateId, conflict } = loaded.state;
    this.forget(certificateId);
    if (conflict !== undefined) return;
    const remembered = new RememberedCertificate(loaded);
    if (!remembered.isSure) return;
    this.#certificates.set(certificateId, remembered);
    this.#bytes += remembered.bytes;
    this.#forgetOldest();
  }

  forget(certificateId: CertificateId): void {
    const remembered = this.#certificates.get(certificateId);
    if (remembered === undefined) return;
    this.#bytes -= remembered.bytes;
    this.#certificates.delete(certificateId);
  }

  clear(): void {
    this.#certificates.clear();
    this.#bytes = 0;
  }

  /** After the result was written. A conflict withdraws other certificates too. */
  apply({ payments, sideClaims, conflicts }: SettlementResult): void {
    if (conflicts.length > 0) {
      this.clear();
      return;
    }
    let last: CertificateId | undefined;
    let remembered: RememberedCertificate | undefined;
    for (const { certificateId, payment } of payments) {
      // Those of one certificate come one after the other.
      if (certificateId !== last) remembered = this.#use(certificateId);
      last = certificateId;
      if (remembered === undefined) continue;
      this.#bytes -= remembered.bytes;
      remembered.note(payment);
      this.#bytes += remembered.bytes;
      if (remembered.isSure) continue;
      this.forget(certificateId);
      remembered = undefined;
    }
    for (const { certificateId } of sideClaims) this.forget(certificateId);
    this.#forgetOldest();
  }

  #use(certificateId: CertificateId): RememberedCertificate | undefined {
    const remembered = this.#certificates.get(certificateId);
    if (remembered === undefined) return undefined;
    this.#certificates.delete(certificateId);
    this.#certificates.set(certificateId, remembered);
    return remembered;
  }

  #forgetOldest(): void {
    if (this.#bytes <= MAXIMUM_BYTES) return;
    for (const oldest of this.#certificates.keys()) {
      this.forget(oldest);
      if (this.#bytes <= MAXIMUM_BYTES) return;
    }
  }
}

/** A certificate whose payments contradict nothing, so that each number belongs to one of them at most. */
export class RememberedCertificate {
  readonly number: number;
  readonly #state: CertificateState;
  #latest: KnownPayment | undefined;
  /** By the number that a request's hash begins with, the payment that was credited for it. */
  readonly #paid = new Map<number, number>();
  #isSure = true;

  constructor({ number, state }: LoadedCertificate) {
    this.number = number;
    this.#state = { ...state, payments: [], isBrief: true };
    for (const payment of state.payments) this.note(payment);
  }

  /** False when two requests begin alike, or two payments have one number: then only all payments tell. */
  get isSure(): boolean {
    return this.#isSure;
  }

  get bytes(): number {
    const sideClaims = this.#latest?.sideClaims.length ?? 0;
    return CERTIFICATE_BYTES + this.#paid.size * PAYMENT_BYTES + sideClaims * SIDE_CLAIM_BYTES;
  }

  note(payment: KnownPayment): void {
    const { paymentId, sequence, state, requestHash } = payment;
    const latest = this.#latest;
    if (latest === undefined || sequence > latest.sequence || paymentId === latest.paymentId) this.#latest = payment;
    else if (sequence === latest.sequence) this.#isSure = false;
    if (state !== "settled" || requestHash === undefined) return;
    const key = keyOf(requestHash);
    const other = this.#paid.get(key);
    if (other !== undefined && other !== sequence) this.#isSure = false;
    this.#paid.set(key, sequence);
  }

  /** Undefined when the latest payment is all that the items need. */
  wantedFor(items: readonly SettlementItem[]): WantedNumbers | undefined {
    const latest = this.#latest?.sequence ?? 0;
    let [from, to] = [Number.POSITIVE_INFINITY, 0];
    const want = (sequence: number): void => {
      from = Math.min(from, sequence);
      to = Math.max(to, sequence);
    };
    for (const { sequence, requestHash } of items) {
      if (sequence <= latest) want(sequence);
      const paid = requestHash === undefined ? undefined : this.#paid.get(keyOf(requestHash));
      if (paid !== undefined) want(paid);
    }
    return from > to ? undefined : { from, to };
  }

  /** @param loaded Those that were wanted. */
  stateWith(loaded: readonly KnownPayment[]): CertificateState {
    const latest = this.#latest;
    if (latest === undefined) return this.#state;
    const others = loaded.filter(({ paymentId }) => paymentId !== latest.paymentId);
    return { ...this.#state, payments: [...others, latest] };
  }
}

/** 30 bits: what the engine keeps without a box. Requests that share them are told apart by their payments. */
const keyOf = (requestHash: RequestHash): number =>
  (leadingBits(requestHash, 7) << 2) | (leadingBits(requestHash, 1, 7) >> 2);
