import type { CertificateId, MessageId } from "@cairn/messages";
import {
  refuseWrite,
  type StoredCertificate,
  type StoredIdentity,
  type StoredPayment,
  type WalletWrite,
} from "@cairn/pay";

const NO_PAYMENTS = { sequence: 0, spentMinor: 0n, lastPaymentId: undefined, unsignedPayments: 0 } as const;

/** What a commit changes, worked out in memory before anything is written: `key` is the row's, undefined for a new one. */
export type Keyed<Value> = { readonly key: number | undefined; readonly value: Value; readonly changed: boolean };

/**
 * The records that a commit's writes touch, and how they look after them. Every write is checked by `refuseWrite` on
 * the state just before it.
 */
export class WalletChanges {
  identity: StoredIdentity | undefined;
  identityChanged = false;
  readonly certificates = new Map<CertificateId, Keyed<StoredCertificate>>();
  readonly payments = new Map<MessageId, Keyed<StoredPayment>>();
  readonly #paidRequests: Set<MessageId>;

  constructor(identity: StoredIdentity | undefined, paidRequests: Iterable<MessageId>) {
    this.identity = identity;
    this.#paidRequests = new Set(paidRequests);
  }

  /** @throws WalletStoreError WALLET_WRITE_REFUSED */
  apply(write: WalletWrite): void {
    refuseWrite(write, {
      isEnrolled: () => this.identity !== undefined,
      certificate: (id) => this.certificates.get(id)?.value,
      payment: (id) => this.payments.get(id)?.value,
      hasPaymentOfRequest: (id) => this.#paidRequests.has(id),
    });
    switch (write.kind) {
      case "identity":
        this.#setIdentity(write.identity);
        break;
      case "trust-list":
        this.#setIdentity(this.identity && { ...this.identity, trustList: write.bytes });
        break;
      case "status-list":
        this.#setIdentity(this.identity && { ...this.identity, statusList: write.bytes });
        break;
      case "newest-seen": {
        const newestSeen = Math.max(write.newestSeen, this.identity?.newestSeen ?? 0);
        this.#setIdentity(this.identity && { ...this.identity, newestSeen });
        break;
      }
      case "certificate":
        this.#addCertificate(write);
        break;
      case "revoked":
        this.#changeCertificate(write.certificateId, () => ({ revoked: true }));
        break;
      case "closing": {
        const closing = { draft: write.draft, signed: undefined, delivered: false };
        this.#changeCertificate(write.certificateId, () => ({ closing }));
        break;
      }
      case "closing-signature":
        this.#changeCertificate(write.certificateId, ({ closing }) =>
          closing === undefined ? {} : { closing: { ...closing, signed: closing.signed ?? write.signed } },
        );
        break;
      case "closing-delivered":
        this.#changeCertificate(write.certificateId, ({ closing }) =>
          closing === undefined ? {} : { closing: { ...closing, delivered: true } },
        );
        break;
      case "payment":
        this.#addPayment(write.payment);
        break;
      case "signature":
        this.#sign(write.paymentId, write.signed);
        break;
      case "shown":
        this.#changePayment(write.paymentId, () => ({ shown: true }));
        break;
      case "receipt":
        this.#changePayment(write.paymentId, ({ receipt, payeeCertificate }) =>
          receipt === undefined
            ? { receipt: write.receipt, payeeCertificate: payeeCertificate ?? write.payeeCertificate }
            : {},
        );
        break;
      case "void":
        this.#changePayment(write.paymentId, ({ requestVoid }) => ({
          requestVoid: requestVoid ?? write.requestVoid,
        }));
        break;
      case "outcome":
        this.#changePayment(write.paymentId, () => ({ outcome: write.outcome }));
        break;
    }
  }

  #setIdentity(identity: StoredIdentity | undefined): void {
    this.identity = identity;
    this.identityChanged = true;
  }

  #addCertificate({
    certificateId,
    bytes,
    limitMinor,
  }: Pick<StoredCertificate, "certificateId" | "bytes" | "limitMinor">): void {
    if (this.certificates.has(certificateId)) return;
    const value = { certificateId, bytes, limitMinor, revoked: false, counter: NO_PAYMENTS, closing: undefined };
    this.certificates.set(certificateId, { key: undefined, value, changed: true });
  }

  #changeCertificate(id: CertificateId, change: (value: StoredCertificate) => Partial<StoredCertificate>): void {
    const held = this.certificates.get(id);
    if (held === undefined) return;
    this.certificates.set(id, { ...held, value: { ...held.value, ...change(held.value) }, changed: true });
  }

  /** The chain's counter moves with the payment: in the database it is read from the payment itself. */
  #addPayment(payment: StoredPayment): void {
    const { paymentId, certificateId, sequence, spentMinor, requestId } = payment;
    this.payments.set(paymentId, { key: undefined, value: payment, changed: true });
    if (requestId !== undefined) this.#paidRequests.add(requestId);
    this.#changeCertificate(certificateId, ({ counter }) => ({
      counter: { sequence, spentMinor, lastPaymentId: paymentId, unsignedPayments: counter.unsignedPayments + 1 },
    }));
  }

  #sign(paymentId: MessageId, signed: Uint8Array): void {
    const held = this.payments.get(paymentId)?.value;
    if (held === undefined || held.signed !== undefined) return;
    this.#changePayment(paymentId, () => ({ signed }));
    this.#changeCertificate(held.certificateId, ({ counter }) => ({
      counter: { ...counter, unsignedPayments: counter.unsignedPayments - 1 },
    }));
  }

  #changePayment(id: MessageId, change: (value: StoredPayment) => Partial<StoredPayment>): void {
    const held = this.payments.get(id);
    if (held === undefined) return;
    this.payments.set(id, { ...held, value: { ...held.value, ...change(held.value) }, changed: true });
  }
}
