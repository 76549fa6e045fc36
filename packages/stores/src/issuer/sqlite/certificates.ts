import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import type { CertificateId, DeviceId, MessageId } from "@cairn/messages";
import { type ConflictProof, judgeClosing } from "@cairn/settle";
import { paymentMessageIn } from "../payment-message.ts";
import type { CertificateRecord, ConflictRecord, IssuanceView, IssuerStore, PreparedCertificate } from "../port.ts";
import { found } from "../store-error.ts";
import { changeText, readChanges, restoredAtOf } from "../stored-lists.ts";
import type { Accounts } from "./accounts.ts";
import type { Database, Row } from "./database.ts";
import { type Enrolment, protectionIn } from "./enrolment.ts";
import { bringer } from "./inbox.ts";
import { accountIn, bytes, id, minor, number, optional, text } from "./rows.ts";
import type { SettlementMemory } from "./settlement-memory.ts";
import { CERTIFICATE_JOINS, CLOSING_AND_CONFLICT, conflictFrom, loadCertificates } from "./settlement-state.ts";

type Closing = Parameters<IssuerStore["recordClosing"]>[1];
type Decision<Result> = { result: Result; prepared?: PreparedCertificate | undefined };

const CONFLICT_REASON = "Proven conflict.";

/** The list of changes with the one that is bound here at its end. */
const WITH_CHANGE = "json_insert(changes, '$[#]', json(?))";

export const SELECT_CERTIFICATE = `
  SELECT c.*, e.settled_minor, e.released_minor, ${CLOSING_AND_CONFLICT}
  FROM certificates c
  JOIN exposures e ON e.partition = c.partition AND e.certificate_id = c.certificate_id
  ${CERTIFICATE_JOINS}`;

/** Certificates from preparation to closing, revocation and conflict. */
export class Certificates {
  readonly #database: Database;
  readonly #accounts: Accounts;
  readonly #enrolment: Enrolment;
  readonly #memory: SettlementMemory;

  constructor(parts: {
    readonly database: Database;
    readonly accounts: Accounts;
    readonly enrolment: Enrolment;
    /** To be told of whatever changes a certificate. */
    readonly memory: SettlementMemory;
  }) {
    this.#database = parts.database;
    this.#accounts = parts.accounts;
    this.#enrolment = parts.enrolment;
    this.#memory = parts.memory;
  }

  /** Within the caller's transaction. */
  prepare<Result>(
    account: AccountNumber,
    deviceId: DeviceId,
    decide: (view: IssuanceView) => Decision<Result>,
  ): Result {
    const view = this.#view(account, deviceId);
    const { result, prepared } = decide(view);
    if (prepared !== undefined) this.#insert(view, prepared);
    return result;
  }

