import {
  type Amount,
  amount,
  type MessageId,
  type PayeeCertificate,
  type PayeeId,
  type PaymentRequest,
  paymentRequest,
  refuseRequest,
  type Verified,
} from "@cairn/messages";
import { type Refused, refusedFor } from "./codes.ts";
import type { Consent } from "./decide-payment.ts";
import { anchorsOf, type CodeInput, decodePayeeCode, verifyPayeeCode } from "./payee-code.ts";
import type { WalletPorts } from "./ports.ts";
import { readWallet } from "./wallet.ts";

/** A genuine request, and what a person must be shown before consent. */
export type RequestReview = {
  readonly kind: "request";
  readonly requestId: MessageId;
  readonly payeeId: PayeeId;
  /** As the issuer certified it: show it large. */
  readonly payeeName: string;
  readonly amount: Amount;
  readonly orderReference: string | undefined;
  /** Seconds since 1970. */
  readonly expiresAt: number;
  /** This wallet has answered the request before: paying again shows the same payment. */
  readonly answeredBefore: boolean;
  readonly request: Verified<PaymentRequest>;
  readonly payeeCertificate: Verified<PayeeCertificate>;
};

/**
 * Reads a payment request. In this order: the trust list is not out of date; strict decoding; payee certificate by
 * trust list; request belongs to it; request signature; the rules for requests at the wallet's own time. A request
 * that was answered before may be expired: its payment is only shown again.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function reviewRequest(ports: WalletPorts, code: CodeInput): Promise<RequestReview | Refused> {
  const { crypto } = ports;
  // Decoded before its turn, so that the wallet is read once: a request's id says which payment answered it.
  const decoded = decodePayeeCode(code, { type: "request", kind: paymentRequest }, crypto);
  const wallet = await readWallet(
    ports,
    decoded.kind === "refused" ? { kind: "none" } : { kind: "of-request", requestId: decoded.message.messageId },
  );
  const trust = anchorsOf(wallet, crypto);
  if (trust.kind === "refused") return trust;
  if (decoded.kind === "refused") return decoded;
  const read = await verifyPayeeCode(decoded, { anchors: trust.anchors, crypto });
  if (read.kind === "refused") return read;
  const { message: request, payeeCertificate } = read;
  const { now, payments } = wallet;
  const answeredBefore = payments.length > 0;
  const at = answeredBefore ? request.content.issuedAt : now;
  const reason = refuseRequest({ payeeCertificate: payeeCertificate.content, request: request.content }, at);
  if (reason !== undefined) return refusedFor(reason);
  const { amountMinor, currency, orderReference, expiresAt } = request.content;
  return {
    kind: "request",
    requestId: request.messageId,
    payeeId: payeeCertificate.content.payeeId,
    payeeName: payeeCertificate.content.terms.name,
    amount: amount(amountMinor, currency),
    orderReference,
    expiresAt,
    answeredBefore,
    request,
    payeeCertificate,
  };
}

/** What a person says yes to who was shown this review. Make it only from what was on the screen. */
export function consentTo({ requestId, payeeId, amount }: RequestReview): Consent {
  return { requestId, payeeId, amountMinor: amount.minor };
}
