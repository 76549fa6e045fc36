import {
  CLOCK_SKEW_SECONDS,
  MAXIMUM_OPEN_PAYMENT_VALIDITY_SECONDS,
  MAXIMUM_REQUEST_VALIDITY_SECONDS,
  OPEN_PAYMENT_CLOCK_TOLERANCE_SECONDS,
  PAYMENT_CLOCK_TOLERANCE_SECONDS,
} from "./bounds.ts";
import { type Refusal, refusal } from "./codes.ts";
import { type MessageId, requestHashOf } from "./identifiers.ts";
import type { OpenPayment } from "./open-payment.ts";
import type { PayeeCertificate } from "./payee-certificate.ts";
import type { Capture } from "./payee-statements.ts";
import type { ChainLink, Payment } from "./payment.ts";
import type { PaymentRequest } from "./payment-request.ts";
import type { UserCertificate } from "./user-certificate.ts";

/**
 * The rules that payer, payee and issuer all apply, each to what it holds, so that a terminal never accepts what the
 * server later refuses. Pure; the order of checks is the order of precedence. Spec: docs/spec/refusals.md.
 *
 * Times here are times written in signed messages: the payee's clock (request, capture) decides, because it is the
 * only one that both the terminal and, much later, the server can see.
 */

/** What payer, payee and issuer ask of a payment request. `at`: by the checker's clock; the server uses the request's own time. */
export function refuseRequest(
  input: { readonly payeeCertificate: PayeeCertificate; readonly request: PaymentRequest },
  at: number,
): Refusal | undefined {
  const { payeeCertificate, request } = input;
  if (request.payeeCertificateId !== payeeCertificate.payeeCertificateId) return refusal("PAYEE_CERTIFICATE_MISMATCH");
  const certificateRefusal = refusePayeeCertificate(payeeCertificate, request.issuedAt);
  if (certificateRefusal !== undefined) return certificateRefusal;
  if (request.currency !== payeeCertificate.terms.currency) return refusal("CURRENCY_MISMATCH");
  if (request.amountMinor === 0n) return refusal("AMOUNT_ZERO");
  if (request.amountMinor > payeeCertificate.terms.perPaymentCapMinor) return refusal("AMOUNT_OVER_PAYEE_CAP");
  if (request.expiresAt - request.issuedAt > MAXIMUM_REQUEST_VALIDITY_SECONDS)
    return refusal("REQUEST_VALIDITY_TOO_LONG");
  if (request.issuedAt > at + CLOCK_SKEW_SECONDS) return refusal("REQUEST_NOT_YET_VALID");
  if (request.expiresAt < at) return refusal("REQUEST_EXPIRED");
  return undefined;
}

export function refusePayeeCertificate(certificate: PayeeCertificate, at: number): Refusal | undefined {
  if (certificate.issuedAt > at + CLOCK_SKEW_SECONDS) return refusal("PAYEE_CERTIFICATE_NOT_YET_VALID");
  if (certificate.expiresAt < at) return refusal("PAYEE_CERTIFICATE_EXPIRED");
  return undefined;
}

export function refuseUserCertificate(certificate: UserCertificate, at: number): Refusal | undefined {
  if (certificate.issuedAt > at + CLOCK_SKEW_SECONDS) return refusal("CERTIFICATE_NOT_YET_VALID");
  if (certificate.expiresAt < at) return refusal("CERTIFICATE_EXPIRED");
  return undefined;
}

/** Amount, cap, running total and limit: what one link of the chain must satisfy by itself. */
export function refuseChainLink(certificate: UserCertificate, link: ChainLink): Refusal | undefined {
  if (link.certificateId !== certificate.certificateId) return refusal("CERTIFICATE_MISMATCH");
  if (link.amountMinor === 0n) return refusal("AMOUNT_ZERO");
  if (link.amountMinor > certificate.terms.perPaymentCapMinor) return refusal("AMOUNT_OVER_CERTIFICATE_CAP");
  if (link.sequence === 0 || link.spentMinor < link.amountMinor) return refusal("SPENT_INCONSISTENT");
  if (link.spentMinor > certificate.terms.limitMinor) return refusal("LIMIT_EXCEEDED");
  return undefined;
}

export type TwoWayPayment = {
  readonly certificate: UserCertificate;
  readonly payment: Payment;
  readonly payeeCertificate: PayeeCertificate;
  readonly request: PaymentRequest;
  readonly requestId: MessageId;
};

/** Whether a payment conforms to its request and both certificates. Revocation and history are the caller's to add. */
export function refuseTwoWayPayment(input: TwoWayPayment): Refusal | undefined {
  const { certificate, payment, payeeCertificate, request, requestId } = input;
  if (payment.requestHash !== requestHashOf(requestId)) return refusal("REQUEST_MISMATCH");
  return (
    refuseRequest({ payeeCertificate, request }, request.issuedAt) ??
    refuseUserCertificate(certificate, request.issuedAt) ??
    refuseUserCertificate(certificate, payment.issuedAt) ??
    refuseCurrency(certificate, payeeCertificate) ??
    refuseRequestedAmount(payment, request) ??
    refuseClocks(payment, request) ??
    refuseChainLink(certificate, payment)
  );
}

