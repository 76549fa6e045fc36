import type {
  CertificateId,
  ChainHash,
  ChainPosition,
  Currency,
  MessageId,
  PayeeId,
  Refusal,
  RequestHash,
  TerminalId,
} from "@cairn/messages";
import type { OutcomeCode } from "./codes.ts";

/**
 * What settlement reads and writes. Everything here was verified before it came in: settlement decides, it does not
 * decode. Amounts are minor units of the certificate's currency.
 */

/**
 * How a payment can stand at the issuer. `settled` is final. So is `refused` for whoever was refused: the same word of
 * the same payee is never judged otherwise, but another payee's sound word for the same open payment still settles it.
 */
export type PaymentState =
  /** Known from the payer alone, without the payee's word. Evidence, no reason to pay. */
  | "pending"
  /** Posted in the ledger. */
  | "settled"
  /** Not conforming. Kept as evidence, nothing posted. */
  | "refused"
  /** Needs a person: nothing posted yet. */
  | "held"
  /** Given back to the payer: voided by the payee, or the deadline passed without an upload. */
  | "released";

/** The payee's word for a payment: its upload (with request or capture), or its receipt in the payer's hands. */
export type PayeeWord = {
  readonly payeeId: PayeeId;
  readonly terminalId: TerminalId;
  /** Ceiling of the payee certificate for one certificate in conflict. */
  readonly perCertificateCapMinor: bigint;
  /** From the payee certificate: how old the terminal's lists may be. */
  readonly maximumOfflineSeconds: number;
  /** When the payee accepted, by the payee's signed time (request, capture or receipt). */
  readonly acceptedAt: number;
  /** What the payee takes: the amount, or for an open payment what was captured. */
  readonly takenMinor: bigint;
};

/** One uploaded payment, verified, with its conformance already judged by the shared rules. */
export type SettlementItem = ChainPosition & {
  /** The inbox record that it came in. */
  readonly inboxId: number;
  readonly paymentId: MessageId;
  readonly kind: "payment" | "open-payment";
  readonly certificateId: CertificateId;
  readonly previous: ChainHash;
  /** Of the request that this answers; undefined for an open payment. */
  readonly requestHash: RequestHash | undefined;
  readonly receivedAt: number;
  /** Who brought it. A payer's copy without the payee's word never settles. */
  readonly broughtBy: "terminal" | "payer";
  readonly payeeWord: PayeeWord | undefined;
  /** The payee's signed void of the request that this payment answers. */
  readonly voided: boolean;
  /** What `refuseTwoWayPayment` or `refuseCapturedPayment` said. */
  readonly refusal: Refusal | undefined;
};

/** Who claims a payment, and for how much. One payment has one claim, unless several payees captured the same open payment. */
export type Claim = {
  readonly payeeId: PayeeId;
  readonly terminalId: TerminalId;
  /** What the payee says it took. */
  readonly claimedMinor: bigint;
};

/** A claim that did not become the payment's own outcome: evidence, with the answer that this claimant gets. */
export type SideClaim = Claim & { readonly state: "refused" | "held"; readonly code: OutcomeCode };

/** A payment of the certificate that the issuer already knows. Its device signature was verified, whatever its state. */
export type KnownPayment = ChainPosition & {
  readonly paymentId: MessageId;
  readonly kind: "payment" | "open-payment";
  readonly previous: ChainHash;
  readonly requestHash: RequestHash | undefined;
  readonly state: PaymentState;
  readonly code: OutcomeCode | undefined;
  /** Undefined while known from the payer alone. */
  readonly claim: Claim | undefined;
  /** Credited to the payee for this payment (0 unless settled). */
  readonly takenMinor: bigint;
  /** Where the credit came from; undefined unless settled. */
  readonly funding: Funding | undefined;
  readonly sideClaims: readonly SideClaim[];
};

export type ClosingFacts = { readonly sequence: number; readonly spentMinor: bigint; readonly messageId: MessageId };

export type ConflictKind =
  /** Not compatible by the conflict rule. */
  | "two-payments"
  /** Neighbours by number, but the later one names another predecessor or another running total. */
  | "broken-chain"
  /** `first` is the closing. */
  | "payment-beyond-closing"
  /** Two last words that differ. */
  | "two-closings";

/** Two messages of one certificate that no single honest device can have signed both. */
export type ConflictProof = {
  readonly certificateId: CertificateId;
  readonly first: MessageId;
  readonly second: MessageId;
  readonly kind: ConflictKind;
  readonly provenAt: number;
};

export type CertificateState = {
  readonly certificateId: CertificateId;
  /** Account number of the payer (opaque here). */
  readonly account: number;
  readonly currency: Currency;
  readonly limitMinor: bigint;
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly revokedAt: number | undefined;
  readonly closing: ClosingFacts | undefined;
  readonly conflict: ConflictProof | undefined;
  /** In any order. */
  readonly payments: readonly KnownPayment[];
  /**
   * True when `payments` leaves out some that do not matter as long as nothing contradicts anything: all but those with an
   * item's number, their neighbours by number, and those credited for an item's request. Default: false.
   */
  readonly isBrief?: boolean;
};

