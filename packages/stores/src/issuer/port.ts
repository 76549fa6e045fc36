import type { AccountNumber, AccountView, CertificateView, DeviceView, Partition } from "@cairn/issue";
import type {
  CertificateId,
  Currency,
  DeviceId,
  KeyProtection,
  MessageId,
  PayeeCertificateId,
  PayeeId,
  RequestHash,
  TerminalId,
} from "@cairn/messages";
import type {
  ClosingFacts,
  ConflictProof,
  Funding,
  LedgerEntry,
  PaymentState,
  SettlementItem,
  SettlementOutcome,
  SettlementResult,
  SettlementState,
} from "@cairn/settle";
import type { KeptPort } from "./kept-port.ts";
import type { EntrySeal } from "./ledger-text.ts";
import type { MovementsPort } from "./movements-port.ts";
import type { ReconciliationPort } from "./reconciliation-port.ts";
import type { StoreError } from "./store-error.ts";

export type BooksReading = {
  /** Told now and then how far it is. */
  readonly progress?: ((line: string) => void) | undefined;
  /** Ends it between two pages. */
  readonly signal?: AbortSignal | undefined;
};

/**
 * The issuer's durable state. Every write is one transaction, durable when the promise resolves. Decisions are handed
 * in as pure synchronous functions and run under the lock of the account's partition, so that nothing can move
 * between looking and writing. Implementations: memory, SQLite, PostgreSQL. Conformance suite: test/issuer-store.suite.ts.
 * Amounts are minor units of the account's currency, times are seconds since 1970, ids are lower-case hexadecimal text.
 * Misuse (an account, device, payee or certificate that is not there) throws a `StoreError`.
 */
export interface IssuerStore extends MovementsPort, ReconciliationPort, KeptPort {
  close(): Promise<void>;
  /** Resolves, if ever, when this store can do nothing more (STORE_LOST) until it is opened anew, best in a new process. */
  lost(): Promise<StoreError>;

  // --- accounts and their money
  createAccount(input: NewAccount): Promise<AccountNumber>;
  account(account: AccountNumber): Promise<AccountRecord | undefined>;
  accounts(): Promise<readonly AccountRecord[]>;
  setAccountStatus(account: AccountNumber, status: AccountRecord["status"]): Promise<void>;
  setCredit(
    account: AccountNumber,
    credit: {
      lineMinor: bigint;
      overdueMinor: bigint;
      scoreBand: AccountView["credit"]["scoreBand"];
      informedAt: number;
    },
  ): Promise<void>;
  /**
   * Posts a top-up: repays used credit first (and so what is overdue of it), the rest goes to the balance. Same key,
   * same answer; same key with another amount: `key-reused`.
   */
  topUp(input: {
    account: AccountNumber;
    amountMinor: bigint;
    idempotencyKey: string;
    at: number;
  }): Promise<"posted" | "repeated" | "key-reused">;

  /**
   * Closes the statement of every account whose last one, or whose opening, is `everySeconds` ago: what is used and was
   * not asked for before becomes due `dueAfterSeconds` later. Takes at most `limit` of them, so that nobody else waits
   * long: as many in `closed` means that there may be more. `asked`: how many have something new to repay.
   */
  closeStatements(input: {
    readonly at: number;
    readonly everySeconds: number;
    readonly dueAfterSeconds: number;
    readonly limit: number;
  }): Promise<{ readonly closed: number; readonly asked: number }>;

  // --- devices, payees, terminals
  /** Of a one-time code only a hash is kept, under a secret that the store does not have. */
  createEnrolmentCode(input: EnrolmentCode): Promise<"created" | "exists">;
  /** Takes away the codes of one partition that expired before then and enrolled nobody. Gives how many. */
  forgetExpiredCodes(input: { readonly partition: Partition; readonly before: number }): Promise<number>;
  /** Uses a code up and enrols, in one transaction; the same key with the same code again gives the same answer (a lost reply). */
  enrolDevice(input: {
    codeHash: string;
    deviceId: DeviceId;
    publicKey: Uint8Array;
    protection: KeyProtection;
    label: string;
    at: number;
  }): Promise<DeviceRecord | EnrolmentFailure>;
  enrolTerminal(input: {
    codeHash: string;
    terminalId: TerminalId;
    publicKey: Uint8Array;
    label: string;
    at: number;
  }): Promise<TerminalRecord | EnrolmentFailure>;
  device(deviceId: DeviceId): Promise<DeviceRecord | undefined>;
  terminal(terminalId: TerminalId): Promise<TerminalRecord | undefined>;
  /** Every device that was ever enrolled for the account, in the order of enrolment. */
  devicesOf(account: AccountNumber): Promise<readonly DeviceRecord[]>;
  /** Every terminal that was ever enrolled for the payee, in the order of enrolment. */
  terminalsOf(payeeId: PayeeId): Promise<readonly TerminalRecord[]>;
  setDeviceStatus(deviceId: DeviceId, status: DeviceRecord["status"]): Promise<void>;
  setTerminalStatus(terminalId: TerminalId, status: TerminalRecord["status"]): Promise<void>;
  createPayee(payee: PayeeRecord): Promise<"created" | "exists">;
  payee(payeeId: PayeeId): Promise<PayeeRecord | undefined>;
  payees(): Promise<readonly PayeeRecord[]>;
  /** Keeps every payee certificate; the one issued last is the terminal's current one. */
  recordPayeeCertificate(input: {
    payeeCertificateId: PayeeCertificateId;
    terminalId: TerminalId;
    bytes: Uint8Array;
    issuedAt: number;
    expiresAt: number;
  }): Promise<void>;
  /** A payee certificate as it was recorded, current or not; undefined when none by this id was issued for this payee. */
  payeeCertificate(payeeId: PayeeId, payeeCertificateId: PayeeCertificateId): Promise<Uint8Array | undefined>;

