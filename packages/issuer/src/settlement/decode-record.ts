import { CodedError, type CryptoPort, decodeCbor } from "@cairn/cose";
import {
  type Capture,
  type CertificateId,
  capture,
  type Decoded,
  decodeMessage,
  MessageError,
  type MessageId,
  type OpenPayment,
  openPayment,
  type PayeeCertificate,
  type Payment,
  type PaymentRequest,
  payeeCertificate,
  payment,
  paymentRequest,
  type Receipt,
  type RequestVoid,
  readSyncRecord,
  readUploadRecord,
  receipt,
  refusalFromError,
  requestVoid,
  type UserCertificate,
  userCertificate,
} from "@cairn/messages";
import type { RecordFault } from "./record-codes.ts";

/** The parts of an inbox record, each decoded strictly, no signature looked at yet. */
export type DecodedRecord = DecodedTwoWay | DecodedOpen | DecodedVoid;

export type DecodedTwoWay = {
  readonly kind: "payment";
  readonly certificate: Decoded<UserCertificate>;
  readonly payment: Decoded<Payment>;
  readonly payeeCertificate: Decoded<PayeeCertificate>;
  readonly request: Decoded<PaymentRequest>;
  /** Only from a payer. */
  readonly receipt: Decoded<Receipt> | undefined;
  readonly requestVoid: Decoded<RequestVoid> | undefined;
};
export type DecodedOpen = {
  readonly kind: "open-payment";
  readonly certificate: Decoded<UserCertificate>;
  readonly payment: Decoded<OpenPayment>;
  /** Always there from a terminal. */
  readonly payeeCertificate: Decoded<PayeeCertificate> | undefined;
  /** A terminal's capture, or the receipt that a payer holds: the same statement by the same key. */
  readonly word: { readonly kind: "capture" | "receipt"; readonly message: Decoded<Capture> } | undefined;
};
export type DecodedVoid = {
  readonly kind: "void";
  readonly payeeCertificate: Decoded<PayeeCertificate>;
  readonly request: Decoded<PaymentRequest>;
  readonly requestVoid: Decoded<RequestVoid>;
};

/** Reads a record as its bringer writes it: terminals bring upload records, payers sync records. Never throws for bad bytes. */
export function decodeRecord(
  bytes: Uint8Array,
  broughtBy: "terminal" | "payer",
  crypto: CryptoPort,
): DecodedRecord | RecordFault {
  try {
    return broughtBy === "terminal" ? decodeUpload(bytes, crypto) : decodeSync(bytes, crypto);
  } catch (error) {
    if (error instanceof CodedError) return refusalFromError(error);
    throw error;
  }
}

/** The certificate under which the record's payment was made; a void belongs to none. */
export function certificateIdOf(record: DecodedRecord): CertificateId | undefined {
  return record.kind === "void" ? undefined : record.payment.unverified.certificateId;
}

export function paymentIdOf(record: DecodedRecord): MessageId | undefined {
  return record.kind === "void" ? undefined : record.payment.messageId;
}

function decodeUpload(bytes: Uint8Array, crypto: CryptoPort): DecodedRecord {
  const record = readUploadRecord(decodeCbor(bytes));
  const payee = decodeMessage(payeeCertificate, record.payeeCertificate, crypto);
  switch (record.kind) {
    case "payment":
      return {
        kind: "payment",
        payeeCertificate: payee,
        request: decodeMessage(paymentRequest, record.request, crypto),
        certificate: decodeMessage(userCertificate, record.certificate, crypto),
        payment: decodeMessage(payment, record.payment, crypto),
        receipt: undefined,
        requestVoid: undefined,
      };
    case "open-payment":
      return {
        kind: "open-payment",
        payeeCertificate: payee,
        word: { kind: "capture", message: decodeMessage(capture, record.capture, crypto) },
        certificate: decodeMessage(userCertificate, record.certificate, crypto),
        payment: decodeMessage(openPayment, record.payment, crypto),
      };
    case "void":
      return {
        kind: "void",
        payeeCertificate: payee,
        request: decodeMessage(paymentRequest, record.request, crypto),
        requestVoid: decodeMessage(requestVoid, record.requestVoid, crypto),
      };
  }
}

function decodeSync(bytes: Uint8Array, crypto: CryptoPort): DecodedRecord {
  const record = readSyncRecord(decodeCbor(bytes));
  switch (record.kind) {
    case "closing":
      // Closings never enter the inbox: the sync call records them at once.
      throw new MessageError("BUNDLE_MALFORMED", "a closing is not a payment");
    case "payment":
      return {
        kind: "payment",
        certificate: decodeMessage(userCertificate, record.certificate, crypto),
        payment: decodeMessage(payment, record.payment, crypto),
        payeeCertificate: decodeMessage(payeeCertificate, record.payeeCertificate, crypto),
        request: decodeMessage(paymentRequest, record.request, crypto),
        receipt: optionally(record.receipt, (message) => decodeMessage(receipt, message, crypto)),
        requestVoid: optionally(record.requestVoid, (message) => decodeMessage(requestVoid, message, crypto)),
      };
    case "open-payment":
      return {
        kind: "open-payment",
        certificate: decodeMessage(userCertificate, record.certificate, crypto),
        payment: decodeMessage(openPayment, record.payment, crypto),
        payeeCertificate: optionally(record.payeeCertificate, (message) =>
          decodeMessage(payeeCertificate, message, crypto),
        ),
        word: optionally(record.receipt, (message) => ({
          kind: "receipt" as const,
          message: decodeMessage(receipt, message, crypto),
        })),
      };
  }
}

function optionally<Value>(bytes: Uint8Array | undefined, read: (bytes: Uint8Array) => Value): Value | undefined {
  return bytes === undefined ? undefined : read(bytes);
}
