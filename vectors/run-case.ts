import { CodedError, type CryptoPort, decodeCbor, publicKeyFromCbor, publicKeysEqual } from "@cairn/cose";
import {
  areCompatible,
  type CallPurpose,
  type ChainPosition,
  type CodeType,
  capture,
  decodeMessage,
  expectCode,
  isRefusal,
  keyIdOf,
  openPayment,
  payeeCertificate,
  payment,
  paymentRequest,
  type Refusal,
  readCode,
  readSignedCall,
  readSyncRecord,
  readUploadRecord,
  receipt,
  refuseCapturedPayment,
  refusePayeeCertificate,
  refuseStatusList,
  refuseTrustList,
  refuseTwoWayPayment,
  restoreVerified,
  splitRecords,
  statusList,
  trustAnchors,
  trustList,
  userCertificate,
  type VerifyContext,
  verifyPayeeCertificate,
  verifyStatusList,
  verifyUnder,
  verifyUserCertificate,
} from "@cairn/messages";
import { type Case, fromHexText, type JsonObject, type Step, toJson, toJsonObject } from "./case.ts";
import { runStream } from "./run-stream.ts";
import { acceptAtTerminal, acceptOpenAtTerminal } from "./run-terminal.ts";
import { reviewAtWallet } from "./run-wallet.ts";
import { crypto, KINDS, type KindName } from "./world.ts";

/** Does with our own code what a case asks for. Answers with the code of a refusal or with the fields of a success. */
export async function runCase({ step, input }: Pick<Case, "step" | "input">): Promise<Case["expect"]> {
  if (step === "stream") return runStream(input);
  try {
    return { fields: await STEPS[step](input) };
  } catch (error) {
    if (error instanceof RefusedError || error instanceof CodedError) return { code: error.code };
    throw error;
  }
}

export class RefusedError extends Error {
  readonly code: string;
  constructor(refusal: { readonly code: string }) {
    super(refusal.code);
    this.code = refusal.code;
  }
}

/** Turns a refusal into an exception, so that a step reads as its list of checks. */
export function passed<Value extends object>(value: Value | Refusal): Value {
  if (isRefusal(value)) throw new RefusedError(value);
  return value;
}

function pass(refusal: Refusal | undefined): void {
  if (refusal !== undefined) throw new RefusedError(refusal);
}

export const textAt = (input: JsonObject, name: string): string => String(input[name]);
export const bytesAt = (input: JsonObject, name: string): Uint8Array => fromHexText(textAt(input, name));
const optionalBytesAt = (input: JsonObject, name: string): Uint8Array | undefined =>
  input[name] === null ? undefined : bytesAt(input, name);

/** Lists that a case gives as already held are verified already. */
export function contextOf(input: JsonObject): VerifyContext & { readonly crypto: CryptoPort } {
  return { anchors: trustAnchors(restoreVerified(trustList, bytesAt(input, "trustList"), crypto), crypto), crypto };
}

