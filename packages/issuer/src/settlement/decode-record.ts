import { CodedError, type CryptoPort } from "@cairn/cose";
import {
  type Capture,
  type CertificateId,
  capture,
  type Decoded,
  DecodedMemory,
  decodeMessage,
  MessageError,
  type MessageId,
  type MessageKind,
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
  /** About the payment's signature, from terminals that give one. */
  readonly hint: Uint8Array | undefined;
};
export type DecodedOpen = {
  readonly kind: "open-payment";
  readonly certificate: Decoded<UserCertificate>;
  readonly payment: Decoded<OpenPayment>;
  /** Always there from a terminal. */
  readonly payeeCertificate: Decoded<PayeeCertificate> | undefined;
  /** A terminal's capture, or the receipt that a payer holds: the same statement by the same key. */
  readonly word: { readonly kind: "capture" | "receipt"; readonly message: Decoded<Capture> } | undefined;
  readonly hint: Uint8Array | undefined;
};
export type DecodedVoid = {
  readonly kind: "void";
  readonly payeeCertificate: Decoded<PayeeCertificate>;
  readonly request: Decoded<PaymentRequest>;
  readonly requestVoid: Decoded<RequestVoid>;
};

export type DecodingCaches = {
  /** Certificates of both kinds come again with every payment: their strict decoding need not. */
  readonly certificates: DecodedMemory;
  /**
   * Whole records, by the very bytes of whoever brought them: taken in and, a moment later, settled. As long as somebody
   * keeps these bytes, which the store does for as many records as it keeps ready.
   */
  readonly records: WeakMap<
    Uint8Array,
    { readonly broughtBy: Bringing; readonly decoded: DecodedRecord | RecordFault }
  >;
};
type Bringing = "terminal" | "payer";
export type DecodingContext = { readonly crypto: CryptoPort; readonly decoding?: DecodingCaches };

/** @param size Certificates remembered, of each kind. */
export function decodingCaches(size: number): DecodingCaches {
  return { certificates: new DecodedMemory(size), records: new WeakMap() };
}

/**
 * Reads a record as its bringer writes it: terminals bring upload records, payers sync records. Never throws for bad
 * bytes. What comes out holds views of `bytes`, which are to stay as they are.
 */
export function decodeRecord(
  bytes: Uint8Array,
  broughtBy: Bringing,
  context: DecodingContext,
): DecodedRecord | RecordFault {
  const records = context.decoding?.records;
  const known = records?.get(bytes);
  if (known?.broughtBy === broughtBy) return known.decoded;
  const decoded = decodeAnew(bytes, broughtBy, context);
  records?.set(bytes, { broughtBy, decoded });
  return decoded;
}

function decodeAnew(bytes: Uint8Array, broughtBy: Bringing, context: DecodingContext): DecodedRecord | RecordFault {
  try {
    return broughtBy === "terminal" ? decodeUpload(bytes, context) : decodeSync(bytes, context);
  } catch (error) {
    if (error instanceof CodedError) return refusalFromError(error);
    throw error;
  }
}

/**
 * The certificate under which the record's payment was made; a void belongs to none. Equal texts are the certificate's
 * own: it is the same one for each of its payments, whose place in a map is known, where a new one has to be worked out.
 */
export function certificateIdOf(record: DecodedRecord): CertificateId | undefined {
  if (record.kind === "void") return undefined;
  const named = record.payment.unverified.certificateId;
  const own = record.certificate.unverified.certificateId;
  return named === own ? own : named;
}

export function paymentIdOf(record: DecodedRecord): MessageId | undefined {
  return record.kind === "void" ? undefined : record.payment.messageId;
}

function decodeUpload(bytes: Uint8Array, context: DecodingContext): DecodedRecord {
  const { crypto } = context;
  const record = readUploadRecord(bytes);
  const payee = payeeCertificateIn(record.payeeCertificate, context);
  switch (record.kind) {
    case "payment":
      return {
        kind: "payment",
        payeeCertificate: payee,
        request: requestIn(record.request, crypto),
        certificate: certificateIn(record.certificate, context),
        payment: decodeMessage(payment, record.payment, crypto),
        receipt: undefined,
        requestVoid: undefined,
        hint: record.hint,
      };
    case "open-payment":
      return {
        kind: "open-payment",
        payeeCertificate: payee,
        word: { kind: "capture", message: decodeMessage(capture, record.capture, crypto) },
        certificate: certificateIn(record.certificate, context),
        payment: decodeMessage(openPayment, record.payment, crypto),
        hint: record.hint,
      };
    case "void":
      return {
        kind: "void",
        payeeCertificate: payee,
        request: requestIn(record.request, crypto),
        requestVoid: decodeMessage(requestVoid, record.requestVoid, crypto),
      };
  }
}

function decodeSync(bytes: Uint8Array, context: DecodingContext): DecodedRecord {
  const { crypto } = context;
  const record = readSyncRecord(bytes);
  switch (record.kind) {
    case "closing":
      // Closings never enter the inbox: the sync call records them at once.
      throw new MessageError("BUNDLE_MALFORMED", "a closing is not a payment");
    case "payment":
      return {
        kind: "payment",
        certificate: certificateIn(record.certificate, context),
        payment: decodeMessage(payment, record.payment, crypto),
        payeeCertificate: payeeCertificateIn(record.payeeCertificate, context),
        request: requestIn(record.request, crypto),
        receipt: optionally(record.receipt, (message) => decodeMessage(receipt, message, crypto)),
        requestVoid: optionally(record.requestVoid, (message) => decodeMessage(requestVoid, message, crypto)),
        hint: undefined,
      };
    case "open-payment":
      return {
        kind: "open-payment",
        certificate: certificateIn(record.certificate, context),
        payment: decodeMessage(openPayment, record.payment, crypto),
        payeeCertificate: optionally(record.payeeCertificate, (message) => payeeCertificateIn(message, context)),
        word: optionally(record.receipt, (message) => ({
          kind: "receipt" as const,
          message: decodeMessage(receipt, message, crypto),
        })),
        hint: undefined,
      };
  }
}

/** Its id is asked for at once, as it will be anyway: whoever has it does not keep the parts that it is worked out from. */
function requestIn(bytes: Uint8Array, crypto: CryptoPort): Decoded<PaymentRequest> {
  const request = decodeMessage(paymentRequest, bytes, crypto);
  void request.messageId;
  return request;
}

const certificateIn = (bytes: Uint8Array, context: DecodingContext): Decoded<UserCertificate> =>
  decodedOnce(userCertificate, bytes, context);

const payeeCertificateIn = (bytes: Uint8Array, context: DecodingContext): Decoded<PayeeCertificate> =>
  decodedOnce(payeeCertificate, bytes, context);

function decodedOnce<Content>(
  kind: MessageKind<Content>,
  bytes: Uint8Array,
  { crypto, decoding }: DecodingContext,
): Decoded<Content> {
  if (decoding === undefined) return decodeMessage(kind, bytes, crypto);
  const known = decoding.certificates.get(kind, bytes);
  if (known !== undefined) return known;
  // A copy: what is remembered must not keep the whole upload in memory.
  const decoded = decodeMessage(kind, new Uint8Array(bytes), crypto);
  decoding.certificates.add(decoded);
  return decoded;
}

function optionally<Value>(bytes: Uint8Array | undefined, read: (bytes: Uint8Array) => Value): Value | undefined {
  return bytes === undefined ? undefined : read(bytes);
}
