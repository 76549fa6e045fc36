import type { SQLOutputValue } from "node:sqlite";
import {
  type CertificateId,
  type HexIdentifier,
  IDENTIFIER_BYTES,
  identifierFromText,
  isCurrency,
  type MessageId,
} from "@cairn/messages";
import type { PaymentOutcome, StoredCertificate, StoredIdentity, StoredPayment } from "@cairn/pay";
import { WalletFileError } from "./wallet-file-error.ts";

/** One row as the database gives it, integers as bigint. */
export type Row = Readonly<Record<string, SQLOutputValue>>;

/** From rows to records. The store wrote them itself: a value of another form means a damaged file. */
export function identityFrom(row: Row): StoredIdentity {
  const currency = text(row, "currency");
  if (!isCurrency(currency)) throw damaged("currency");
  return {
    deviceKey: bytes(row, "device_key"),
    rootKey: bytes(row, "root_key"),
    issuerId: text(row, "issuer_id"),
    issuerName: text(row, "issuer_name"),
    currency,
    trustList: bytes(row, "trust_list"),
    statusList: bytes(row, "status_list"),
    newestSeen: number(row, "newest_seen"),
  };
}

export function certificateFrom(row: Row): StoredCertificate {
  const draft = orAbsent(row, "closing_draft", bytes);
  return {
    certificateId: certificateId(row, "certificate_id"),
    bytes: bytes(row, "certificate"),
    limitMinor: minor(row, "limit_minor"),
    revoked: flag(row, "revoked"),
    counter: {
      sequence: orAbsent(row, "sequence", number) ?? 0,
      spentMinor: orAbsent(row, "spent_minor", minor) ?? 0n,
      lastPaymentId: orAbsent(row, "last_payment_id", messageId),
      unsignedPayments: number(row, "unsigned_payments"),
    },
    closing: draft && {
      draft,
      signed: orAbsent(row, "closing", bytes),
      delivered: flag(row, "closing_delivered"),
    },
  };
}

export function paymentFrom(row: Row): StoredPayment {
  return {
    paymentId: messageId(row, "payment_id"),
    kind: oneOf(row, "kind", ["payment", "open-payment"]),
    certificateId: certificateId(row, "certificate_id"),
    sequence: number(row, "sequence"),
    amountMinor: minor(row, "amount_minor"),
    spentMinor: minor(row, "spent_minor"),
    preparedAt: number(row, "prepared_at"),
    requestId: orAbsent(row, "request_id", messageId),
    draft: bytes(row, "draft"),
    signed: orAbsent(row, "signed", bytes),
    shown: flag(row, "shown"),
    request: orAbsent(row, "request", bytes),
    payeeCertificate: orAbsent(row, "payee_certificate", bytes),
    receipt: orAbsent(row, "receipt", bytes),
    requestVoid: orAbsent(row, "request_void", bytes),
    outcome: orAbsent(row, "outcome_state", outcomeFrom),
  };
}

function outcomeFrom(row: Row): PaymentOutcome {
  return {
    state: oneOf(row, "outcome_state", ["pending", "settled", "refused", "held", "released"]),
    code: orAbsent(row, "outcome_code", text),
    sentence: text(row, "outcome_sentence"),
    takenMinor: minor(row, "outcome_taken_minor"),
    heardAt: number(row, "outcome_heard_at"),
  };
}

function orAbsent<Value>(row: Row, name: string, read: (row: Row, name: string) => Value): Value | undefined {
  return row[name] === null ? undefined : read(row, name);
}

function bytes(row: Row, name: string): Uint8Array {
  const value = row[name];
  if (!(value instanceof Uint8Array)) throw damaged(name);
  return value;
}

function text(row: Row, name: string): string {
  const value = row[name];
  if (typeof value !== "string") throw damaged(name);
  return value;
}

function minor(row: Row, name: string): bigint {
  const value = row[name];
  if (typeof value !== "bigint" || value < 0n) throw damaged(name);
  return value;
}

function number(row: Row, name: string): number {
  return Number(minor(row, name));
}

function flag(row: Row, name: string): boolean {
  return number(row, name) === 1;
}

function oneOf<Value extends string>(row: Row, name: string, allowed: readonly Value[]): Value {
  const found = allowed.find((candidate) => candidate === row[name]);
  if (found === undefined) throw damaged(name);
  return found;
}

function messageId(row: Row, name: string): MessageId {
  return id<MessageId>(row, name, IDENTIFIER_BYTES.messageId);
}

function certificateId(row: Row, name: string): CertificateId {
  return id<CertificateId>(row, name, IDENTIFIER_BYTES.certificateId);
}

function id<Id extends HexIdentifier>(row: Row, name: string, length: number): Id {
  const found = identifierFromText<Id>(text(row, name), length);
  if (found === undefined) throw damaged(name);
  return found;
}

function damaged(column: string): WalletFileError {
  return new WalletFileError("WALLET_FILE_DAMAGED", `The wallet's file is damaged: column ${column}.`);
}
