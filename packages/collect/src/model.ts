import type {
  AnyRefusalCode,
  CertificateId,
  ChainPosition,
  IssuerId,
  MessageId,
  PayeeCertificateId,
  RequestHash,
} from "@cairn/messages";

/** What the issuer's server said of an uploaded payment. `settled` is its last word; every other state may still change. */
export type PaymentAnswer = {
  readonly state: "received" | "pending" | "settled" | "refused" | "held" | "released";
  readonly code: string | undefined;
  readonly sentence: string | undefined;
  /** Credited to the payee, minor units; 0 unless settled. */
  readonly takenMinor: bigint;
  readonly answeredAt: number;
};

/** Why an accepted payment may not be paid without review, although everything about it is genuine. */
export type Risk =
  /** Accepted on an old status list, by the payee's own policy. */
  | "STATUS_LIST_STALE"
  /** More of one certificate than the payee's terms guarantee if its device turns out to be cloned. */
  | "PAYEE_CEILING_REACHED";

/** One accepted payment. For an open payment `amountMinor` is its maximum. Kept for ever. */
export type Acceptance = ChainPosition & {
  readonly paymentId: MessageId;
  readonly kind: "payment" | "open-payment";
  readonly certificateId: CertificateId;
  /** Who issued the certificate and settles the payment; undefined: the terminal's own issuer. */
  readonly guestIssuerId: IssuerId | undefined;
  readonly certificate: Uint8Array;
  readonly payment: Uint8Array;
  /** Under which request, capture and receipt stand. */
  readonly payeeCertificateId: PayeeCertificateId;
  readonly requestId: MessageId | undefined;
  readonly acceptedAt: number;
  readonly risk: Risk | undefined;
  /** What the payee takes, minor units; undefined while an open payment is not captured. */
  readonly takenMinor: bigint | undefined;
  /** The signed capture, once it was signed. Its content never depends on the signature. */
  readonly capture: Uint8Array | undefined;
  readonly answer: PaymentAnswer | undefined;
};

/** `stored` is accepted and not uploaded; the rest is the server's word. */
export type AcceptanceState = "uncaptured" | "stored" | PaymentAnswer["state"];

export function stateOf(acceptance: Pick<Acceptance, "takenMinor" | "answer">): AcceptanceState {
  if (acceptance.takenMinor === undefined) return "uncaptured";
  return acceptance.answer?.state ?? "stored";
}

/** Paid without review if the issuer keeps its terms: the terminal followed the rules with fresh enough lists. */
export function isGuaranteed(acceptance: Pick<Acceptance, "risk">): boolean {
  return acceptance.risk === undefined;
}

/** A request that this terminal made. Open until it is paid or voided, which exclude each other. */
export type RequestRecord = {
  readonly requestId: MessageId;
  readonly requestHash: RequestHash;
  readonly request: Uint8Array;
  readonly payeeCertificateId: PayeeCertificateId;
  /** The bytes of that certificate. */
  readonly payeeCertificate: Uint8Array;
  readonly issuedAt: number;
  readonly paidBy: MessageId | undefined;
  readonly voidedAt: number | undefined;
  /** The signed void, once it was signed. */
  readonly requestVoid: Uint8Array | undefined;
  /** When the server acknowledged the void. */
  readonly voidAnsweredAt: number | undefined;
};

/** A genuine payment that was turned away: evidence, never uploaded as accepted. */
export type RefusedPayment = {
  readonly paymentId: MessageId;
  readonly kind: "payment" | "open-payment";
  readonly certificateId: CertificateId;
  readonly amountMinor: bigint;
  readonly certificate: Uint8Array;
  readonly payment: Uint8Array;
  readonly code: AnyRefusalCode;
  readonly refusedAt: number;
};

/** Accepted payments that the server has not acknowledged, uncaptured ones at their maximum. */
export type Stored = { readonly count: number; readonly totalMinor: bigint };