export type CapturedPayment = {
  readonly certificate: UserCertificate;
  readonly payment: OpenPayment;
  readonly paymentId: MessageId;
  readonly payeeCertificate: PayeeCertificate;
  readonly capture: Capture;
};

/** Whether an open payment and its capture conform. The capture's time is when the payee accepted the payment. */
export function refuseCapturedPayment(input: CapturedPayment): Refusal | undefined {
  const { payment, paymentId, payeeCertificate, capture } = input;
  if (capture.paymentId !== paymentId) return refusal("CAPTURE_MISMATCH");
  if (capture.payeeCertificateId !== payeeCertificate.payeeCertificateId) return refusal("PAYEE_CERTIFICATE_MISMATCH");
  const offer = refuseOpenPayment(input, capture.issuedAt);
  if (offer !== undefined) return offer;
  if (capture.amountMinor > payment.amountMinor) return refusal("CAPTURE_OVER_MAXIMUM");
  if (capture.amountMinor > payeeCertificate.terms.perPaymentCapMinor) return refusal("AMOUNT_OVER_PAYEE_CAP");
  return undefined;
}

/** Whether an open payment may be accepted by this payee at this time; the amount is fixed later by the capture. */
export function refuseOpenPayment(
  input: {
    readonly certificate: UserCertificate;
    readonly payment: OpenPayment;
    readonly payeeCertificate: PayeeCertificate;
  },
  at: number,
): Refusal | undefined {
  const { certificate, payment, payeeCertificate } = input;
  const early =
    refusePayeeCertificate(payeeCertificate, at) ??
    refuseUserCertificate(certificate, at) ??
    refuseUserCertificate(certificate, payment.issuedAt) ??
    refuseCurrency(certificate, payeeCertificate);
  if (early !== undefined) return early;
  if (payment.audience !== undefined && payment.audience !== payeeCertificate.payeeId)
    return refusal("AUDIENCE_MISMATCH");
  if (payment.expiresAt - payment.issuedAt > MAXIMUM_OPEN_PAYMENT_VALIDITY_SECONDS)
    return refusal("PAYMENT_VALIDITY_TOO_LONG");
  if (payment.issuedAt > at + OPEN_PAYMENT_CLOCK_TOLERANCE_SECONDS) return refusal("PAYMENT_NOT_YET_VALID");
  if (payment.expiresAt + OPEN_PAYMENT_CLOCK_TOLERANCE_SECONDS < at) return refusal("PAYMENT_EXPIRED");
  return refuseChainLink(certificate, payment);
}

function refuseCurrency(certificate: UserCertificate, payeeCertificate: PayeeCertificate): Refusal | undefined {
  return certificate.terms.currency === payeeCertificate.terms.currency ? undefined : refusal("CURRENCY_MISMATCH");
}

function refuseRequestedAmount(payment: Payment, request: PaymentRequest): Refusal | undefined {
  return payment.amountMinor === request.amountMinor ? undefined : refusal("AMOUNT_MISMATCH");
}

function refuseClocks(payment: Payment, request: PaymentRequest): Refusal | undefined {
  const apart = Math.abs(payment.issuedAt - request.issuedAt);
  return apart > PAYMENT_CLOCK_TOLERANCE_SECONDS ? refusal("PAYMENT_CLOCK_DIFFERS", `${apart} s`) : undefined;
}

/** The part of a payment that the conflict rule looks at. For an open payment the amount is its maximum. */
export type ChainPosition = Pick<ChainLink, "sequence" | "spentMinor" | "amountMinor">;

/**
 * Whether one honest device can have signed both of two different payments: one comes after the other, and its
 * running total leaves room for both. Pairwise compatible payments never add up to more than the highest running
 * total. Payments that are not compatible prove that the device was cloned, rolled back or its key taken.
 */
export function areCompatible(left: ChainPosition, right: ChainPosition): boolean {
  return follows(left, right) || follows(right, left);
}

/** Whether `later` leaves room for `earlier` and itself. A terminal asks this of the newest payment it accepted. */
export function follows(earlier: ChainPosition, later: ChainPosition): boolean {
  return earlier.sequence < later.sequence && earlier.spentMinor + later.amountMinor <= later.spentMinor;
}

/** A closing is the device's last word: whatever lies beyond it contradicts it. */
export function isBeyondClosing(
  link: ChainPosition,
  closing: { readonly sequence: number; readonly spentMinor: bigint },
): boolean {
  return link.sequence > closing.sequence || link.spentMinor > closing.spentMinor;
}
