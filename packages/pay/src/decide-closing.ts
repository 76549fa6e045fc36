import type { Closing } from "@cairn/messages";
import { roomOf } from "./choose-certificate.ts";
import type { HeldCertificate } from "./wallet.ts";

export type ClosingPolicy = {
  /** A certificate with less room than this share of its limit is used up, percent. */
  readonly usedUpBelowPercent: number;
};

/** Too little for most payments, so that giving the rest back costs the payer nothing even when no new certificate comes. */
export const DEFAULT_CLOSING_POLICY: ClosingPolicy = { usedUpBelowPercent: 5 };

/** `untrusted`: its issuer key was withdrawn, so that no terminal takes it any more. */
export type ClosingReason = "expired" | "used-up" | "untrusted" | "asked";

export type ClosingDecision =
  | { readonly kind: "close"; readonly content: Closing; readonly because: ClosingReason }
  /** `unsigned`: a payment is still to be signed; a closing must be the device's last word. */
  | { readonly kind: "keep"; readonly because: "closed" | "unsigned" | "in-use" };

export type ClosingInput = {
  readonly now: number;
  readonly asked: boolean;
  /** The trust list that the wallet holds names the key that signed the certificate. */
  readonly isTrusted: boolean;
  readonly policy: ClosingPolicy;
};

/**
 * Whether the device gives a certificate back in this sync: because it has expired, is used up, its issuer key was
 * withdrawn, or the user asks for a new one. Otherwise it stays in use until the next sync, and the issuer counts it beside a new one.
 * Decision: docs/decisions/0011-when-a-wallet-closes.md.
 */
export function decideClosing(held: HeldCertificate, input: ClosingInput): ClosingDecision {
  const { certificate, counter } = held;
  if (held.closed) return { kind: "keep", because: "closed" };
  const because = reasonToClose(held, input);
  if (because === undefined) return { kind: "keep", because: "in-use" };
  if (counter.unsignedPayments > 0) return { kind: "keep", because: "unsigned" };
  const { sequence, spentMinor, previous } = counter;
  const content = { certificateId: certificate.certificateId, sequence, spentMinor, previous, issuedAt: input.now };
  return { kind: "close", because, content };
}

function reasonToClose(
  held: HeldCertificate,
  { now, asked, isTrusted, policy }: ClosingInput,
): ClosingReason | undefined {
  const { expiresAt, terms } = held.certificate;
  if (expiresAt < now) return "expired";
  if (roomOf(held) * 100n < terms.limitMinor * BigInt(policy.usedUpBelowPercent)) return "used-up";
  if (!isTrusted) return "untrusted";
  return asked ? "asked" : undefined;
}
