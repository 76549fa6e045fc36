import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import type { CertificateId, DeviceId, MessageId } from "@cairn/messages";
import { type ConflictProof, judgeClosing } from "@cairn/settle";
import { paymentMessageIn } from "../payment-message.ts";
import type { CertificateRecord, ConflictRecord, IssuanceView, IssuerStore, PreparedCertificate } from "../port.ts";
import { found } from "../store-error.ts";
import { changeText, readChanges, restoredAtOf } from "../stored-lists.ts";
import { accountFrom, SELECT_ACCOUNT } from "./accounts.ts";
import { hexadecimals } from "./binary-arrays.ts";
import type { Database } from "./database.ts";
import { deviceFrom, protectionIn } from "./enrolment.ts";
import { bringer } from "./inbox.ts";
import { accountIn, bytes, id, minor, number, optional, type Row, text } from "./rows.ts";
import type { Session } from "./session.ts";
import { CERTIFICATE_JOINS, CLOSING_AND_CONFLICT, conflictFrom, loadCertificates } from "./settlement-state.ts";

type Closing = Parameters<IssuerStore["recordClosing"]>[1];
type Decision<Result> = { result: Result; prepared?: PreparedCertificate | undefined };

const CONFLICT_REASON = "Proven conflict.";

/** The list of changes with one more at its end. */
const withChange = (parameter: string): string => `(changes::jsonb || ${parameter}::jsonb)::text`;

export const SELECT_CERTIFICATE = `
  SELECT c.*, e.settled_minor, e.released_minor, ${CLOSING_AND_CONFLICT}
  FROM certificates c
  JOIN exposures e ON e.partition = c.partition AND e.certificate_id = c.certificate_id
  ${CERTIFICATE_JOINS}`;
export const SELECT_OF_ACCOUNT = `${SELECT_CERTIFICATE} WHERE c.partition = $1 AND c.account = $2 ORDER BY c.serial`;

const hex = (idText: string): Buffer => Buffer.from(idText, "hex");

/** Certificates from preparation to closing, revocation and conflict. */
export class Certificates {
  readonly #database: Database;
  /** Status indices that were reserved for a decision that then issued nothing. */
  readonly #spareIndices: number[] = [];

  constructor(database: Database) {
    this.#database = database;
  }