  // --- issuing
  /**
   * Runs `decide` on the account, its devices and certificates, and writes what it prepared before any key is touched.
   * The serial (per account) and the status index (global, gaps allowed) are reserved for this call. The certificate
   * counts as issued from here on, signed or not.
   */
  prepareCertificate<Result>(
    account: AccountNumber,
    deviceId: DeviceId,
    decide: (view: IssuanceView) => { result: Result; prepared?: PreparedCertificate | undefined },
  ): Promise<Result>;
  /** Stores the signed bytes of a prepared certificate. */
  recordIssued(certificateId: CertificateId, bytes: Uint8Array): Promise<void>;
  certificate(certificateId: CertificateId): Promise<CertificateRecord | undefined>;
  certificatesOf(account: AccountNumber): Promise<readonly CertificateRecord[]>;
  /** Of these certificates of one partition those that were prepared here, and which message each is. */
  certificateMessages(
    partition: Partition,
    certificateIds: readonly CertificateId[],
  ): Promise<ReadonlyMap<CertificateId, MessageId>>;
  /**
   * The device's signed last word (a proven conflict withdraws all certificates of its device key). The first one counts. One that says something else is kept and proves a conflict; so
   * does a first one when a payment that is already known lies beyond it (the answer is `recorded` all the same).
   */
  recordClosing(
    certificateId: CertificateId,
    closing: ClosingFacts & { bytes: Uint8Array; closedAt: number },
  ): Promise<"recorded" | "repeated" | "differs" | "unknown-certificate">;
  revokeCertificate(
    certificateId: CertificateId,
    at: number,
    reason: string,
  ): Promise<"revoked" | "repeated" | "unknown-certificate">;
  /**
   * Takes a mistaken revocation back. Not where a conflict was proven for the certificate's device key, resolved or not:
   * a key that was copied stays copied.
   */
  restoreCertificate(
    certificateId: CertificateId,
    at: number,
  ): Promise<"restored" | "not-revoked" | "in-conflict" | "unknown-certificate">;
  /**
   * Indices of the revoked certificates in rising order, and one above the highest index ever given out. Those expired
   * before `expiresFrom` are left out.
   */
  revokedIndices(filter?: {
    readonly expiresFrom: number;
  }): Promise<{ readonly revoked: readonly number[]; readonly size: number }>;

