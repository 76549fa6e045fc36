import {
  type Capture,
  capture,
  decodeMessage,
  encodeUploadRecord,
  openPayment,
  payment,
  paymentRequest,
  type RequestVoid,
  readCode,
  requestVoid,
  signMessage,
} from "@cairn/messages";
import type { SimulatedTerminal } from "../parties/terminal.ts";
import { money } from "../story.ts";
import { readBundle, upload } from "./forger.ts";
import type { World } from "./world.ts";

/** The two codes of a sale. */
export type Codes = { readonly request: string; readonly payment: string };

/** A payee that voided a request and claims its payment all the same. */
export async function uploadVoided(world: World, terminal: SimulatedTerminal, codes: Codes): Promise<void> {
  world.truth.evilTerminals.add(terminal.terminalId);
  world.tell(() => `${terminal.name} uploads a payment for a request that it voided`);
  await upload(world, terminal, [recordOf(codes)]);
}

/** A payee that was paid gives the request up afterwards, and brings the payment once more. */
export async function voidSettled(world: World, terminal: SimulatedTerminal, codes: Codes): Promise<void> {
  const { crypto } = world.surroundings.signatures;
  const request = readCode(codes.request);
  const { unverified, messageId } = decodeMessage(paymentRequest, request.message, crypto);
  const content: RequestVoid = {
    payeeCertificateId: unverified.payeeCertificateId,
    requestId: messageId,
    issuedAt: world.issuer.nowSeconds(),
  };
  const { bytes } = await signMessage(requestVoid, content, { signer: terminal.signer, crypto });
  world.truth.disowned.add(decodeMessage(payment, readCode(codes.payment).message, crypto).messageId);
  world.tell(() => `${terminal.name} voids a request that it was paid for`);
  const about = { payeeCertificate: request.certificate, request: request.message };
  await upload(world, terminal, [encodeUploadRecord({ kind: "void", ...about, requestVoid: bytes })]);
  await upload(world, terminal, [recordOf(codes)]);
}

/** A gate that claims more than the passenger allowed. */
export async function uploadOverMaximum(
  world: World,
  terminal: SimulatedTerminal,
  { shown, maximumMinor }: { readonly shown: string; readonly maximumMinor: bigint },
): Promise<void> {
  const { crypto } = world.surroundings.signatures;
  const bundle = await readBundle(world, terminal);
  if (bundle === undefined) return;
  const paid = readCode(shown);
  const content: Capture = {
    payeeCertificateId: bundle.payeeCertificateId,
    paymentId: decodeMessage(openPayment, paid.message, crypto).messageId,
    amountMinor: maximumMinor + BigInt(world.kernel.cause.random.between(1, 500)),
    issuedAt: world.issuer.nowSeconds(),
  };
  const { bytes } = await signMessage(capture, content, { signer: terminal.signer, crypto });
  world.tell(() => `${terminal.name} claims ${money(content.amountMinor)} of at most ${money(maximumMinor)}`);
  const record = encodeUploadRecord({
    kind: "open-payment",
    payeeCertificate: bundle.payeeCertificate,
    capture: bytes,
    certificate: paid.certificate,
    payment: paid.message,
  });
  await upload(world, terminal, [record]);
}

function recordOf(codes: Codes): Uint8Array {
  const request = readCode(codes.request);
  const paid = readCode(codes.payment);
  return encodeUploadRecord({
    kind: "payment",
    payeeCertificate: request.certificate,
    request: request.message,
    certificate: paid.certificate,
    payment: paid.message,
  });
}