  async prepare<Result>(
    account: AccountNumber,
    deviceId: DeviceId,
    decide: (view: IssuanceView) => Decision<Result>,
  ): Promise<Result> {
    const partition = partitionOf(account);
    const statusIndex = this.#spareIndices.shift() ?? (await this.#nextStatusIndex());
    let isUsed = false;
    try {
      return await this.#database.inPartition(partition, async (session) => {
        isUsed = false;
        const [accountRow, deviceRow, rows] = await Promise.all([
          session.get(SELECT_ACCOUNT, partition, account),
          session.get("SELECT * FROM devices WHERE partition = $1 AND device_id = $2", partition, hex(deviceId)),
          session.all(SELECT_OF_ACCOUNT, partition, account),
        ]);
        const certificates = rows.map(certificateFrom);
        const device = deviceRow === undefined ? undefined : deviceFrom(deviceRow);
        const view = {
          account: accountFrom(found(accountRow, "ACCOUNT_UNKNOWN", account)),
          device: found(device?.account === account ? device : undefined, "DEVICE_UNKNOWN", deviceId),
          certificates,
          nextSerial: (certificates.at(-1)?.serial ?? 0) + 1,
          statusIndex,
          partition,
        };
        const { result, prepared } = decide(view);
        if (prepared === undefined) return result;
        isUsed = true;
        insertCertificate(session, view, prepared);
        return result;
      });
    } finally {
      if (!isUsed) this.#spareIndices.push(statusIndex);
    }
  }

  async recordIssued(certificateId: CertificateId, signed: Uint8Array): Promise<void> {
    const changed = await this.#database.run(
      "UPDATE certificates SET bytes = $2 WHERE certificate_id = $1",
      hex(certificateId),
      Buffer.from(signed),
    );
    found(changed === 1 ? changed : undefined, "CERTIFICATE_UNKNOWN", certificateId);
  }

  async find(certificateId: CertificateId): Promise<CertificateRecord | undefined> {
    const row = await this.#database.get(`${SELECT_CERTIFICATE} WHERE c.certificate_id = $1`, hex(certificateId));
    return row === undefined ? undefined : certificateFrom(row);
  }

  async of(account: AccountNumber): Promise<CertificateRecord[]> {
    return (await this.#database.all(SELECT_OF_ACCOUNT, partitionOf(account), account)).map(certificateFrom);
  }

  async messagesOf(
    partition: Partition,
    certificateIds: readonly CertificateId[],
  ): Promise<Map<CertificateId, MessageId>> {
    const rows = await this.#database.all(
      "SELECT certificate_id, message_id FROM certificates WHERE partition = $1 AND certificate_id = ANY($2::bytea[])",
      partition,
      hexadecimals(certificateIds),
    );
    return new Map(rows.map((row) => [id<CertificateId>(row, "certificate_id"), id<MessageId>(row, "message_id")]));
  }

  async recordClosing(
    certificateId: CertificateId,
    closing: Closing,
  ): Promise<"recorded" | "repeated" | "differs" | "unknown-certificate"> {
    const partition = await this.#partitionOf(certificateId);
    if (partition === undefined) return "unknown-certificate";
    return this.#database.inPartition(partition, async (session) => {
      const { certificates } = await loadCertificates(session, partition, [certificateId]);
      const state = certificates.get(certificateId);
      if (state === undefined) return "unknown-certificate";
      const { answer, conflict } = judgeClosing(state, closing, closing.closedAt);
      session.later(
        `INSERT INTO closings (partition, certificate_id, message_id, sequence, spent_minor, bytes, closed_at, counts)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING`,
        partition,
        hex(certificateId),
        hex(closing.messageId),
        closing.sequence,
        closing.spentMinor,
        Buffer.from(closing.bytes),
        closing.closedAt,
        answer === "recorded" ? 1 : 0,
      );
      if (conflict !== undefined) await recordConflict(session, partition, state.account, conflict);
      return answer;
    });
  }

  async revoke(
    certificateId: CertificateId,
    at: number,
    reason: string,
  ): Promise<"revoked" | "repeated" | "unknown-certificate"> {
    const partition = await this.#partitionOf(certificateId);
    if (partition === undefined) return "unknown-certificate";
    return this.#database.inPartition(partition, async (session) =>
      (await revoke(session, partition, { certificateId, at, reason })) === 1 ? "revoked" : "repeated",
    );
  }

  async restore(
    certificateId: CertificateId,
    at: number,
  ): Promise<"restored" | "not-revoked" | "in-conflict" | "unknown-certificate"> {
    const partition = await this.#partitionOf(certificateId);
    if (partition === undefined) return "unknown-certificate";
    return this.#database.inPartition(partition, async (session) => {
      const row = await session.get(
        `SELECT c.revoked_at, (SELECT count(*) FROM certificates o JOIN conflicts x
            ON x.partition = o.partition AND x.certificate_id = o.certificate_id
            WHERE o.partition = c.partition AND o.account = c.account AND o.device_id = c.device_id) AS conflicts
          FROM certificates c WHERE c.partition = $1 AND c.certificate_id = $2`,
        partition,
        hex(certificateId),
      );
      if (row === undefined) return "unknown-certificate";
      if (optional(row, "revoked_at", number) === undefined) return "not-revoked";
      if (number(row, "conflicts") > 0) return "in-conflict";
      await session.run(
        `UPDATE certificates SET revoked_at = NULL, revocation_reason = NULL, changes = ${withChange("$3")}
          WHERE partition = $1 AND certificate_id = $2`,
        partition,
        hex(certificateId),
        changeText({ change: "restored", at, reason: "" }),
      );
      return "restored";
    });
  }

  async revokedIndices(expiresFrom: number): Promise<{ readonly revoked: readonly number[]; readonly size: number }> {
    const [newest, rows] = await Promise.all([
      this.#database.get("SELECT coalesce(max(status_index) + 1, 0) AS size FROM certificates"),
      this.#database.all(
        "SELECT status_index FROM certificates WHERE revoked_at IS NOT NULL AND expires_at >= $1 ORDER BY status_index",
        expiresFrom,
      ),
    ]);
    return {
      revoked: rows.map((row) => number(row, "status_index")),
      size: newest === undefined ? 0 : number(newest, "size"),
    };
  }

  async conflicts(): Promise<ConflictRecord[]> {
    const rows = await this.#database.all("SELECT * FROM conflicts ORDER BY proven_at, certificate_id");
    return rows.map((row) => ({
      ...conflictFrom(row),
      account: accountIn(row),
      firstBytes: bytes(row, "first_bytes"),
      secondBytes: bytes(row, "second_bytes"),
      resolvedAt: optional(row, "resolved_at", number),
    }));
  }

  resolveConflicts(account: AccountNumber, at: number): Promise<number> {
    const partition = partitionOf(account);
    return this.#database.inPartition(partition, (session) =>
      session.run(
        "UPDATE conflicts SET resolved_at = $3 WHERE partition = $1 AND account = $2 AND resolved_at IS NULL",
        partition,
        account,
        at,
      ),
    );
  }

  async #partitionOf(certificateId: CertificateId): Promise<number | undefined> {
    const sql = "SELECT partition FROM certificates WHERE certificate_id = $1";
    const row = await this.#database.get(sql, hex(certificateId));
    return row === undefined ? undefined : number(row, "partition");
  }

  async #nextStatusIndex(): Promise<number> {
    const row = await this.#database.get("SELECT nextval('status_indices') AS status_index");
    return number(found(row, "STORE_DAMAGED", "number"), "status_index");
  }
}

