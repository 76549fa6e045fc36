import type { Acceptance } from "@cairn/collect";
import type { MessageId } from "@cairn/messages";
import type { WalletPorts } from "@cairn/pay";

/**
 * Everything signed that this wallet holds of a payment, base64: enough for anybody with the issuer's public key to
 * check who paid whom, how much, and that the payee said so.
 */
export async function exportProof({ store }: WalletPorts, paymentId: MessageId): Promise<string | undefined> {
  const stored = await store.commit({ kind: "ids", paymentIds: [paymentId] }, (result) => ({ result, writes: [] }));
  const [payment] = stored.payments;
  if (payment === undefined) return undefined;
  const certificate = stored.certificates.find(({ certificateId }) => certificateId === payment.certificateId);
  const { signed, request, payeeCertificate, receipt, requestVoid } = payment;
  const messages = {
    certificate: certificate?.bytes,
    payment: signed,
    request,
    payeeCertificate,
    receipt,
    requestVoid,
  };
  const encoded = Object.entries(messages).flatMap(([name, bytes]) =>
    bytes === undefined ? [] : [[name, base64(bytes)]],
  );
  return JSON.stringify({ paymentId, kind: payment.kind, ...Object.fromEntries(encoded) }, undefined, 2);
}

/** The same of a payment that this wallet received. */
export function receivedProof({ paymentId, kind, certificate, payment, capture }: Acceptance): Uint8Array {
  const messages = { certificate: base64(certificate), payment: base64(payment) };
  const captured = capture === undefined ? {} : { capture: base64(capture) };
  return new TextEncoder().encode(JSON.stringify({ paymentId, kind, ...messages, ...captured }, undefined, 2));
}

function base64(bytes: Uint8Array): string {
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
