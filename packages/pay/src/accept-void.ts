import { type MessageId, refusal, refusePayeeCertificate, requestVoid } from "@cairn/messages";
import { isSameTill } from "./accept-receipt.ts";
import { type Refused, refused, refusedFor } from "./codes.ts";
import { anchorsOf, type CodeInput, readPayeeCode } from "./payee-code.ts";
import type { WalletPorts } from "./ports.ts";
import { commitWallet, readWallet } from "./wallet.ts";

/** The payee's word that it will never accept this payment, kept as proof. */
export type VoidAccepted = {
  readonly kind: "voided";
  readonly paymentId: MessageId;
  readonly requestId: MessageId;
  readonly payeeName: string;
  readonly amountMinor: bigint;
};

/**
 * Keeps a void. In this order: trust list, strict decoding, payee certificate, void signature; this wallet has answered
 * the request (PAYMENT_UNKNOWN); the void is of the till that made the request (PAYEE_CERTIFICATE_MISMATCH). The money
 * comes back at the next sync; the chain of the certificate stays as it is: nothing runs backwards.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function acceptVoid(ports: WalletPorts, code: CodeInput): Promise<VoidAccepted | Refused> {
  const trust = anchorsOf(await readWallet(ports, { kind: "none" }), ports.crypto);
  if (trust.kind === "refused") return trust;
  const by = { anchors: trust.anchors, crypto: ports.crypto };
  const read = await readPayeeCode(code, { type: "void", kind: requestVoid }, by);
  if (read.kind === "refused") return read;
  const { message, payeeCertificate } = read;
  const { requestId, issuedAt } = message.content;
  const early = refusePayeeCertificate(payeeCertificate.content, issuedAt);
  if (early !== undefined) return refusedFor(early);
  return commitWallet<VoidAccepted | Refused>(ports, { kind: "of-request", requestId }, ({ payments }) => {
    const [durable] = payments;
    if (durable === undefined) return { result: refused("PAYMENT_UNKNOWN"), writes: [] };
    if (!isSameTill(durable, payeeCertificate.content, ports.crypto)) {
      const reason = refusal("PAYEE_CERTIFICATE_MISMATCH", "the void is of another till");
      return { result: refusedFor(reason), writes: [] };
    }
    const { paymentId, amountMinor } = durable;
    const payeeName = payeeCertificate.content.terms.name;
    return {
      result: { kind: "voided", paymentId, requestId, payeeName, amountMinor },
      writes: [{ kind: "void", paymentId, requestVoid: message.bytes }],
    };
  });
}
