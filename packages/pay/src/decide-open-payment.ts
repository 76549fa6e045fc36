import {
  type Amount,
  MAXIMUM_OPEN_PAYMENT_VALIDITY_SECONDS,
  type MessageId,
  type OpenPayment,
  type PayeeId,
} from "@cairn/messages";
import { chooseCertificate } from "./choose-certificate.ts";
import { type Refused, refused } from "./codes.ts";
import type { HeldCertificate } from "./wallet.ts";

export type OpenPaymentView = {
  readonly held: readonly HeldCertificate[];
  /** Open payments that are durable but were never shown. */
  readonly unshown: readonly { readonly paymentId: MessageId; readonly content: OpenPayment }[];
};

export type OpenPaymentWanted = {
  readonly maximum: Amount;
  /** The only payee that can capture it; without one, any payee. */
  readonly audience: PayeeId | undefined;
  readonly validitySeconds: number;
  /** By the wallet's own clock, seconds since 1970. */
  readonly now: number;
};

export type OpenPaymentDecision =
  | { readonly kind: "pay"; readonly content: OpenPayment }
  /** One that was interrupted before it was shown, with the same maximum, payee and validity, not yet expired. */
  | { readonly kind: "resume"; readonly paymentId: MessageId; readonly expiresAt: number }
  | Refused;

/**
 * Whether and how a maximum is reserved. Every call makes a new open payment, because each is for another gate; only
 * one that was interrupted before it could be shown is taken up again, so that a crash does not reserve twice.
 */
export function decideOpenPayment(view: OpenPaymentView, wanted: OpenPaymentWanted): OpenPaymentDecision {
  const { maximum, audience, validitySeconds, now } = wanted;
  if (maximum.minor === 0n) return refused("AMOUNT_ZERO");
  if (validitySeconds > MAXIMUM_OPEN_PAYMENT_VALIDITY_SECONDS) return refused("PAYMENT_VALIDITY_TOO_LONG");
  const interrupted = view.unshown.find(({ content }) => isSameWish(content, view, wanted));
  if (interrupted !== undefined) {
    return { kind: "resume", paymentId: interrupted.paymentId, expiresAt: interrupted.content.expiresAt };
  }
  const { currency, minor: amountMinor } = maximum;
  const choice = chooseCertificate(view.held, { currency, amountMinor, at: [now] });
  if (choice.kind === "refused") return choice;
  const { certificate, counter } = choice.held;
  const content: OpenPayment = {
    certificateId: certificate.certificateId,
    sequence: counter.sequence + 1,
    previous: counter.previous,
    amountMinor,
    spentMinor: counter.spentMinor + amountMinor,
    issuedAt: now,
    expiresAt: now + validitySeconds,
    ...(audience === undefined ? {} : { audience }),
  };
  return { kind: "pay", content };
}

/** A payment under a certificate that can no longer pay is not taken up: a terminal would refuse it. */
function isSameWish(content: OpenPayment, view: OpenPaymentView, wanted: OpenPaymentWanted): boolean {
  const { maximum, audience, validitySeconds, now } = wanted;
  const its = view.held.find(({ certificate }) => certificate.certificateId === content.certificateId);
  return (
    its !== undefined &&
    !its.closed &&
    !its.revoked &&
    its.certificate.expiresAt >= now &&
    its.certificate.terms.currency === maximum.currency &&
    content.amountMinor === maximum.minor &&
    content.audience === audience &&
    content.expiresAt - content.issuedAt === validitySeconds &&
    content.expiresAt >= now
  );
}
