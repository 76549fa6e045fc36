import {
  type ChainLink,
  follows,
  type IssuerId,
  isRevoked,
  type PayeeCertificate,
  type Refusal,
  refusal,
  type UserCertificate,
  type Verified,
} from "@cairn/messages";
import type { AcceptanceView, AcceptanceWrite, Decision } from "./journal.ts";
import type { Acceptance, RefusedPayment, Risk } from "./model.ts";
import { type CollectPolicy, MAXIMUM_REFUSED_KEPT, MAXIMUM_REFUSED_KEPT_PER_CERTIFICATE } from "./policy.ts";
import { refuseHeldStatusList, type Setup } from "./setup.ts";

/** What two-way and open payments have in common when they are offered. Pure. */

/** Signatures of issuer and device are verified, and the payment names the certificate. */
export type Offered<Content> = {
  readonly certificate: Verified<UserCertificate>;
  readonly payment: Verified<Content>;
  /** As in {@link Acceptance}. */
  readonly guestIssuerId: IssuerId | undefined;
};

export type AcceptanceTerms = {
  /** `statusList`: the one of the certificate's issuer. */
  readonly setup: Pick<Setup, "statusList" | "payeeCertificate">;
  readonly policy: CollectPolicy;
  readonly now: number;
};

export type AcceptanceDecision =
  | { readonly kind: "accepted"; readonly acceptance: Acceptance }
  | { readonly kind: "refused"; readonly refusal: Refusal; readonly earlier?: Acceptance };

export type DecidedAcceptance = Decision<AcceptanceDecision, AcceptanceWrite>;

/** Whatever has changed since, an accepted payment stays accepted, once. */
export function replayOf(earlier: Acceptance): DecidedAcceptance {
  return { result: { kind: "refused", refusal: refusal("PAYMENT_REPLAYED"), earlier } };
}

/** Withdrawn, or too old a list to know, unless the payee takes that risk. */
export function refuseByStatusList(
  certificate: UserCertificate,
  payee: PayeeCertificate,
  { setup, policy, now }: AcceptanceTerms,
): Refusal | undefined {
  if (isRevoked(setup.statusList.content, certificate.terms.statusIndex)) return refusal("CERTIFICATE_REVOKED");
  if (policy.whenStale === "at-own-risk") return undefined;
  return refuseHeldStatusList(setup.statusList.content, payee.terms, now);
}

/** The conflict rule against the newest payment accepted here, then the ceiling of what may be stored. */
export function refuseByJournal(
  link: ChainLink,
  view: AcceptanceView,
  { setup }: AcceptanceTerms,
): Refusal | undefined {
  // Comparing with the newest is enough: what follows it follows everything that it follows.
  if (view.newest !== undefined && !follows(view.newest, link)) return refusal("SEQUENCE_CONFLICT");
  const ceilingMinor = setup.payeeCertificate.content.terms.storedTotalCapMinor;
  if (view.stored.totalMinor + link.amountMinor > ceilingMinor) return refusal("STORED_TOTAL_REACHED");
  return undefined;
}

export function riskOf(
  takenMinor: bigint,
  payee: PayeeCertificate,
  view: AcceptanceView,
  { setup, now }: AcceptanceTerms,
): Risk | undefined {
  if (refuseHeldStatusList(setup.statusList.content, payee.terms, now) !== undefined) return "STATUS_LIST_STALE";
  const ofCertificateMinor = view.acceptedOfCertificateMinor + takenMinor;
  return ofCertificateMinor > payee.terms.perCertificateCapMinor ? "PAYEE_CEILING_REACHED" : undefined;
}

/** The part of an acceptance that comes from what was offered. */
export function offeredPart({ certificate, payment, guestIssuerId }: Offered<ChainLink>) {
  const { certificateId, sequence, spentMinor, amountMinor } = payment.content;
  return {
    paymentId: payment.messageId,
    certificateId,
    sequence,
    spentMinor,
    amountMinor,
    guestIssuerId,
    certificate: certificate.bytes,
    payment: payment.bytes,
  };
}

export function accepting(offered: Offered<ChainLink>, acceptance: Acceptance): DecidedAcceptance {
  const write: AcceptanceWrite = { kind: "accept", acceptance, issuerTime: offered.certificate.content.issuedAt };
  return { result: { kind: "accepted", acceptance }, write };
}

/** A genuine payment that is turned away is evidence, within bounds. */
export function turningAway(
  offered: Offered<ChainLink>,
  against: Refusal,
  view: AcceptanceView,
  about: { readonly kind: RefusedPayment["kind"]; readonly now: number },
): DecidedAcceptance {
  const issuerTime = offered.certificate.content.issuedAt;
  return { result: { kind: "refused", refusal: against }, write: { ...evidence(), issuerTime } };

  function evidence() {
    const { isKept, kept, keptOfCertificate } = view.refused;
    if (isKept) return { kind: "time-only" } as const;
    if (kept >= MAXIMUM_REFUSED_KEPT || keptOfCertificate >= MAXIMUM_REFUSED_KEPT_PER_CERTIFICATE) {
      return { kind: "count-refused" } as const;
    }
    const { paymentId, certificateId, amountMinor, certificate, payment } = offeredPart(offered);
    const refused: RefusedPayment = {
      paymentId,
      kind: about.kind,
      certificateId,
      amountMinor,
      certificate,
      payment,
      code: against.code,
      refusedAt: about.now,
    };
    return { kind: "keep-refused", refused } as const;
  }
}
