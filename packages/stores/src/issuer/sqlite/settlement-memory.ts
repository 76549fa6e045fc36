import type { CertificateId } from "@cairn/messages";
import type { CertificateState, KnownPayment, SettlementResult } from "@cairn/settle";

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
  readonly #certificates = new Map<CertificateId, RememberedCertificate>();
  #bytes = 0;

  get(certificateId: CertificateId): RememberedCertificate | undefined {
    return this.#certificates.get(certificateId);
  }

  remember(certificate: RememberedCertificate): void {
    this.forget(certificate.state.certificateId);
    this.#certificates.set(certificate.state.certificateId, certificate);
    this.#bytes += bytesOf(certificate);
    for (const oldest of this.#certificates.keys()) {
      if (this.#bytes <= MAXIMUM_BYTES) return;
      this.forget(oldest);
    }
  }

  forget(certificateId: CertificateId): void {
    const known = this.#certificates.get(certificateId);
    if (known === undefined) return;
    this.#bytes -= bytesOf(known);
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
    const changes = new Map<CertificateId, Map<KnownPayment["paymentId"], KnownPayment>>();
    for (const { certificateId, payment } of payments) {
      const changed = changes.get(certificateId);
      if (changed === undefined) changes.set(certificateId, new Map([[payment.paymentId, payment]]));
      else changed.set(payment.paymentId, payment);
    }
    for (const [certificateId, changed] of changes) {
      const known = this.#certificates.get(certificateId);
      if (known === undefined) continue;
      const unchanged = known.state.payments.filter(({ paymentId }) => !changed.has(paymentId));
      this.remember({ ...known, state: { ...known.state, payments: [...unchanged, ...changed.values()] } });
    }
    for (const { certificateId } of sideClaims) this.forget(certificateId);
  }
}

function bytesOf({ state: { payments } }: RememberedCertificate): number {
  const sideClaims = payments.reduce((sum, payment) => sum + payment.sideClaims.length, 0);
  return CERTIFICATE_BYTES + payments.length * PAYMENT_BYTES + sideClaims * SIDE_CLAIM_BYTES;
}