/** Keeps the proof with the bytes of both messages and withdraws the certificate; within the caller's transaction. */
export async function recordConflict(
  session: Session,
  partition: number,
  account: number,
  proof: ConflictProof,
): Promise<void> {
  const { certificateId, first, second, kind, provenAt } = proof;
  const [firstBytes, secondBytes] = await Promise.all(
    [first, second].map((messageId) => signedBytes(session, partition, certificateId, messageId)),
  );
  session.later(
    `INSERT INTO conflicts (partition, certificate_id, account, kind, first_id, second_id, first_bytes, second_bytes,
        proven_at)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
    partition,
    hex(certificateId),
    account,
    kind,
    hex(first),
    hex(second),
    firstBytes ?? null,
    secondBytes ?? null,
    provenAt,
  );
  // The key was copied, whichever certificate showed it.
  await session.run(
    `UPDATE certificates SET revoked_at = $4, revocation_reason = $5, changes = ${withChange("$6")}
      WHERE partition = $1 AND account = $2 AND revoked_at IS NULL AND device_id =
        (SELECT device_id FROM certificates WHERE partition = $1 AND certificate_id = $3)`,
    partition,
    account,
    hex(certificateId),
    provenAt,
    CONFLICT_REASON,
    changeText({ change: "revoked", at: provenAt, reason: CONFLICT_REASON }),
  );
}

/** Of a payment or a closing of the certificate. */
async function signedBytes(
  session: Session,
  partition: number,
  certificateId: CertificateId,
  messageId: MessageId,
): Promise<Buffer> {
  const row = await session.get(
    `SELECT i.bytes, i.brought_by FROM payments p
        JOIN inbox i ON i.partition = p.partition AND i.inbox_id = p.inbox_id
        WHERE p.partition = $1 AND p.certificate_id = $2 AND p.payment_id = $3
      UNION ALL SELECT bytes, NULL FROM closings WHERE partition = $1 AND certificate_id = $2 AND message_id = $3`,
    partition,
    hex(certificateId),
    hex(messageId),
  );
  return Buffer.from(messageIn(found(row, "STORE_DAMAGED", messageId)));
}

/** A closing is kept by itself, a payment in the record that it was first known from. */
function messageIn(row: Row): Uint8Array {
  const kept = bytes(row, "bytes");
  const broughtBy = optional(row, "brought_by", bringer);
  return broughtBy === undefined ? kept : paymentMessageIn({ bytes: kept, broughtBy });
}

function revoke(
  session: Session,
  partition: number,
  {
    certificateId,
    at,
    reason,
  }: { readonly certificateId: CertificateId; readonly at: number; readonly reason: string },
): Promise<number> {
  return session.run(
    `UPDATE certificates SET revoked_at = $3, revocation_reason = $4, changes = ${withChange("$5")}
      WHERE partition = $1 AND certificate_id = $2 AND revoked_at IS NULL`,
    partition,
    hex(certificateId),
    at,
    reason,
    changeText({ change: "revoked", at, reason }),
  );
}

function insertCertificate(
  session: Session,
  { account: { account }, partition }: IssuanceView,
  prepared: PreparedCertificate,
): void {
  session.later(
    `INSERT INTO certificates (partition, certificate_id, account, device_id, serial, status_index, message_id,
        limit_minor, per_payment_cap_minor, allowance_minor, protection, issued_at, expires_at, to_be_signed, explanation,
        held_minor, issued_ahead)
      VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`,
    partition,
    hex(prepared.certificateId),
    account,
    hex(prepared.deviceId),
    prepared.serial,
    prepared.statusIndex,
    hex(prepared.messageId),
    prepared.limitMinor,
    prepared.perPaymentCapMinor,
    prepared.allowanceMinor,
    prepared.protection,
    prepared.issuedAt,
    prepared.expiresAt,
    Buffer.from(prepared.toBeSigned),
    prepared.explanation,
    prepared.heldMinor,
    prepared.issuedAhead ? 1 : 0,
  );
  session.later(
    "INSERT INTO exposures (partition, certificate_id, settled_minor, released_minor) VALUES ($1, $2, 0, 0)",
    partition,
    hex(prepared.certificateId),
  );
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
