import {
  type MessageId,
  type PayeeCertificate,
  type PayeeId,
  type Payment,
  type PaymentRequest,
  refuseRequest,
  refuseTwoWayPayment,
  requestHashOf,
} from "@cairn/messages";
import { chooseCertificate } from "./choose-certificate.ts";
import { type Refused, refused, refusedFor } from "./codes.ts";
import type { HeldCertificate } from "./wallet.ts";

/** What a person said yes to: who, how much, for which request. */
export type Consent = { readonly requestId: MessageId; readonly payeeId: PayeeId; readonly amountMinor: bigint };

export type PaymentView = {
  readonly held: readonly HeldCertificate[];
  /** The payment that this wallet made for the same request. */
  readonly earlier: { readonly paymentId: MessageId; readonly voided: boolean; readonly released: boolean } | undefined;
};

export type PaymentWanted = {
  readonly request: PaymentRequest;
  readonly requestId: MessageId;
  readonly payeeCertificate: PayeeCertificate;
  readonly consent: Consent;
  /** By the wallet's own clock, seconds since 1970. */
  readonly now: number;
};

export type PaymentDecision =
  /** Make this content durable, then sign it. */
  | { readonly kind: "pay"; readonly content: Payment }
  /** The request was answered before: show that payment again. */
  | { readonly kind: "repeat"; readonly paymentId: MessageId }
  | Refused;

/**
 * Whether and how a request is paid. In this order: the consent is for this request; an earlier payment for it is
 * repeated, unless the payee has voided the request (REQUEST_VOIDED) or the payment was given back (PAYMENT_RELEASED);
 * the request holds at this moment; a certificate is valid, with cap and room; the payment passes the very rule that
 * terminal and server will apply. Spec: docs/spec/refusals.md, "Payer".
 */
export function decidePayment(view: PaymentView, wanted: PaymentWanted): PaymentDecision {
  const { request, requestId, payeeCertificate, now } = wanted;
  if (!isConsentFor(wanted)) return refused("CONSENT_MISMATCH");
  const { earlier } = view;
  if (earlier?.voided) return refused("REQUEST_VOIDED");
  if (earlier?.released) return refused("PAYMENT_RELEASED");
  if (earlier !== undefined) return { kind: "repeat", paymentId: earlier.paymentId };
  const early = refuseRequest({ payeeCertificate, request }, now);
  if (early !== undefined) return refusedFor(early);
  const { amountMinor, currency } = request;
  const choice = chooseCertificate(view.held, { currency, amountMinor, at: [now, request.issuedAt] });
  if (choice.kind === "refused") return choice;
  const { certificate, counter } = choice.held;
  const payment: Payment = {
    certificateId: certificate.certificateId,
    sequence: counter.sequence + 1,
    previous: counter.previous,
    amountMinor,
    spentMinor: counter.spentMinor + amountMinor,
    issuedAt: now,
    requestHash: requestHashOf(requestId),
  };
  const late = refuseTwoWayPayment({ certificate, payment, payeeCertificate, request, requestId });
  return late === undefined ? { kind: "pay", content: payment } : refusedFor(late);
}

function isConsentFor({ consent, request, requestId, payeeCertificate }: PaymentWanted): boolean {
  return (
    consent.requestId === requestId &&
    consent.payeeId === payeeCertificate.payeeId &&
    consent.amountMinor === request.amountMinor
  );
}
