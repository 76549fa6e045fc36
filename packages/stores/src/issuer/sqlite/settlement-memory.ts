import type { CertificateId } from "@cairn/messages";
import { type CertificateState, KnownPayments, type SettlementResult } from "@cairn/settle";

/** A certificate as settlement looks at it. `number`: its status index. */
export type RememberedCertificate = { readonly number: number; readonly state: CertificateState };

/** The most that is remembered: some 35,000 payments. */
const MAXIMUM_BYTES = 24 * 1024 * 1024;
/** What each takes here, measured on what the verifying threads send; generously for what a certificate brings. */
const CERTIFICATE_BYTES = 1_000;
const PAYMENT_BYTES = 620;
const SIDE_CLAIM_BYTES = 260;

/**
 * What settlement looked at lately, so that a certificate's payments are not read from the database again with each new
 * one. This process is the only one that writes the file, so the memory is what the file says as long as every change
 * is told: settlement's own by `apply`, any other by `forget`, and `clear` after whatever was undone.
 */
export class SettlementMemory {
  /** What was used last comes last. */
  readonly #certificates = new Map<CertificateId, Kept>();
  #bytes = 0;

  get(certificateId: CertificateId): RememberedCertificate | undefined {
    return this.#certificates.get(certificateId)?.certificate;
  }

  remember({ number, state }: RememberedCertificate): void {
    this.forget(state.certificateId);
    // Its own, as it grows.
    const known = new KnownPayments(state.payments);
    const certificate = { number, state: { ...state, payments: known.list } };
    const kept = { certificate, known, bytes: bytesOf(certificate) };
    this.#certificates.set(state.certificateId, kept);
    this.#bytes += kept.bytes;
    this.#forgetOldest();
  }

  forget(certificateId: CertificateId): void {
    const kept = this.#certificates.get(certificateId);
    if (kept === undefined) return;
    this.#bytes -= kept.bytes;
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
    let last: Kept | undefined;
    for (const { certificateId, payment } of payments) {
      // Those of one certificate come one after the other.
      const kept = last?.certificate.state.certificateId === certificateId ? last : this.#use(certificateId);
      last = kept;
      if (kept === undefined) continue;
      const before = kept.known.list.length;
      kept.known.put(payment);
      const added = (kept.known.list.length - before) * PAYMENT_BYTES;
      kept.bytes += added;
      this.#bytes += added;
    }
    for (const { certificateId } of sideClaims) this.forget(certificateId);
    this.#forgetOldest();
  }

  #use(certificateId: CertificateId): Kept | undefined {
    const kept = this.#certificates.get(certificateId);
    if (kept === undefined) return undefined;
    this.#certificates.delete(certificateId);
    this.#certificates.set(certificateId, kept);
    return kept;
  }

  #forgetOldest(): void {
    if (this.#bytes <= MAXIMUM_BYTES) return;
    for (const oldest of this.#certificates.keys()) {
      this.forget(oldest);
      if (this.#bytes <= MAXIMUM_BYTES) return;
    }
  }
}

/** `known` grows with every batch, and with it the certificate's list, which is its own. */
type Kept = { readonly certificate: RememberedCertificate; readonly known: KnownPayments; bytes: number };

function bytesOf({ state: { payments } }: RememberedCertificate): number {
  const sideClaims = payments.reduce((sum, payment) => sum + payment.sideClaims.length, 0);
  return CERTIFICATE_BYTES + payments.length * PAYMENT_BYTES + sideClaims * SIDE_CLAIM_BYTES;
}
