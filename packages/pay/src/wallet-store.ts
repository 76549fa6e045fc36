import type { CertificateId, Currency, MessageId } from "@cairn/messages";

/** Who this wallet is, and what it relies on. Written once at enrolment; the lists are replaced by newer ones. */
export type StoredIdentity = {
  /** 33 bytes, the compressed point of the device key. */
  readonly deviceKey: Uint8Array;
  /** Encoded COSE_Key, pinned for good. */
  readonly rootKey: Uint8Array;
  readonly issuerId: string;
  readonly issuerName: string;
  readonly currency: Currency;
  readonly trustList: Uint8Array;
  readonly statusList: Uint8Array;
  /** Seconds since 1970; the store keeps the highest ever written. */
  readonly newestSeen: number;
};

/** How far a certificate's chain has come: read from its last payment, never kept beside it. */
export type StoredCounter = {
  /** 0 without payments. */
  readonly sequence: number;
  readonly spentMinor: bigint;
  readonly lastPaymentId: MessageId | undefined;
  /** Payments that are durable but were never signed. */
  readonly unsignedPayments: number;
};

export type StoredClosing = {
  /** The closing under a signature of zeros: its content, so that signing again gives the same message. */
  readonly draft: Uint8Array;
  readonly signed: Uint8Array | undefined;
  /** The server has it. */
  readonly delivered: boolean;
};

export type StoredCertificate = {
  readonly certificateId: CertificateId;
  readonly bytes: Uint8Array;
  readonly limitMinor: bigint;
  /** The newest status list names it. */
  readonly revoked: boolean;
  readonly counter: StoredCounter;
  readonly closing: StoredClosing | undefined;
};

/** What the server last said of a payment. */
export type PaymentOutcome = {
  readonly state: "pending" | "settled" | "refused" | "held" | "released";
  readonly code: string | undefined;
  readonly sentence: string;
  /** What was taken, minor units. */
  readonly takenMinor: bigint;
  /** When the wallet heard it, seconds since 1970. */
  readonly heardAt: number;
};

/** One link of a certificate's chain. The row is payment and counter in one: decision 0010. */
export type StoredPayment = {
  readonly paymentId: MessageId;
  readonly kind: "payment" | "open-payment";
  readonly certificateId: CertificateId;
  readonly sequence: number;
  readonly amountMinor: bigint;
  readonly spentMinor: bigint;
  readonly preparedAt: number;
  /** Of two-way payments; no two payments have the same. */
  readonly requestId: MessageId | undefined;
  /** The payment under a signature of zeros: its content, durable before the key is touched. */
  readonly draft: Uint8Array;
  readonly signed: Uint8Array | undefined;
  /** It may have left the device. */
  readonly shown: boolean;
  readonly request: Uint8Array | undefined;
  /** Of the request; for an open payment of the receipt, absent without one. */
  readonly payeeCertificate: Uint8Array | undefined;
  readonly receipt: Uint8Array | undefined;
  readonly requestVoid: Uint8Array | undefined;
  readonly outcome: PaymentOutcome | undefined;
};

/** Which payments a decision looks at. `unfinished`: those without a last word of the server. */
export type PaymentSelection =
  | { readonly kind: "none" }
  | { readonly kind: "all" }
  | { readonly kind: "unfinished" }
  | { readonly kind: "unshown-open" }
  | { readonly kind: "of-request"; readonly requestId: MessageId }
  | { readonly kind: "ids"; readonly paymentIds: readonly MessageId[] };

/** The wallet at one moment, under the store's lock. Payments in the order in which they were made. */
export type StoredWallet = {
  readonly identity: StoredIdentity | undefined;
  /** In the order in which they were received. */
  readonly certificates: readonly StoredCertificate[];
  readonly payments: readonly StoredPayment[];
};

/** A change. Where something is kept already, the first stays: signatures, receipts, voids, certificates. */
export type WalletWrite =
  | { readonly kind: "identity"; readonly identity: StoredIdentity }
  | { readonly kind: "trust-list"; readonly bytes: Uint8Array }
  | { readonly kind: "status-list"; readonly bytes: Uint8Array }
  | { readonly kind: "newest-seen"; readonly newestSeen: number }
  | {
      readonly kind: "certificate";
      readonly certificateId: CertificateId;
      readonly bytes: Uint8Array;
      readonly limitMinor: bigint;
    }
  | { readonly kind: "revoked"; readonly certificateId: CertificateId }
  | { readonly kind: "payment"; readonly payment: StoredPayment }
  | { readonly kind: "signature"; readonly paymentId: MessageId; readonly signed: Uint8Array }
  | { readonly kind: "shown"; readonly paymentId: MessageId }
  | { readonly kind: "closing"; readonly certificateId: CertificateId; readonly draft: Uint8Array }
  | { readonly kind: "closing-signature"; readonly certificateId: CertificateId; readonly signed: Uint8Array }
  | { readonly kind: "closing-delivered"; readonly certificateId: CertificateId }
  | {
      readonly kind: "receipt";
      readonly paymentId: MessageId;
      readonly receipt: Uint8Array;
      readonly payeeCertificate: Uint8Array;
    }
  | { readonly kind: "void"; readonly paymentId: MessageId; readonly requestVoid: Uint8Array }
  | { readonly kind: "outcome"; readonly paymentId: MessageId; readonly outcome: PaymentOutcome };

export type Decision<Result> = { readonly result: Result; readonly writes: readonly WalletWrite[] };

/**
 * A wallet's durable memory. Nothing is ever deleted from it, and the private key is not in it.
 * Implementations: memory, SQLite. Conformance suite: packages/stores/test/wallet-store.suite.ts.
 */
export interface WalletStore {
  /**
   * The one operation: shows the wallet to a pure, synchronous decision and writes what it answers, all of it or
   * nothing, durable when the promise resolves. Nobody else, in this process or another, looks or writes in between.
   * A decision that throws writes nothing.
   * @throws WalletStoreError WALLET_WRITE_REFUSED for a write that no honest wallet makes (see `refuseWrite`), whatever
   *   the decision thought.
   */
  commit<Result>(load: PaymentSelection, decide: (wallet: StoredWallet) => Decision<Result>): Promise<Result>;
  close(): Promise<void>;
}