  // --- inbox and settlement
  /** Keeps uploaded records, durable before the terminal is told "received". The same record again changes nothing. */
  receive(records: readonly InboxRecord[]): Promise<void>;
  /**
   * The oldest records not settled yet of one partition; the partitions take turns. What was taken stays in the inbox
   * until `settle` marks it done: asking again first may give it again.
   */
  takeBatch(limit: number, choice?: BatchChoice): Promise<InboxBatch | undefined>;
  /**
   * Leaves records in the inbox that could not be looked at for a fault of the server's own. `takeBatch` gives them
   * again when its `now` has reached `until`, seconds since 1970. Records that are done stay done.
   */
  postpone(input: {
    readonly partition: Partition;
    readonly inboxIds: readonly number[];
    readonly until: number;
  }): Promise<void>;
  /** How many records wait, postponed ones included. */
  waitingRecords(): Promise<number>;
  /**
   * The payee's signed void of its own request, the caller having checked that it is. A payment for the request that is
   * known from the payer alone is released by the next `releaseOverdue`; an acceptance uploaded later is refused.
   */
  recordVoid(requestVoid: RequestVoidRecord): Promise<"recorded" | "repeated">;
  /**
   * Loads what the items touch, runs the pure decision, writes all of its result and marks the records done, in one
   * transaction. All items must be of the partition.
   */
  settle(input: {
    partition: Partition;
    records: readonly InboxRecord[];
    items: readonly SettlementItem[];
    decide: (state: SettlementState, items: readonly SettlementItem[]) => SettlementResult;
    /**
     * Records that could not even become items (malformed, unknown certificate): kept with their code. They say nothing
     * about the payment that they name: no payment and no outcome is written for it.
     */
    rejected: readonly {
      readonly record: InboxRecord;
      readonly paymentId: MessageId | undefined;
      readonly code: string;
      readonly sentence: string;
    }[];
    at: number;
    /** An operator's decision on payments that are known: made beside the worker whose turn the partition is. */
    withoutLease?: boolean;
  }): Promise<readonly SettlementOutcome[]>;
  /**
   * What is known of these payments, in any order; those unknown are left out. Without a viewer: each payment's own
   * outcome. A payee sees the answer to its own claim (this terminal's before its other terminals'), to which a rejected
   * record of its own counts; an account sees its own payments; both see nothing of others'. `received` while only the
   * inbox knows of it.
   */
  outcomes(paymentIds: readonly MessageId[], viewer?: OutcomeViewer): Promise<readonly StoredOutcome[]>;
  /** Outcomes of a certificate's payments, for the wallet. */
  outcomesOfCertificate(certificateId: CertificateId): Promise<readonly StoredOutcome[]>;
  /** Every record that named this payment, settled, rejected or waiting, oldest first. */
  evidence(paymentId: MessageId): Promise<readonly EvidenceRecord[]>;
  /**
   * Pending payments of certificates that expired before `before` (now less the upload deadline), and those whose
   * request is voided, become `released`. Gives how many.
   */
  releaseOverdue(input: { before: number; at: number }): Promise<number>;
  conflicts(): Promise<readonly ConflictRecord[]>;
  resolveConflicts(account: AccountNumber, at: number): Promise<number>;
  /** Payments, and claims beside settled payments, that wait for a person. */
  heldPayments(): Promise<readonly StoredOutcome[]>;

  // --- books
  /** In the order in which they were posted. `after`: an entry id. */
  entries(filter: {
    account?: AccountNumber;
    payeeId?: PayeeId;
    after?: number;
    limit: number;
  }): Promise<readonly StoredEntry[]>;
  /** Sum of every ledger account, from the entries themselves. */
  trialBalance(): Promise<
    readonly { readonly ledgerAccount: string; readonly currency: Currency; readonly minor: bigint }[]
  >;
  /**
   * Recomputes every kept balance from the entries; checks that each entry sums to zero and that entries, payments and
   * certificates tell the same story. No faults: the books are sound.
   */
  verifyBooks(reading?: BooksReading): Promise<{ readonly entries: number; readonly faults: readonly string[] }>;

  /** From now on every entry that settles no payment is posted together with its seal. */
  sealEntriesWith(seal: EntrySeal): void;

  // --- freshness of signed calls
  /**
   * True the first time, false for ever after. It is remembered some minutes beyond `expiresAt`, as clocks differ.
   * @param mayForget Whether those that are past that may be forgotten by `now`. Default: they may.
   */
  useNonce(nonce: string, expiresAt: number, now: number, mayForget?: boolean): Promise<boolean>;
}