  /** Within the caller's transaction. */
  recordIssued(certificateId: CertificateId, signed: Uint8Array): void {
    const changed = this.#database.run(
      "UPDATE certificates SET bytes = ? WHERE certificate_id = ?",
      signed,
      certificateId,
    );
    found(changed === 1 ? changed : undefined, "CERTIFICATE_UNKNOWN", certificateId);
  }

  find(certificateId: CertificateId): CertificateRecord | undefined {
    const row = this.#database.get(`${SELECT_CERTIFICATE} WHERE c.certificate_id = ?`, certificateId);
    return row === undefined ? undefined : certificateFrom(row);
  }

  of(account: AccountNumber): CertificateRecord[] {
    return this.#database
      .all(
        `${SELECT_CERTIFICATE} WHERE c.partition = ? AND c.account = ? ORDER BY c.serial`,
        partitionOf(account),
        account,
      )
      .map(certificateFrom);
  }

  messagesOf(partition: Partition, certificateIds: readonly CertificateId[]): Map<CertificateId, MessageId> {
    const messages = new Map<CertificateId, MessageId>();
    for (const certificateId of certificateIds) {
      const sql = "SELECT message_id FROM certificates WHERE partition = ? AND certificate_id = ?";
      const row = this.#database.get(sql, partition, certificateId);
      if (row !== undefined) messages.set(certificateId, id<MessageId>(row, "message_id"));
    }
    return messages;
  }

  recordClosing(
    certificateId: CertificateId,
    closing: Closing,
  ): "recorded" | "repeated" | "differs" | "unknown-certificate" {
    this.#memory.forget(certificateId);
    return this.#database.transaction(() => {
      const certificate = this.find(certificateId);
      if (certificate === undefined) return "unknown-certificate";
      const partition = partitionOf(certificate.account);
      const [loaded] = loadCertificates(this.#database, partition, [certificateId]);
      if (loaded === undefined) return "unknown-certificate";
      const { answer, conflict } = judgeClosing(loaded.state, closing, closing.closedAt);
      this.#database.run(
        "INSERT INTO closings VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        partition,
        certificateId,
        closing.messageId,
        closing.sequence,
        closing.spentMinor,
        closing.bytes,
        closing.closedAt,
        answer === "recorded" ? 1 : 0,
      );
      if (conflict !== undefined) this.recordConflict(certificate.account, conflict);
      return answer;
    });
  }

  revoke(certificateId: CertificateId, at: number, reason: string): "revoked" | "repeated" | "unknown-certificate" {
    this.#memory.forget(certificateId);
    return this.#database.transaction(() => {
      if (this.find(certificateId) === undefined) return "unknown-certificate";
      return this.#revoke(certificateId, at, reason) === 1 ? "revoked" : "repeated";
    });
  }

  restore(
    certificateId: CertificateId,
    at: number,
  ): "restored" | "not-revoked" | "in-conflict" | "unknown-certificate" {
    this.#memory.forget(certificateId);
    return this.#database.transaction(() => {
      const row = this.#database.get(
        `SELECT c.revoked_at, EXISTS (SELECT 1 FROM certificates o JOIN conflicts x
            ON x.partition = o.partition AND x.certificate_id = o.certificate_id
            WHERE o.partition = c.partition AND o.account = c.account AND o.device_id = c.device_id) AS in_conflict
          FROM certificates c WHERE c.certificate_id = ?`,
        certificateId,
      );
      if (row === undefined) return "unknown-certificate";
      if (optional(row, "revoked_at", number) === undefined) return "not-revoked";
      if (number(row, "in_conflict") === 1) return "in-conflict";
      this.#database.run(
        `UPDATE certificates SET revoked_at = NULL, revocation_reason = NULL, changes = ${WITH_CHANGE}
          WHERE certificate_id = ?`,
        changeText({ change: "restored", at, reason: "" }),
        certificateId,
      );
      return "restored";
    });
  }

  revokedIndices(expiresFrom: number): { readonly revoked: readonly number[]; readonly size: number } {
    const rows = this.#database.all(
      `SELECT status_index FROM certificates WHERE revoked_at IS NOT NULL AND expires_at >= ? ORDER BY status_index`,
      expiresFrom,
    );
    return {
      revoked: rows.map((row) => number(row, "status_index")),
      size: this.#nextStatusIndex(),
    };
  }

  /** Keeps the proof with the bytes of both messages and withdraws the certificate; within the caller's transaction. */
  recordConflict(account: AccountNumber, proof: ConflictProof): void {
    const { certificateId, first, second, kind, provenAt } = proof;
    this.#memory.clear();
    const partition = partitionOf(account);
    this.#database.run(
      "INSERT INTO conflicts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
      partition,
      certificateId,
      account,
      kind,
      first,
      second,
      this.#signedBytes(partition, certificateId, first),
      this.#signedBytes(partition, certificateId, second),
      provenAt,
    );
    // The key was copied, whichever certificate showed it.
    this.#database.run(
      `UPDATE certificates SET revoked_at = ?, revocation_reason = ?, changes = ${WITH_CHANGE}
        WHERE partition = ? AND account = ? AND revoked_at IS NULL AND device_id =
          (SELECT device_id FROM certificates WHERE partition = ? AND certificate_id = ?)`,
      provenAt,
      CONFLICT_REASON,
      changeText({ change: "revoked", at: provenAt, reason: CONFLICT_REASON }),
      partition,
      account,
      partition,
      certificateId,
    );
  }

  conflicts(): ConflictRecord[] {
    return this.#database.all("SELECT * FROM conflicts ORDER BY proven_at, certificate_id").map((row) => ({
      ...conflictFrom(row),
      account: accountIn(row),
      firstBytes: bytes(row, "first_bytes"),
      secondBytes: bytes(row, "second_bytes"),
      resolvedAt: optional(row, "resolved_at", number),
    }));
  }

  resolveConflicts(account: AccountNumber, at: number): number {
    return this.#database.transaction(() =>
      this.#database.run(
        "UPDATE conflicts SET resolved_at = ? WHERE partition = ? AND account = ? AND resolved_at IS NULL",
        at,
        partitionOf(account),
        account,
      ),
    );
  }

  /** Of a payment or a closing of the certificate. */
  #signedBytes(partition: number, certificateId: CertificateId, messageId: MessageId): Uint8Array {
    const row = this.#database.get(
      `SELECT i.bytes, i.brought_by FROM certificates c
          JOIN payments p ON p.certificate = c.status_index
          JOIN inbox i ON i.inbox_id = p.inbox_id
          WHERE c.partition = ?1 AND c.certificate_id = ?2 AND p.payment_id = ?3
        UNION ALL SELECT bytes, NULL FROM closings WHERE partition = ?1 AND certificate_id = ?2 AND message_id = ?3`,
      partition,
      certificateId,
      messageId,
    );
    return messageIn(found(row, "STORE_DAMAGED", messageId));
  }

  #nextStatusIndex(): number {
    const newest = this.#database.get("SELECT coalesce(max(status_index) + 1, 0) AS size FROM certificates");
    return newest === undefined ? 0 : number(newest, "size");
  }

  #revoke(certificateId: CertificateId, at: number, reason: string): number {
    return this.#database.run(
      `UPDATE certificates SET revoked_at = ?, revocation_reason = ?, changes = ${WITH_CHANGE}
        WHERE certificate_id = ? AND revoked_at IS NULL`,
      at,
      reason,
      changeText({ change: "revoked", at, reason }),
      certificateId,
    );
  }

  #view(account: AccountNumber, deviceId: DeviceId): IssuanceView {
    const certificates = this.of(account);
    const device = this.#enrolment.device(deviceId);
    return {
      account: this.#accounts.get(account),
      device: found(device?.account === account ? device : undefined, "DEVICE_UNKNOWN", deviceId),
      certificates,
      nextSerial: (certificates.at(-1)?.serial ?? 0) + 1,
      statusIndex: this.#nextStatusIndex(),
      partition: partitionOf(account),
    };
  }

  #insert({ account: { account }, partition }: IssuanceView, prepared: PreparedCertificate): void {
    this.#database.run(
      "INSERT INTO certificates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, ?, NULL, ?, ?, ?, '[]')",
      partition,
      prepared.certificateId,
      account,
      prepared.deviceId,
      prepared.serial,
      prepared.statusIndex,
      prepared.messageId,
      prepared.limitMinor,
      prepared.perPaymentCapMinor,
      prepared.allowanceMinor,
      prepared.protection,
      prepared.issuedAt,
      prepared.expiresAt,
      prepared.toBeSigned,
      prepared.explanation,
      prepared.heldMinor,
      prepared.issuedAhead ? 1 : 0,
    );
    this.#database.run("INSERT INTO exposures VALUES (?, ?, 0, 0)", partition, prepared.certificateId);
  }
}

