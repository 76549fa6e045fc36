import {
  CborCursor,
  checkCbor,
  checkEnd,
  encodeCbor,
  newBytes,
  plainBytes,
  readArrayHead,
  readByteString,
  readNull,
  readUnsigned,
  splitCborSequenceViews,
} from "@cairn/cose";
import { MAXIMUM_RECORDS } from "./bounds.ts";
import { MessageError } from "./message-error.ts";

/**
 * What a terminal uploads: each record holds all that is needed to judge it, as the encoded messages themselves, so
 * that it is evidence in any hands. Spec: messages.md "Upload records".
 *
 * `hint`: the y coordinate of the point R of the payment's signature, 32 bytes. It is no part of the evidence: it lets
 * the issuer verify many payments at once, and a wrong one costs the issuer time and nobody anything else.
 */
export type UploadRecord =
  | {
      readonly kind: "payment";
      readonly payeeCertificate: Uint8Array;
      readonly request: Uint8Array;
      readonly certificate: Uint8Array;
      readonly payment: Uint8Array;
      readonly hint?: Uint8Array | undefined;
    }
  | {
      readonly kind: "open-payment";
      readonly payeeCertificate: Uint8Array;
      readonly capture: Uint8Array;
      readonly certificate: Uint8Array;
      readonly payment: Uint8Array;
      readonly hint?: Uint8Array | undefined;
    }
  | {
      readonly kind: "void";
      readonly payeeCertificate: Uint8Array;
      readonly request: Uint8Array;
      readonly requestVoid: Uint8Array;
    };

/** What a wallet brings home: its own chain, with the payee's word where it has it, and the closing of a certificate. */
export type SyncRecord =
  | { readonly kind: "closing"; readonly closing: Uint8Array }
  | {
      readonly kind: "payment";
      readonly certificate: Uint8Array;
      readonly payment: Uint8Array;
      readonly payeeCertificate: Uint8Array;
      readonly request: Uint8Array;
      readonly receipt: Uint8Array | undefined;
      readonly requestVoid: Uint8Array | undefined;
    }
  | {
      readonly kind: "open-payment";
      readonly certificate: Uint8Array;
      readonly payment: Uint8Array;
      /** Present together with the receipt. */
      readonly payeeCertificate: Uint8Array | undefined;
      readonly receipt: Uint8Array | undefined;
    };

const UPLOAD = { payment: 1, openPayment: 2, void: 3 } as const;
/** A coordinate of P-256. */
const HINT_BYTES = 32;
const SYNC = { closing: 1, payment: 2, openPayment: 3 } as const;
/** The head of an array, RFC 8949 section 3.1. */
const ROW_OF_TWO = 0x82;

export function encodeUploadRecord(record: UploadRecord): Uint8Array {
  switch (record.kind) {
    case "payment":
      return encodeCbor([
        UPLOAD.payment,
        record.payeeCertificate,
        record.request,
        record.certificate,
        record.payment,
        ...(record.hint === undefined ? [] : [record.hint]),
      ]);
    case "open-payment":
      return encodeCbor([
        UPLOAD.openPayment,
        record.payeeCertificate,
        record.capture,
        record.certificate,
        record.payment,
        ...(record.hint === undefined ? [] : [record.hint]),
      ]);
    case "void":
      return encodeCbor([UPLOAD.void, record.payeeCertificate, record.request, record.requestVoid]);
  }
}

/**
 * What it holds are views of `bytes`, which are to stay as they are.
 * @throws CborError; MessageError BUNDLE_MALFORMED
 */
export function readUploadRecord(bytes: Uint8Array): UploadRecord {
  return readRow(bytes, (cursor, length) => {
    const type = readUnsigned(cursor);
    if (type === UPLOAD.payment && (length === 5 || length === 6)) {
      return {
        kind: "payment",
        payeeCertificate: bytesAt(cursor, "payee certificate"),
        request: bytesAt(cursor, "request"),
        certificate: bytesAt(cursor, "certificate"),
        payment: bytesAt(cursor, "payment"),
        ...(length === 6 ? { hint: hintAt(cursor) } : undefined),
      };
    }
    if (type === UPLOAD.openPayment && (length === 5 || length === 6)) {
      return {
        kind: "open-payment",
        payeeCertificate: bytesAt(cursor, "payee certificate"),
        capture: bytesAt(cursor, "capture"),
        certificate: bytesAt(cursor, "certificate"),
        payment: bytesAt(cursor, "payment"),
        ...(length === 6 ? { hint: hintAt(cursor) } : undefined),
      };
    }
    if (type === UPLOAD.void && length === 4) {
      return {
        kind: "void",
        payeeCertificate: bytesAt(cursor, "payee certificate"),
        request: bytesAt(cursor, "request"),
        requestVoid: bytesAt(cursor, "void"),
      };
    }
    throw new MessageError("BUNDLE_MALFORMED", "not an upload record");
  });
}

