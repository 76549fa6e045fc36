import type {
  CertificateId,
  ChainPosition,
  IssuerId,
  MessageId,
  PayeeCertificateId,
  RequestHash,
} from "@cairn/messages";
import type { Acceptance, AcceptanceState, PaymentAnswer, RefusedPayment, RequestRecord, Stored } from "./model.ts";

/** What a pure decision answers, and what is to be written for it, in one transaction. */
export type Decision<Result, Write> = { readonly result: Result; readonly write?: Write };

/** The encoded key and messages that a terminal holds from its issuer, all verified before they are stored. */
export type StoredSetup = {
  /** Encoded COSE_Key, pinned at enrolment. */
  readonly rootKey: Uint8Array;
  readonly trustList: Uint8Array;
  readonly statusList: Uint8Array;
  readonly payeeCertificate: Uint8Array;
  /** Who certified the payee: the terminal's own issuer. Undefined in journals from before there were several. */
  readonly issuerId: IssuerId | undefined;
  /** Other issuers of the same trust list that know this terminal, by id. */
  readonly guests: readonly StoredGuest[];
};

export type StoredGuest = {
  readonly issuerId: IssuerId;
  /** Where this issuer's uploads go. */
  readonly url: string;
  readonly statusList: Uint8Array;
};

export type PaymentReference = {
  readonly paymentId: MessageId;
  readonly certificateId: CertificateId;
  /** Of the request that the payment answers; open payments answer none. */
  readonly requestHash: RequestHash | undefined;
};

/** All that the decision on one payment looks at. */
export type AcceptanceView = {
  /** The same payment, accepted before. */
  readonly earlier: Acceptance | undefined;
  readonly request: RequestRecord | undefined;
  /** The accepted payment of this certificate with the highest sequence. */
  readonly newest: ChainPosition | undefined;
  /** All that was accepted of this certificate, uncaptured payments at their maximum, minor units. */
  readonly acceptedOfCertificateMinor: bigint;
  readonly stored: Stored;
  readonly refused: {
    /** This very payment is among the kept ones. */
    readonly isKept: boolean;
    readonly kept: number;
    readonly keptOfCertificate: number;
  };
};

/** `issuerTime`: the newest issuer-signed time seen; the journal keeps the highest. */
export type AcceptanceWrite = { readonly issuerTime: number } & (
  | { readonly kind: "accept"; readonly acceptance: Acceptance }
  | { readonly kind: "keep-refused"; readonly refused: RefusedPayment }
  /** Refused, beyond the bound of what is kept. */
  | { readonly kind: "count-refused" }
  /** Refused and kept already. */
  | { readonly kind: "time-only" }
);

/** Newest first; from `from` (inclusive) to `until` (exclusive), seconds since 1970. */
export type JournalFilter = { readonly from?: number; readonly until?: number; readonly limit: number };
export type TimeRange = Pick<JournalFilter, "from" | "until">;
export type Tally = { readonly state: AcceptanceState; readonly count: number; readonly totalMinor: bigint };

export type UploadEntries = {
  readonly payments: readonly {
    readonly acceptance: Acceptance;
    readonly payeeCertificate: Uint8Array;
    /** Undefined for open payments. */
    readonly request: Uint8Array | undefined;
  }[];
  readonly voids: readonly RequestRecord[];
};

/**
 * A terminal's durable memory. Every write is one atomic transaction and durable when its promise resolves. Decisions
 * are handed in as pure synchronous functions and run under the journal's lock, across processes too, so that nothing
 * can move between looking and writing. No record is ever deleted.
 * Implementations: memory, SQLite. Conformance suite: packages/stores/test/terminal-journal.suite.ts.
 */
export interface TerminalJournal {
  close(): Promise<void>;

  /** Cheap, asked before every step. `setupRevision` is 0 before enrolment; `issuerTime` as in {@link AcceptanceWrite}. */
  marks(): Promise<{ readonly setupRevision: number; readonly issuerTime: number }>;
  setup(): Promise<{ readonly revision: number; readonly setup: StoredSetup } | undefined>;
  /** Replaces the setup when it still is the one of `expectedRevision` (0: none yet); false, with nothing written, when another process was faster. */
  replaceSetup(
    setup: StoredSetup & { readonly payeeCertificateId: PayeeCertificateId },
    expectedRevision: number,
  ): Promise<boolean>;
  /** Every payee certificate that was ever part of the setup. */
  payeeCertificate(id: PayeeCertificateId): Promise<Uint8Array | undefined>;

  recordRequest(
    request: Pick<RequestRecord, "requestId" | "requestHash" | "request" | "payeeCertificateId" | "issuedAt">,
  ): Promise<void>;
  request(requestId: MessageId): Promise<RequestRecord | undefined>;
  /** The write is the time of the void. */
  decideVoid<Result>(
    requestId: MessageId,
    decide: (request: RequestRecord | undefined) => Decision<Result, { readonly voidedAt: number }>,
  ): Promise<Result>;
  /** Keeps the first signed form and answers with the one that is kept. */
  keepVoid(requestId: MessageId, requestVoid: Uint8Array): Promise<Uint8Array>;

  decideAcceptance<Result>(
    about: PaymentReference,
    decide: (view: AcceptanceView) => Decision<Result, AcceptanceWrite>,
  ): Promise<Result>;
  acceptance(paymentId: MessageId): Promise<Acceptance | undefined>;
  /** The write fixes what is taken, once. */
  decideCapture<Result>(
    paymentId: MessageId,
    decide: (acceptance: Acceptance | undefined) => Decision<Result, { readonly takenMinor: bigint }>,
  ): Promise<Result>;
  /** Keeps the first signed form and answers with the one that is kept. */
  keepCapture(paymentId: MessageId, capture: Uint8Array): Promise<Uint8Array>;

  /** Oldest first, payments before voids, together at most `limit`. Uncaptured payments are not among them. Every issuer hears of every void. */
  toUpload(options: {
    readonly limit: number;
    /** Undefined: the terminal's own issuer. */
    readonly guestIssuerId?: IssuerId | undefined;
    /** `unanswered`: what the server never acknowledged. `unsettled`: also what it acknowledged and has not settled. */
    readonly which: "unanswered" | "unsettled";
  }): Promise<UploadEntries>;
  /** Payments that the server acknowledged without a last word, longest unasked first. */
  toAsk(limit: number, guestIssuerId?: IssuerId): Promise<readonly MessageId[]>;
  /** Stores what `merge` makes of the answer held and the one offered (undefined: the server does not know the payment). Unknown ids are passed over. */
  recordAnswers(
    answers: readonly { readonly paymentId: MessageId; readonly answer: PaymentAnswer | undefined }[],
    merge: (held: PaymentAnswer | undefined, offered: PaymentAnswer | undefined) => PaymentAnswer | undefined,
  ): Promise<void>;
  recordVoidAnswers(requestIds: readonly MessageId[], answeredAt: number, guestIssuerId?: IssuerId): Promise<void>;

  stored(): Promise<Stored>;
  refusedCounts(): Promise<{ readonly kept: number; readonly notKept: number }>;
  acceptances(filter: JournalFilter): Promise<readonly Acceptance[]>;
  requests(filter: JournalFilter): Promise<readonly RequestRecord[]>;
  refusedPayments(filter: JournalFilter): Promise<readonly RefusedPayment[]>;
  /** Accepted payments by state. Totals: what the server credited where it settled, what is taken otherwise, the maximum while uncaptured. */
  tally(range: TimeRange): Promise<readonly Tally[]>;
}
