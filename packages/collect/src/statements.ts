import {
  type Capture,
  capture,
  type PayeeCertificateId,
  type RequestVoid,
  receipt,
  requestVoid,
  signMessage,
  writeCode,
} from "@cairn/messages";
import { CollectError } from "./collect-error.ts";
import type { Acceptance, RequestRecord } from "./model.ts";
import type { TerminalContext } from "./setup.ts";

/**
 * What a terminal says under its key. The content follows from the journal alone, so that signing again after a crash
 * makes the same message; it is only ever signed after the journal holds what it says.
 */

/** @throws CollectError NOT_CAPTURED */
export async function receiptCodeFor(context: TerminalContext, acceptance: Acceptance): Promise<string> {
  const signed = await signMessage(receipt, statementOf(acceptance), context);
  const certificate = await payeeCertificateBytes(context, acceptance.payeeCertificateId);
  return writeCode({ type: "receipt", certificate, message: signed.bytes });
}

/** The signed capture: kept the first time, so that every upload carries the same bytes. */
export async function captureFor(context: TerminalContext, acceptance: Acceptance): Promise<Uint8Array> {
  if (acceptance.capture !== undefined) return acceptance.capture;
  const signed = await signMessage(capture, statementOf(acceptance), context);
  return context.journal.keepCapture(acceptance.paymentId, signed.bytes);
}

/** The signed void of a voided request: kept the first time. */
export async function voidFor(context: TerminalContext, request: RequestRecord, voidedAt: number): Promise<Uint8Array> {
  if (request.requestVoid !== undefined) return request.requestVoid;
  const { payeeCertificateId, requestId } = request;
  const content: RequestVoid = { payeeCertificateId, requestId, issuedAt: voidedAt };
  const signed = await signMessage(requestVoid, content, context);
  return context.journal.keepVoid(requestId, signed.bytes);
}

/** Dated with the acceptance: by that time the server judges the payment, however late it is captured. */
function statementOf({ payeeCertificateId, paymentId, takenMinor, acceptedAt }: Acceptance): Capture {
  if (takenMinor === undefined) throw new CollectError("NOT_CAPTURED", "This open payment is not captured yet.");
  return { payeeCertificateId, paymentId, amountMinor: takenMinor, issuedAt: acceptedAt };
}

async function payeeCertificateBytes(context: TerminalContext, id: PayeeCertificateId): Promise<Uint8Array> {
  const bytes = await context.journal.payeeCertificate(id);
  if (bytes === undefined) throw new CollectError("NOT_ENROLLED", `The journal lacks the payee certificate ${id}.`);
  return bytes;
}
