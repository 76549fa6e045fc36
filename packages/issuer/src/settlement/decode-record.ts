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
import type { InboxRecord } from "@cairn/stores";
import type { RecordFault } from "./record-codes.ts";

/**
 * The parts of an inbox record, each decoded strictly, no signature looked at yet.
 * `certificateId`: the one that its payment names, which need not be that of the certificate beside it.
 */
export type DecodedRecord = DecodedTwoWay | DecodedOpen | DecodedVoid;

export type DecodedTwoWay = {
  readonly kind: "payment";
  readonly certificateId: CertificateId;
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
  readonly certificateId: CertificateId;
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
  /** A void belongs to none. */
  readonly certificateId: undefined;
  readonly payeeCertificate: Decoded<PayeeCertificate>;
  readonly request: Decoded<PaymentRequest>;
  readonly requestVoid: Decoded<RequestVoid>;
};

export type DecodingCaches = {
  /** Certificates of both kinds come again with every payment: their strict decoding need not. */
  readonly certificates: DecodedMemory;
};
type Bringing = InboxRecord["broughtBy"];
export type DecodingContext = { readonly crypto: CryptoPort; readonly decoding?: DecodingCaches };

/** @param size Certificates remembered, of each kind. */
export function decodingCaches(size: number): DecodingCaches {
  return { certificates: new DecodedMemory(size) };
}

/**
 * What some bytes were read as, which goes along with them in `InboxRecord.decoded`: a record is taken in and, a moment
 * later, settled. A table of such records by their bytes would cost several times as much, most of it for collecting what
 * is no longer in it.
 */
class Reading {
  readonly bytes: Uint8Array;
  readonly broughtBy: Bringing;
  readonly decoded: DecodedRecord | RecordFault;

  constructor(bytes: Uint8Array, broughtBy: Bringing, decoded: DecodedRecord | RecordFault) {
    this.bytes = bytes;
    this.broughtBy = broughtBy;
    this.decoded = decoded;
  }
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
  try {
    return broughtBy === "terminal" ? decodeUpload(bytes, context) : decodeSync(bytes, context);
  } catch (error) {
    if (error instanceof CodedError) return refusalFromError(error);
    throw error;
  }
}

/** What a record that is taken in carries along from then on. */
export function readingOf(
  { bytes, broughtBy }: Pick<InboxRecord, "bytes" | "broughtBy">,
  decoded: DecodedRecord | RecordFault,
): object {
  return new Reading(bytes, broughtBy, decoded);
}

/** As `decodeRecord`, unless these very bytes were read before as this bringer's and the record still carries that. */
export function decodedOf(
  { bytes, broughtBy, decoded: reading }: Pick<InboxRecord, "bytes" | "broughtBy" | "decoded">,
  context: DecodingContext,
): DecodedRecord | RecordFault {
  const isOfThis = reading instanceof Reading && reading.bytes === bytes && reading.broughtBy === broughtBy;
  return isOfThis ? reading.decoded : decodeRecord(bytes, broughtBy, context);
}

/**
 * The certificate under which a payment was made. Equal texts are the certificate's own: it is the same one for each of
 * its payments, whose place in a map is known, where a new one has to be worked out.
 */
function certificateIdOf(
  { unverified: { certificateId: named } }: Decoded<Payment | OpenPayment>,
  { unverified: { certificateId: own } }: Decoded<UserCertificate>,
): CertificateId {
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
    case "payment": {
      const request = requestIn(record.request, crypto);
      const certificate = certificateIn(record.certificate, context);
      const paid = decodeMessage(payment, record.payment, crypto);
      return {
        kind: "payment",
        certificateId: certificateIdOf(paid, certificate),
        certificate,
        payment: paid,
        payeeCertificate: payee,
        request,
        receipt: undefined,
        requestVoid: undefined,
        hint: record.hint,
      };
    }
    case "open-payment": {
      const message = decodeMessage(capture, record.capture, crypto);
      const certificate = certificateIn(record.certificate, context);
      const paid = decodeMessage(openPayment, record.payment, crypto);
      return {
        kind: "open-payment",
        certificateId: certificateIdOf(paid, certificate),
        certificate,
        payment: paid,
        payeeCertificate: payee,
        word: { kind: "capture", message },
        hint: record.hint,
      };
    }
    case "void":
      return {
        kind: "void",
        certificateId: undefined,
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
    case "payment": {
      const certificate = certificateIn(record.certificate, context);
      const paid = decodeMessage(payment, record.payment, crypto);
      return {
        kind: "payment",
        certificateId: certificateIdOf(paid, certificate),
        certificate,
        payment: paid,
        payeeCertificate: payeeCertificateIn(record.payeeCertificate, context),
        request: requestIn(record.request, crypto),
        receipt: optionally(record.receipt, (message) => decodeMessage(receipt, message, crypto)),
        requestVoid: optionally(record.requestVoid, (message) => decodeMessage(requestVoid, message, crypto)),
        hint: undefined,
      };
    }
    case "open-payment": {
      const certificate = certificateIn(record.certificate, context);
      const paid = decodeMessage(openPayment, record.payment, crypto);
      return {
        kind: "open-payment",
        certificateId: certificateIdOf(paid, certificate),
        certificate,
        payment: paid,
        payeeCertificate: optionally(record.payeeCertificate, (message) => payeeCertificateIn(message, context)),
        word: optionally(record.receipt, (message) => ({
          kind: "receipt" as const,
          message: decodeMessage(receipt, message, crypto),
        })),
        hint: undefined,
      };
    }
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