export type NewAccount = { readonly name: string; readonly currency: Currency; readonly createdAt: number };
export type AccountRecord = AccountView & { readonly name: string; readonly createdAt: number };
export type EnrolmentCode = {
  readonly codeHash: string;
  readonly for:
    | { readonly account: AccountNumber; readonly replacesDeviceId?: DeviceId | undefined }
    | { readonly payeeId: PayeeId };
  readonly expiresAt: number;
};
/** `key-known`: this key was enrolled before by another code. One key is one device or one terminal, for ever. */
export type EnrolmentFailure = "code-unknown" | "code-used" | "code-expired" | "key-known";
export type DeviceRecord = DeviceView & {
  readonly account: AccountNumber;
  readonly publicKey: Uint8Array;
  readonly label: string;
  readonly enrolledAt: number;
};
export type TerminalRecord = {
  readonly terminalId: TerminalId;
  readonly payeeId: PayeeId;
  readonly publicKey: Uint8Array;
  readonly label: string;
  readonly enrolledAt: number;
  readonly status: "active" | "frozen";
  readonly payeeCertificate: Uint8Array | undefined;
};
export type PayeeRecord = {
  readonly payeeId: PayeeId;
  readonly name: string;
  readonly currency: Currency;
  readonly perPaymentCapMinor: bigint;
  readonly storedTotalCapMinor: bigint;
  readonly perCertificateCapMinor: bigint;
  readonly maximumOfflineSeconds: number;
  readonly createdAt: number;
};
export type IssuanceView = {
  readonly account: AccountRecord;
  readonly device: DeviceView;
  /** All of the account's certificates, oldest first: which of them still count is for the decision to say. One left out is granted twice. */
  readonly certificates: readonly CertificateRecord[];
  readonly nextSerial: number;
  readonly statusIndex: number;
  readonly partition: Partition;
};
export type PreparedCertificate = {
  readonly certificateId: CertificateId;
  readonly serial: number;
  readonly statusIndex: number;
  readonly deviceId: DeviceId;
  readonly messageId: MessageId;
  readonly toBeSigned: Uint8Array;
  readonly limitMinor: bigint;
  readonly perPaymentCapMinor: bigint;
  /** The account's offline allowance at this decision: `LimitComputation.allowanceMinor`. */
  readonly allowanceMinor: bigint;
  /** What of the limit is held on the balance, and whether it was only asked for ahead: see CertificateView. */
  readonly heldMinor: bigint;
  readonly issuedAhead: boolean;
  readonly protection: KeyProtection;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** The decision with its computation, as JSON: why this certificate, why this limit. */
  readonly explanation: string;
};
export type CertificateRecord = CertificateView & {
  readonly account: AccountNumber;
  readonly serial: number;
  readonly statusIndex: number;
  readonly perPaymentCapMinor: bigint;
  readonly messageId: MessageId;
  /** Sig_structure, as prepared: what is signed again after a crash before the signature. */
  readonly toBeSigned: Uint8Array;
  readonly revocationReason: string | undefined;
  /** Every revocation and restoration, the oldest first. */
  readonly changes: readonly CertificateChange[];
  /** Undefined while prepared but not signed yet. */
  readonly bytes: Uint8Array | undefined;
  readonly explanation: string;
  readonly conflict: ConflictProof | undefined;
};
export type CertificateChange = {
  readonly change: "revoked" | "restored";
  readonly at: number;
  /** Of a revocation; "" of a restoration. */
  readonly reason: string;
};
export type InboxRecord = {
  /** Position in the inbox; 0 before it was received. */
  readonly inboxId: number;
  /** SHA-256 of the record's bytes and who sent it: the same record twice is one record. */
  readonly recordHash: string;
  readonly partition: Partition;
  readonly broughtBy: "terminal" | "payer";
  readonly senderId: TerminalId | DeviceId;
  /** The payment that the record claims to carry, by strict decoding alone; undefined for a void and for malformed bytes. */
  readonly paymentId: MessageId | undefined;
  readonly bytes: Uint8Array;
  readonly receivedAt: number;
  /**
   * What whoever took the record in read its bytes as. No store looks at it or writes it down: one that keeps a record
   * ready for its batch keeps this with it.
   */
  readonly decoded?: object | undefined;
};
export type InboxBatch = { readonly partition: Partition; readonly records: readonly InboxRecord[] };
export type BatchChoice = {
  /** Partitions whose batch is being settled at the moment. */
  readonly except?: ReadonlySet<Partition>;
  /** Seconds since 1970: what is postponed beyond it is left out. Without it nothing is. */
  readonly now?: number;
};
export type RequestVoidRecord = {
  readonly requestHash: RequestHash;
  readonly payeeId: PayeeId;
  readonly terminalId: TerminalId;
  readonly bytes: Uint8Array;
  readonly receivedAt: number;
};
export type OutcomeViewer =
  | { readonly payeeId: PayeeId; readonly terminalId: TerminalId }
  | { readonly account: AccountNumber };
/** An inbox record with what became of it: `code` when it was rejected, undefined when it was judged as a payment or still waits. */
export type EvidenceRecord = InboxRecord & {
  readonly decidedAt: number | undefined;
  readonly code: string | undefined;
  readonly sentence: string | undefined;
};
export type StoredOutcome = {
  readonly paymentId: MessageId;
  readonly certificateId: CertificateId | undefined;
  readonly account: AccountNumber | undefined;
  readonly payeeId: PayeeId | undefined;
  readonly terminalId: TerminalId | undefined;
  readonly state: PaymentState | "received";
  readonly code: string | undefined;
  readonly sentence: string;
  readonly amountMinor: bigint;
  readonly takenMinor: bigint;
  readonly currency: Currency | undefined;
  readonly funding: Funding | undefined;
  readonly decidedAt: number;
};
export type ConflictRecord = ConflictProof & {
  readonly account: AccountNumber;
  readonly firstBytes: Uint8Array;
  readonly secondBytes: Uint8Array;
  readonly resolvedAt: number | undefined;
};
export type StoredEntry = LedgerEntry & { readonly entryId: number; readonly partition: Partition };
