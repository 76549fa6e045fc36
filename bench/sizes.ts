import { writeCode } from "@cairn/messages";
import { codeVersion } from "../packages/issuer/src/codes/code-image.ts";
import { typicalMessages } from "./typical.ts";

/** Bytes on the wire of typical messages; `request` with the payee certificate that it travels with. */
export async function sizes(): Promise<Record<string, number>> {
  const { certificate, payeeCertificate, request, payment } = await typicalMessages();
  return {
    certificate: certificate.bytes.length,
    payment: payment.bytes.length,
    certificateAndPayment: certificate.bytes.length + payment.bytes.length,
    request: request.bytes.length + payeeCertificate.bytes.length,
    qrVersion: codeVersion(writeCode({ type: "payment", certificate: certificate.bytes, message: payment.bytes })),
  };
}