const STEPS: { readonly [Name in Exclude<Step, "stream">]: (input: JsonObject) => JsonObject | Promise<JsonObject> } = {
  decode: (input) => {
    const { kind } = KINDS[textAt(input, "kind") as KindName];
    const decoded = decodeMessage<object>(
      kind as Parameters<typeof decodeMessage<object>>[0],
      bytesAt(input, "bytes"),
      crypto,
    );
    return { messageId: decoded.messageId, ...toJsonObject(decoded.unverified) };
  },

  code: (input) => {
    const code = expectCode(readCode(textAt(input, "text")), ...(input.expected as readonly CodeType[]));
    return toJsonObject(code);
  },

  call: async (input) => {
    const { envelope, content } = readSignedCall(
      textAt(input, "purpose") as CallPurpose,
      bytesAt(input, "body"),
      crypto,
    );
    const key = publicKeyFromCbor(decodeCbor(bytesAt(input, "key")));
    const verified = passed(await verifyUnder(envelope, key, crypto));
    return { ...toJsonObject(verified.content), content: toJson(content) };
  },

  records: (input) => {
    const read = input.of === "upload" ? readUploadRecord : readSyncRecord;
    const records = splitRecords(bytesAt(input, "content")).map((bytes) => toJson(read(bytes)));
    return { records };
  },

  lists: async (input) => {
    const now = Number(input.now);
    const held = optionalBytesAt(input, "held");
    const offered = bytesAt(input, "offered");
    if (input.list === "trust-list") {
      const rootKey = publicKeyFromCbor(decodeCbor(bytesAt(input, "rootKey")));
      const decoded = decodeMessage(trustList, offered, crypto);
      if (decoded.unverified.rootKeyId !== keyIdOf(rootKey, crypto)) throw new RefusedError({ code: "ISSUER_UNKNOWN" });
      const list = passed(await verifyUnder(decoded, rootKey, crypto));
      const before = held === undefined ? undefined : restoreVerified(trustList, held, crypto);
      pass(refuseTrustList(list, { held: before, now }));
    } else {
      const list = passed(await verifyStatusList(decodeMessage(statusList, offered, crypto), contextOf(input)));
      const before = held === undefined ? undefined : restoreVerified(statusList, held, crypto);
      pass(refuseStatusList(list, { held: before, now }));
    }
    return { taken: true };
  },

  verify: async (input) => {
    const bytes = bytesAt(input, "bytes");
    const context = contextOf(input);
    if (input.kind === "user-certificate")
      passed(await verifyUserCertificate(decodeMessage(userCertificate, bytes, crypto), context));
    else if (input.kind === "payee-certificate")
      passed(await verifyPayeeCertificate(decodeMessage(payeeCertificate, bytes, crypto), context));
    else passed(await verifyStatusList(decodeMessage(statusList, bytes, crypto), context));
    return { genuine: true };
  },

  request: reviewAtWallet,
  accept: acceptAtTerminal,
  "accept-open": acceptOpenAtTerminal,

  payment: async (input) => {
    const context = contextOf(input);
    const decoded = {
      payee: decodeMessage(payeeCertificate, bytesAt(input, "payeeCertificate"), crypto),
      request: decodeMessage(paymentRequest, bytesAt(input, "request"), crypto),
      certificate: decodeMessage(userCertificate, bytesAt(input, "certificate"), crypto),
      payment: decodeMessage(payment, bytesAt(input, "payment"), crypto),
    };
    const certificate = passed(await verifyUserCertificate(decoded.certificate, context)).content;
    if (decoded.payment.unverified.certificateId !== certificate.certificateId)
      throw new RefusedError({ code: "CERTIFICATE_MISMATCH" });
    const paid = passed(await verifyUnder(decoded.payment, certificate.deviceKey, crypto));
    const payee = passed(await verifyPayeeCertificate(decoded.payee, context)).content;
    const requestId = decoded.request.messageId;
    const request = decoded.request.unverified;
    pass(refuseTwoWayPayment({ certificate, payment: paid.content, payeeCertificate: payee, request, requestId }));
    return { paymentId: paid.messageId, requestId };
  },

  captured: async (input) => {
    const context = contextOf(input);
    const decoded = {
      payee: decodeMessage(payeeCertificate, bytesAt(input, "payeeCertificate"), crypto),
      capture: decodeMessage(capture, bytesAt(input, "capture"), crypto),
      certificate: decodeMessage(userCertificate, bytesAt(input, "certificate"), crypto),
      payment: decodeMessage(openPayment, bytesAt(input, "payment"), crypto),
    };
    const certificate = passed(await verifyUserCertificate(decoded.certificate, context)).content;
    if (decoded.payment.unverified.certificateId !== certificate.certificateId)
      throw new RefusedError({ code: "CERTIFICATE_MISMATCH" });
    const paid = passed(await verifyUnder(decoded.payment, certificate.deviceKey, crypto));
    const payee = passed(await verifyPayeeCertificate(decoded.payee, context)).content;
    const taken = passed(await verifyUnder(decoded.capture, payee.terminalKey, crypto)).content;
    const { messageId: paymentId, content } = paid;
    pass(refuseCapturedPayment({ certificate, payment: content, paymentId, payeeCertificate: payee, capture: taken }));
    return { paymentId, takenMinor: taken.amountMinor.toString() };
  },

  receipt: async (input) => {
    const code = expectCode(readCode(textAt(input, "code")), "receipt");
    const decoded = {
      payee: decodeMessage(payeeCertificate, code.certificate, crypto),
      receipt: decodeMessage(receipt, code.message, crypto),
    };
    const payee = passed(await verifyPayeeCertificate(decoded.payee, contextOf(input))).content;
    if (decoded.receipt.unverified.payeeCertificateId !== payee.payeeCertificateId)
      throw new RefusedError({ code: "PAYEE_CERTIFICATE_MISMATCH" });
    const given = passed(await verifyUnder(decoded.receipt, payee.terminalKey, crypto)).content;
    const paid = restoreVerified(payment, bytesAt(input, "payment"), crypto);
    const asked = restoreVerified(payeeCertificate, bytesAt(input, "payeeCertificate"), crypto).content;
    const isSameTill = asked.payeeId === payee.payeeId && publicKeysEqual(asked.terminalKey, payee.terminalKey);
    const isForIt = given.paymentId === paid.messageId && given.amountMinor === paid.content.amountMinor;
    if (!isSameTill || !isForIt) throw new RefusedError({ code: "RECEIPT_MISMATCH" });
    pass(refusePayeeCertificate(payee, given.issuedAt));
    return { paymentId: paid.messageId, takenMinor: given.amountMinor.toString() };
  },

  compatible: (input) => ({ compatible: areCompatible(positionAt(input, "left"), positionAt(input, "right")) }),
};

function positionAt(input: JsonObject, name: string): ChainPosition {
  const { sequence, spentMinor, amountMinor } = input[name] as JsonObject;
  return {
    sequence: Number(sequence),
    spentMinor: BigInt(String(spentMinor)),
    amountMinor: BigInt(String(amountMinor)),
  };
}
