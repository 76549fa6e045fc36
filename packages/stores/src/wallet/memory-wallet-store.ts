import type { CertificateId, MessageId } from "@cairn/messages";
import {
  type Decision,
  type PaymentSelection,
  refuseWrite,
  type StoredCertificate,
  type StoredClosing,
  type StoredCounter,
  type StoredIdentity,
  type StoredPayment,
  type StoredWallet,
  type WalletStore,
  type WalletWrite,
  type WriteFacts,
} from "@cairn/pay";

const NO_PAYMENTS: StoredCounter = { sequence: 0, spentMinor: 0n, lastPaymentId: undefined, unsignedPayments: 0 };

/**
 * A wallet in memory: for simulators and tests. A commit is one synchronous stretch, which is its lock. Records are
 * replaced, never changed in place, so what a decision was shown stays as it was.
 */
export class MemoryWalletStore implements WalletStore {
  #identity: StoredIdentity | undefined;
  readonly #certificates = new Map<CertificateId, StoredCertificate>();
  /** All of them as they are now; undefined: one has changed. */
  #certificateList: readonly StoredCertificate[] | undefined;
  readonly #payments = new Map<MessageId, StoredPayment>();
  /** Those without a last word: what is settled is not looked at again and again. */
  readonly #unfinished = new Map<MessageId, StoredPayment>();
  readonly #paymentOfRequest = new Map<MessageId, MessageId>();
  readonly #facts: WriteFacts = {
    isEnrolled: () => this.#identity !== undefined,
    certificate: (certificateId) => this.#certificates.get(certificateId),
    payment: (paymentId) => this.#payments.get(paymentId),
    hasPaymentOfRequest: (requestId) => this.#paymentOfRequest.has(requestId),
  };

  async commit<Result>(load: PaymentSelection, decide: (wallet: StoredWallet) => Decision<Result>): Promise<Result> {
    this.#certificateList ??= [...this.#certificates.values()];
    const certificates = this.#certificateList;
    const { result, writes } = decide({ identity: this.#identity, certificates, payments: this.#select(load) });
    const undo: (() => void)[] = [];
    try {
      for (const write of writes) {
        refuseWrite(write, this.#facts);
        undo.push(this.#apply(write));
      }
    } catch (error) {
      for (const step of undo.toReversed()) step();
      throw error;
    }
    return result;
  }

  async close(): Promise<void> {}

  #select(load: PaymentSelection): readonly StoredPayment[] {
    const all = () => [...this.#payments.values()];
    switch (load.kind) {
      case "none":
        return [];
      case "all":
        return all();
      case "unfinished":
        return [...this.#unfinished.values()];
      case "unshown-open":
        return all().filter(({ kind, shown }) => kind === "open-payment" && !shown);
      case "of-request":
        return this.#present([this.#paymentOfRequest.get(load.requestId)]);
      case "ids":
        return this.#present(load.paymentIds);
    }
  }

  #present(ids: readonly (MessageId | undefined)[]): readonly StoredPayment[] {
    const [first] = ids;
    if (ids.length === 1 && first !== undefined) {
      const payment = this.#payments.get(first);
      return payment === undefined ? [] : [payment];
    }
    const present = new Set<StoredPayment>();
    for (const id of ids) {
      const payment = id === undefined ? undefined : this.#payments.get(id);
      if (payment !== undefined) present.add(payment);
    }
    return [...present];
  }

  /** Gives the step that takes the write back. */
  #apply(write: WalletWrite): () => void {
    switch (write.kind) {
      case "identity":
        return this.#setIdentity(write.identity);
      case "trust-list":
        return this.#changeIdentity({ trustList: write.bytes });
      case "status-list":
        return this.#changeIdentity({ statusList: write.bytes });
      case "newest-seen":
        return this.#changeIdentity({ newestSeen: Math.max(write.newestSeen, this.#identity?.newestSeen ?? 0) });
      case "certificate":
        return this.#addCertificate(write);
      case "revoked":
        return this.#changeCertificate(write.certificateId, () => ({ revoked: true }));
      case "payment":
        return this.#addPayment(write.payment);
      case "signature":
        return this.#sign(write.paymentId, write.signed);
      case "shown":
        return this.#changePayment(write.paymentId, () => ({ shown: true }));
      case "receipt": {
        const { receipt, payeeCertificate } = write;
        return this.#changePayment(write.paymentId, (payment) =>
          payment.receipt === undefined
            ? { receipt, payeeCertificate: payment.payeeCertificate ?? payeeCertificate }
            : {},
        );
      }
      case "void":
        return this.#changePayment(write.paymentId, (payment) => ({
          requestVoid: payment.requestVoid ?? write.requestVoid,
        }));
      case "outcome":
        return this.#changePayment(write.paymentId, () => ({ outcome: write.outcome }));
      case "closing":
        return this.#changeCertificate(write.certificateId, () => ({
          closing: { draft: write.draft, signed: undefined, delivered: false },
        }));
      case "closing-signature":
        return this.#changeClosing(write.certificateId, ({ signed }) => ({ signed: signed ?? write.signed }));
      case "closing-delivered":
        return this.#changeClosing(write.certificateId, () => ({ delivered: true }));
    }
  }

  #setIdentity(identity: StoredIdentity | undefined): () => void {
    const before = this.#identity;
    this.#identity = identity;
    return () => {
      this.#identity = before;
    };
  }

  #changeIdentity(changes: Partial<StoredIdentity>): () => void {
    return this.#setIdentity(this.#identity && { ...this.#identity, ...changes });
  }

  #addCertificate(added: Pick<StoredCertificate, "certificateId" | "bytes" | "limitMinor">): () => void {
    const { certificateId, bytes, limitMinor } = added;
    if (this.#certificates.has(certificateId)) return () => {};
    const fresh = { certificateId, bytes, limitMinor, revoked: false, counter: NO_PAYMENTS, closing: undefined };
    this.#setCertificate(certificateId, fresh);
    return () => this.#setCertificate(certificateId, undefined);
  }

  #changeCertificate(
    id: CertificateId,
    change: (certificate: StoredCertificate) => Partial<StoredCertificate>,
  ): () => void {
    const before = this.#certificates.get(id);
    if (before === undefined) return () => {};
    this.#setCertificate(id, { ...before, ...change(before) });
    return () => this.#setCertificate(id, before);
  }

  #changeClosing(id: CertificateId, change: (closing: StoredClosing) => Partial<StoredClosing>): () => void {
    return this.#changeCertificate(id, ({ closing }) =>
      closing === undefined ? {} : { closing: { ...closing, ...change(closing) } },
    );
  }

  /** The chain's counter moves with the payment, in the same step. */
  #addPayment(payment: StoredPayment): () => void {
    const { paymentId, certificateId, sequence, spentMinor, requestId } = payment;
    this.#setPayment(paymentId, payment);
    if (requestId !== undefined) this.#paymentOfRequest.set(requestId, paymentId);
    const undoCounter = this.#changeCertificate(certificateId, ({ counter }) => ({
      counter: { sequence, spentMinor, lastPaymentId: paymentId, unsignedPayments: counter.unsignedPayments + 1 },
    }));
    return () => {
      undoCounter();
      this.#setPayment(paymentId, undefined);
      if (requestId !== undefined) this.#paymentOfRequest.delete(requestId);
    };
  }

  #sign(paymentId: MessageId, signed: Uint8Array): () => void {
    const before = this.#payments.get(paymentId);
    if (before === undefined || before.signed !== undefined) return () => {};
    const undoPayment = this.#changePayment(paymentId, () => ({ signed }));
    const undoCounter = this.#changeCertificate(before.certificateId, ({ counter }) => ({
      counter: { ...counter, unsignedPayments: counter.unsignedPayments - 1 },
    }));
    return () => {
      undoCounter();
      undoPayment();
    };
  }

  #changePayment(id: MessageId, change: (payment: StoredPayment) => Partial<StoredPayment>): () => void {
    const before = this.#payments.get(id);
    if (before === undefined) return () => {};
    this.#setPayment(id, { ...before, ...change(before) });
    return () => this.#setPayment(id, before);
  }

  #setPayment(id: MessageId, payment: StoredPayment | undefined): void {
    if (payment === undefined) this.#payments.delete(id);
    else this.#payments.set(id, payment);
    if (payment === undefined || (payment.outcome !== undefined && isLastWord(payment.outcome.state)))
      this.#unfinished.delete(id);
    else this.#unfinished.set(id, payment);
  }

  #setCertificate(id: CertificateId, certificate: StoredCertificate | undefined): void {
    if (certificate === undefined) this.#certificates.delete(id);
    else this.#certificates.set(id, certificate);
    this.#certificateList = undefined;
  }
}

function isLastWord(state: string): boolean {
  return state === "settled" || state === "refused" || state === "released";
}