export function encodeSyncRecord(record: SyncRecord): Uint8Array {
  switch (record.kind) {
    case "closing":
      return encodeCbor([SYNC.closing, record.closing]);
    case "payment":
      return encodeCbor([
        SYNC.payment,
        record.certificate,
        record.payment,
        record.payeeCertificate,
        record.request,
        record.receipt ?? null,
        record.requestVoid ?? null,
      ]);
    case "open-payment":
      return encodeCbor([
        SYNC.openPayment,
        record.certificate,
        record.payment,
        record.payeeCertificate ?? null,
        record.receipt ?? null,
      ]);
  }
}

/**
 * Whether a record can be a closing and nothing else, by its first two bytes: a row of two that begins with the number of
 * closings. For whoever takes payments elsewhere and need not decode them to tell.
 */
export function isClosingRecord(bytes: Uint8Array): boolean {
  return bytes[0] === ROW_OF_TWO && bytes[1] === SYNC.closing;
}

/** As `readUploadRecord`. @throws CborError; MessageError BUNDLE_MALFORMED */
export function readSyncRecord(bytes: Uint8Array): SyncRecord {
  return readRow(bytes, (cursor, length) => {
    const type = readUnsigned(cursor);
    if (type === SYNC.closing && length === 2) return { kind: "closing", closing: bytesAt(cursor, "closing") };
    if (type === SYNC.payment && length === 7) {
      return {
        kind: "payment",
        certificate: bytesAt(cursor, "certificate"),
        payment: bytesAt(cursor, "payment"),
        payeeCertificate: bytesAt(cursor, "payee certificate"),
        request: bytesAt(cursor, "request"),
        receipt: bytesOrNothing(cursor, "receipt"),
        requestVoid: bytesOrNothing(cursor, "void"),
      };
    }
    if (type === SYNC.openPayment && length === 5) {
      const certificate = bytesAt(cursor, "certificate");
      const payment = bytesAt(cursor, "payment");
      const payeeCertificate = bytesOrNothing(cursor, "payee certificate");
      const receipt = bytesOrNothing(cursor, "receipt");
      if ((payeeCertificate === undefined) !== (receipt === undefined))
        throw new MessageError("BUNDLE_MALFORMED", "a receipt goes with its payee certificate");
      return { kind: "open-payment", certificate, payment, payeeCertificate, receipt };
    }
    throw new MessageError("BUNDLE_MALFORMED", "not a sync record");
  });
}

/** The content of an upload or sync call: records one behind the other (RFC 8742). */
export function joinRecords(records: readonly Uint8Array[]): Uint8Array {
  const joined = newBytes(records.reduce((length, record) => length + record.length, 0));
  let offset = 0;
  for (const record of records) {
    joined.set(record, offset);
    offset += record.length;
  }
  return joined;
}

/**
 * Splits a content into its records without judging them: one bad record must not stop the others. They are views of
 * the content, which is to stay as it is. @throws CborError, MessageError
 */
export function splitRecords(content: Uint8Array): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  for (const record of splitCborSequenceViews(content)) {
    if (records.length === MAXIMUM_RECORDS)
      throw new MessageError("MESSAGE_TOO_LARGE", `more than ${MAXIMUM_RECORDS} records`);
    records.push(record);
  }
  return records;
}

function readRow<Content>(bytes: Uint8Array, read: (cursor: CborCursor, length: number) => Content): Content {
  const cursor = new CborCursor(plainBytes(bytes));
  try {
    const length = readArrayHead(cursor);
    if (length < 1) throw new MessageError("BUNDLE_MALFORMED", "a record must be a row");
    const content = read(cursor, length);
    checkEnd(cursor);
    return content;
  } catch (error) {
    // What is no CBOR at all is said first, wherever it stands.
    checkCbor(bytes);
    throw error;
  }
}

function bytesAt(cursor: CborCursor, name: string): Uint8Array {
  const length = readByteString(cursor);
  if (length < 0) throw new MessageError("BUNDLE_MALFORMED", `${name} must be a byte string`);
  return cursor.bytes.subarray(cursor.position - length, cursor.position);
}

function hintAt(cursor: CborCursor): Uint8Array {
  const hint = bytesAt(cursor, "hint");
  if (hint.length !== HINT_BYTES) throw new MessageError("BUNDLE_MALFORMED", `a hint of ${hint.length} bytes`);
  return hint;
}

function bytesOrNothing(cursor: CborCursor, name: string): Uint8Array | undefined {
  return readNull(cursor) ? undefined : bytesAt(cursor, name);
}
