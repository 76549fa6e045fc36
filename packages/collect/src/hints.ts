import { decodeMessage, fromHex, openPayment, payment, restoreVerified, userCertificate } from "@cairn/messages";
import type { Acceptance } from "./model.ts";
import type { TerminalPorts } from "./ports.ts";

/**
 * What the issuer can use to verify this payment together with many others; undefined where the platform cannot work it
 * out. It costs about as much as verifying the payment, so it is worked out for an upload, not at the till.
 */
export function hintFor(acceptance: Acceptance, { signatures, crypto }: TerminalPorts): Uint8Array | undefined {
  const batches = signatures?.();
  if (batches === undefined) return undefined;
  const { content } = restoreVerified(userCertificate, acceptance.certificate, crypto);
  const { messageId, signature } =
    acceptance.kind === "open-payment"
      ? decodeMessage(openPayment, acceptance.payment, crypto)
      : decodeMessage(payment, acceptance.payment, crypto);
  return batches.hintFor({ publicKey: content.deviceKey, digest: fromHex(messageId), signature });
}