/** What the payer's account can give: balance first, then credit. */
export type AccountFunds = {
  readonly account: number;
  readonly balanceMinor: bigint;
  readonly creditAvailableMinor: bigint;
};

export type SettlementState = {
  readonly certificates: ReadonlyMap<CertificateId, CertificateState>;
  readonly funds: ReadonlyMap<number, AccountFunds>;
  /** Of the requests that the items and the known payments answer: those that their payee has voided. */
  readonly voidedRequests: ReadonlySet<RequestHash>;
};

export type SettlementPolicy = {
  /** How long after a certificate's expiry its payments may still be uploaded. */
  readonly uploadDeadlineSeconds: number;
};

/** Chart of accounts. Docs: docs/spec/ledger.md. */
export type LedgerAccount =
  /** What the issuer owes a payer: a liability, credit side. */
  | { readonly kind: "wallet"; readonly account: number }
  /** What a payer owes on the credit line: an asset, debit side. */
  | { readonly kind: "credit"; readonly account: number }
  /** What offline fraud has cost the issuer: an expense, debit side. */
  | { readonly kind: "loss-reserve" }
  /** What the issuer owes a payee, kept in the payer's partition until swept: a liability, credit side. */
  | { readonly kind: "clearing"; readonly payeeId: PayeeId }
  /** A payee's own account, in the payee's home partition: what is swept out of clearing. A liability, credit side. */
  | { readonly kind: "payee"; readonly payeeId: PayeeId }
  /** On its way to a payee's own account. Where it leaves: credit; at home: debit; the same total once it arrived. */
  | { readonly kind: "sweeping"; readonly payeeId: PayeeId; readonly from: number }
  /** On its way from one partition to another. Where it leaves: credit; where it arrives: debit. */
  | { readonly kind: "transit"; readonly from: number; readonly to: number }
  /** Payouts that are ordered and neither confirmed nor returned: a liability, credit side. */
  | { readonly kind: "payouts" }
  /** What payees paid for the service: an income, credit side. */
  | { readonly kind: "fees" }
  /** Money that came in or went out: an asset. Of one partition on either side, as money leaves elsewhere than it came. */
  | { readonly kind: "cash" };

/** One line of an entry. Debit positive, credit negative; the postings of an entry sum to zero. */
export type Posting = { readonly ledgerAccount: LedgerAccount; readonly minor: bigint };

/** Docs: docs/guides/books.md. */
export const ENTRY_KINDS = [
  "settlement",
  "top-up",
  "withdrawal",
  "transfer",
  "transfer-out",
  "transfer-in",
  "online-payment",
  "sweep",
  "sweep-out",
  "sweep-in",
  "fee",
  "payout",
  "payout-paid",
  "payout-returned",
  "refund",
  "refund-out",
  "received",
] as const;
export type EntryKind = (typeof ENTRY_KINDS)[number];

export type LedgerEntry = {
  /** What it is for; the same reference is never posted twice. */
  readonly reference: string;
  readonly kind: EntryKind;
  readonly currency: Currency;
  readonly postings: readonly Posting[];
  readonly postedAt: number;
};

export type Funding = { readonly balanceMinor: bigint; readonly creditMinor: bigint; readonly reserveMinor: bigint };

/** The answer to whoever brought one item. `repeated` says that it was known already and nothing changed. */
export type SettlementOutcome = {
  readonly paymentId: MessageId;
  readonly state: PaymentState;
  /** Why it is as it is: always there for refused, held and released, never for settled. */
  readonly code: OutcomeCode | undefined;
  readonly sentence: string;
  readonly takenMinor: bigint;
  readonly funding: Funding | undefined;
  readonly repeated: boolean;
};

/** A payment that is new or has changed. */
export type PaymentChange = {
  readonly certificateId: CertificateId;
  readonly payment: KnownPayment;
  /** The item that it was first known from; undefined when it was known before this batch. */
  readonly addedBy: SettlementItem | undefined;
  /** The position in `entries` of what pays it; undefined when this batch does not pay it. */
  readonly entry: number | undefined;
};

/** A claim to be kept beside the payment. */
export type NewSideClaim = {
  readonly certificateId: CertificateId;
  readonly paymentId: MessageId;
  readonly sideClaim: SideClaim;
};

/** What a batch changed of a certificate's exposure: to be added to what was settled and given back before. */
export type ExposureChange = {
  readonly certificateId: CertificateId;
  readonly settledMinor: bigint;
  readonly releasedMinor: bigint;
};

/** Everything that one transaction must write. */
export type SettlementResult = {
  /** One for each item, in the items' order. */
  readonly outcomes: readonly SettlementOutcome[];
  readonly entries: readonly LedgerEntry[];
  readonly payments: readonly PaymentChange[];
  readonly sideClaims: readonly NewSideClaim[];
  readonly exposures: readonly ExposureChange[];
  /** Newly proven conflicts: the certificate is to be revoked and the account's offline right frozen. */
  readonly conflicts: readonly ConflictProof[];
};