export function certificateFrom(row: Row): CertificateRecord {
  const closed = row.closed_at !== null;
  const changes = readChanges(text(row, "changes"));
  return {
    certificateId: id<CertificateId>(row, "certificate_id"),
    account: accountIn(row),
    deviceId: id<DeviceId>(row, "device_id"),
    serial: number(row, "serial"),
    statusIndex: number(row, "status_index"),
    messageId: id<MessageId>(row, "message_id"),
    limitMinor: minor(row, "limit_minor"),
    perPaymentCapMinor: minor(row, "per_payment_cap_minor"),
    allowanceMinor: minor(row, "allowance_minor"),
    protection: protectionIn(row),
    heldMinor: minor(row, "held_minor"),
    issuedAhead: number(row, "issued_ahead") === 1,
    issuedAt: number(row, "issued_at"),
    expiresAt: number(row, "expires_at"),
    settledMinor: minor(row, "settled_minor"),
    releasedMinor: minor(row, "released_minor"),
    revokedAt: optional(row, "revoked_at", number),
    revocationReason: optional(row, "revocation_reason", text),
    restoredAt: restoredAtOf(changes),
    changes,
    closing: closed
      ? {
          sequence: number(row, "closing_sequence"),
          spentMinor: minor(row, "closing_spent_minor"),
          closedAt: number(row, "closed_at"),
        }
      : undefined,
    toBeSigned: bytes(row, "to_be_signed"),
    bytes: optional(row, "bytes", bytes),
    explanation: text(row, "explanation"),
    conflict: row.kind === null ? undefined : conflictFrom(row),
  };
}

/** A closing is kept by itself, a payment in the record that it was first known from. */
function messageIn(row: Row): Uint8Array {
  const kept = bytes(row, "bytes");
  const broughtBy = optional(row, "brought_by", bringer);
  return broughtBy === undefined ? kept : paymentMessageIn({ bytes: kept, broughtBy });
}
