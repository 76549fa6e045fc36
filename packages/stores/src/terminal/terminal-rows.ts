import type { SQLOutputValue } from "node:sqlite";
import type { Acceptance, AcceptanceState, PaymentAnswer, RefusedPayment, RequestRecord, Risk } from "@cairn/collect";
import {
  type AnyRefusalCode,
  type HexIdentifier,
  IDENTIFIER_BYTES,
  type IssuerId,
  identifierFromText,
  isIssuerId,
  type MessageId,
} from "@cairn/messages";
import { TerminalJournalError } from "./journal-error.ts";

/** One row as the database gives it, integers as bigint. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** From rows to records. The journal wrote them itself: a value of another form means a damaged file. */
export function acceptanceFrom(row: Row): Acceptance {
  return {
    paymentId: messageId(row, "payment_id"),
    kind: oneOf(row, "kind", KINDS),
    certificateId: id(row, "certificate_id", IDENTIFIER_BYTES.certificateId),
    sequence: number(row, "sequence"),
    spentMinor: minor(row, "spent_minor"),
    amountMinor: minor(row, "amount_minor"),
    guestIssuerId: orAbsent(row, "guest_issuer_id", issuerId),
    certificate: bytes(row, "certificate"),
    payment: bytes(row, "payment"),
    payeeCertificateId: id(row, "payee_certificate_id", IDENTIFIER_BYTES.payeeCertificateId),
    requestId: orAbsent(row, "request_id", messageId),
    acceptedAt: number(row, "accepted_at"),
    risk: orAbsent(row, "risk", (from, name) => oneOf(from, name, RISKS)),
    takenMinor: orAbsent(row, "taken_minor", minor),
    capture: orAbsent(row, "capture", bytes),
    answer: orAbsent(row, "answer_state", answerFrom),
  };
}

function answerFrom(row: Row): PaymentAnswer {
  return {
    state: oneOf(row, "answer_state", ANSWER_STATES),
    code: orAbsent(row, "answer_code", text),
    sentence: orAbsent(row, "answer_sentence", text),
    takenMinor: minor(row, "answer_taken_minor"),
    answeredAt: number(row, "answered_at"),
  };
}

export function requestFrom(row: Row): RequestRecord {
  return {
    requestId: messageId(row, "request_id"),
    requestHash: id(row, "request_hash", IDENTIFIER_BYTES.requestHash),
    request: bytes(row, "request"),
    payeeCertificateId: id(row, "payee_certificate_id", IDENTIFIER_BYTES.payeeCertificateId),
    payeeCertificate: bytes(row, "payee_certificate"),
    issuedAt: number(row, "issued_at"),
    paidBy: orAbsent(row, "paid_by", messageId),
    voidedAt: orAbsent(row, "voided_at", number),
    requestVoid: orAbsent(row, "request_void", bytes),
    voidAnsweredAt: orAbsent(row, "void_answered_at", number),
  };
}

export function refusedFrom(row: Row): RefusedPayment {
  return {
    paymentId: messageId(row, "payment_id"),
    kind: oneOf(row, "kind", KINDS),
    certificateId: id(row, "certificate_id", IDENTIFIER_BYTES.certificateId),
    amountMinor: minor(row, "amount_minor"),
    certificate: bytes(row, "certificate"),
    payment: bytes(row, "payment"),
    // Codes are never renamed, so that what was a code when it was written is one now.
    code: text(row, "code") as AnyRefusalCode,
    refusedAt: number(row, "refused_at"),
  };
}

const KINDS = ["payment", "open-payment"] as const;
const RISKS: readonly Risk[] = ["STATUS_LIST_STALE", "PAYEE_CEILING_REACHED"];
const ANSWER_STATES: readonly PaymentAnswer["state"][] = [
  "received",
  "pending",
  "settled",
  "refused",
  "held",
  "released",
];
export const STATES: readonly AcceptanceState[] = ["uncaptured", "stored", ...ANSWER_STATES];

export function orAbsent<Value>(row: Row, name: string, read: (row: Row, name: string) => Value): Value | undefined {
  return row[name] === null ? undefined : read(row, name);
}

export function text(row: Row, name: string): string {
  const value = row[name];
  return typeof value === "string" ? value : corrupt(name);
}

export function minor(row: Row, name: string): bigint {
  const value = row[name];
  return typeof value === "bigint" ? value : corrupt(name);
}

export function number(row: Row, name: string): number {
  const value = Number(minor(row, name));
  return Number.isSafeInteger(value) ? value : corrupt(name);
}

export function bytes(row: Row, name: string): Uint8Array {
  const value = row[name];
  return value instanceof Uint8Array ? value : corrupt(name);
}

export function messageId(row: Row, name: string): MessageId {
  return id<MessageId>(row, name, IDENTIFIER_BYTES.messageId);
}

export function issuerId(row: Row, name: string): IssuerId {
  const value = text(row, name);
  return isIssuerId(value) ? value : corrupt(name);
}

export function oneOf<Value extends string>(row: Row, name: string, values: readonly Value[]): Value {
  const found = text(row, name);
  return values.find((value) => value === found) ?? corrupt(name);
}

function id<Id extends HexIdentifier>(row: Row, name: string, length: number): Id {
  return identifierFromText<Id>(text(row, name), length) ?? corrupt(name);
}

function corrupt(name: string): never {
  throw new TerminalJournalError("JOURNAL_CORRUPT", `The journal is damaged: ${name} has an impossible value.`);
}
