import {
  type ChainLink,
  type CodeType,
  type Decoded,
  decodeMessage,
  expectCode,
  isRefusal,
  type MessageKind,
  type Refusal,
  readCode,
  refusal,
  refusalFromError,
  type UserCertificate,
  userCertificate,
  verifyUnder,
} from "@cairn/messages";
import type { Offered } from "./acceptance-checks.ts";
import { verifyPayer } from "./issuers.ts";
import { type Held, refuseHeldTrustList, type TerminalContext } from "./setup.ts";

/**
 * From text to a genuine certificate and payment. In order: strict decoding; trust list still valid; the issuer's key
 * and signature; the payment belongs to the certificate; the device's signature. `now` is the terminal's time, moved
 * on to the certificate's issue when that is later: the issuer's signature proves that it has been reached.
 */
export async function readOffered<Content extends ChainLink>(
  context: TerminalContext,
  held: Held,
  code: { readonly text: string; readonly type: CodeType; readonly kind: MessageKind<Content> },
): Promise<(Offered<Content> & { readonly now: number }) | Refusal> {
  const { crypto } = context;
  const decoded = decodeOffered(context, code);
  if (isRefusal(decoded)) return decoded;
  const expired = refuseHeldTrustList(held.setup, held.now);
  if (expired !== undefined) return expired;
  const payer = await verifyPayer(decoded.certificate, held.setup, context);
  if (isRefusal(payer)) return payer;
  const { certificate, guestIssuerId } = payer;
  const now = Math.max(held.now, certificate.content.issuedAt);
  const expiredSince = refuseHeldTrustList(held.setup, now);
  if (expiredSince !== undefined) return expiredSince;
  if (decoded.payment.unverified.certificateId !== certificate.content.certificateId) {
    return refusal("CERTIFICATE_MISMATCH");
  }
  const payment = await verifyUnder(decoded.payment, certificate.content.deviceKey, crypto);
  return isRefusal(payment) ? payment : { certificate, payment, guestIssuerId, now };
}

function decodeOffered<Content>(
  { crypto }: TerminalContext,
  { text, type, kind }: { readonly text: string; readonly type: CodeType; readonly kind: MessageKind<Content> },
): { readonly certificate: Decoded<UserCertificate>; readonly payment: Decoded<Content> } | Refusal {
  try {
    const code = expectCode(readCode(text), type);
    return {
      certificate: decodeMessage(userCertificate, code.certificate, crypto),
      payment: decodeMessage(kind, code.message, crypto),
    };
  } catch (error) {
    return refusalFromError(error);
  }
}
