import { type AccountNumber, partitionOf } from "@cairn/issue";
import type { DeviceId, KeyProtection, PayeeCertificateId, PayeeId, TerminalId } from "@cairn/messages";
import { decideEnrolment, type KeptEnrolmentCode } from "../enrolment-decision.ts";
import { partitionOfId } from "../partitions.ts";
import type { DeviceRecord, EnrolmentCode, EnrolmentFailure, IssuerStore, TerminalRecord } from "../port.ts";
import { found } from "../store-error.ts";
import { STATUSES } from "./accounts.ts";
import type { Database, Row } from "./database.ts";
import { accountIn, bytes, damaged, id, number, oneOf, optional, text } from "./rows.ts";

type EnrolDevice = Parameters<IssuerStore["enrolDevice"]>[0];
type EnrolTerminal = Parameters<IssuerStore["enrolTerminal"]>[0];
type PayeeCertificate = Parameters<IssuerStore["recordPayeeCertificate"]>[0];
type Status = (typeof STATUSES)[number];

/** A terminal with the payee certificate that was issued to it last. */
const SELECT_TERMINAL = `SELECT t.*, (SELECT c.bytes FROM payee_certificates c
    WHERE c.partition = t.partition AND c.terminal_id = t.terminal_id
    ORDER BY issued_at DESC, number DESC LIMIT 1) AS payee_certificate
  FROM terminals t`;

/** Devices, terminals, and the one-time codes by which they come in. */
export class Enrolment {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  createCode({ codeHash, for: owner, expiresAt }: EnrolmentCode): "created" | "exists" {
    const isDevice = "account" in owner;
    return this.#database.transaction(() => {
      if (isDevice) this.#requireAccount(owner.account);
      else this.#requirePayee(owner.payeeId);
      const created = this.#database.run(
        "INSERT INTO enrolment_codes VALUES (?, ?, ?, ?, ?, ?, NULL) ON CONFLICT DO NOTHING",
        partitionOfId(codeHash),
        codeHash,
        isDevice ? owner.account : null,
        (isDevice ? owner.replacesDeviceId : undefined) ?? null,
        isDevice ? null : owner.payeeId,
        expiresAt,
      );
      return created === 1 ? "created" : "exists";
    });
  }

  forgetExpiredCodes({ partition, before }: Parameters<IssuerStore["forgetExpiredCodes"]>[0]): number {
    return this.#database.transaction(() =>
      this.#database.run(
        "DELETE FROM enrolment_codes WHERE partition = ? AND used_by IS NULL AND expires_at < ?",
        partition,
        before,
      ),
    );
  }

  enrolDevice(input: EnrolDevice): DeviceRecord | EnrolmentFailure {
    const { codeHash, deviceId, publicKey, protection, label, at } = input;
    return this.#database.transaction(() => {
      const code = this.#code(codeHash);
      const decision = this.#decide(code, "device", deviceId, at);
      if (decision === "enrol" && code !== undefined && "account" in code.for) {
        const { account, replacesDeviceId } = code.for;
        this.#database.run(
          "INSERT INTO devices VALUES (?, ?, ?, ?, ?, ?, 'active', ?, ?)",
          partitionOf(account),
          deviceId,
          account,
          publicKey,
          protection,
          label,
          replacesDeviceId ?? null,
          at,
        );
        this.#useUp(codeHash, deviceId);
      }
      return decision === "enrol" || decision === "repeat"
        ? found(this.device(deviceId), "DEVICE_UNKNOWN", deviceId)
        : decision;
    });
  }

  enrolTerminal(input: EnrolTerminal): TerminalRecord | EnrolmentFailure {
    const { codeHash, terminalId, publicKey, label, at } = input;
    return this.#database.transaction(() => {
      const code = this.#code(codeHash);
      const decision = this.#decide(code, "terminal", terminalId, at);
      if (decision === "enrol" && code !== undefined && "payeeId" in code.for) {
        const { payeeId } = code.for;
        this.#database.run(
          "INSERT INTO terminals VALUES (?, ?, ?, ?, ?, 'active', ?)",
          partitionOfId(payeeId),
          terminalId,
          payeeId,
          publicKey,
          label,
          at,
        );
        this.#useUp(codeHash, terminalId);
      }
      return decision === "enrol" || decision === "repeat"
        ? found(this.terminal(terminalId), "TERMINAL_UNKNOWN", terminalId)
        : decision;
    });
  }

  device(deviceId: DeviceId): DeviceRecord | undefined {
    const row = this.#database.get("SELECT * FROM devices WHERE device_id = ?", deviceId);
    return row === undefined ? undefined : deviceFrom(row);
  }

  devicesOf(account: AccountNumber): readonly DeviceRecord[] {
    return this.#database
      .all(
        "SELECT * FROM devices WHERE partition = ? AND account = ? ORDER BY enrolled_at, device_id",
        partitionOf(account),
        account,
      )
      .map(deviceFrom);
  }

  terminal(terminalId: TerminalId): TerminalRecord | undefined {
    const row = this.#database.get(`${SELECT_TERMINAL} WHERE terminal_id = ?`, terminalId);
    return row === undefined ? undefined : terminalFrom(row);
  }

  terminalsOf(payeeId: PayeeId): readonly TerminalRecord[] {
    return this.#database
      .all(
        `${SELECT_TERMINAL} WHERE partition = ? AND payee_id = ? ORDER BY enrolled_at, terminal_id`,
        partitionOfId(payeeId),
        payeeId,
      )
      .map(terminalFrom);
  }

  setDeviceStatus(deviceId: DeviceId, status: Status): void {
    const changed = this.#database.transaction(() =>
      this.#database.run("UPDATE devices SET status = ? WHERE device_id = ?", status, deviceId),
    );
    found(changed === 1 ? changed : undefined, "DEVICE_UNKNOWN", deviceId);
  }

  setTerminalStatus(terminalId: TerminalId, status: Status): void {
    const changed = this.#database.transaction(() =>
      this.#database.run("UPDATE terminals SET status = ? WHERE terminal_id = ?", status, terminalId),
    );
    found(changed === 1 ? changed : undefined, "TERMINAL_UNKNOWN", terminalId);
  }

  recordPayeeCertificate(input: PayeeCertificate): void {
    const { payeeCertificateId, terminalId, bytes: signed, issuedAt, expiresAt } = input;
    this.#database.transaction(() => {
      const { payeeId } = found(this.terminal(terminalId), "TERMINAL_UNKNOWN", terminalId);
      const partition = partitionOfId(payeeId);
      this.#database.run(
        `INSERT INTO payee_certificates VALUES (?, ?, ?, ?, ?, ?,
          (SELECT count(*) FROM payee_certificates WHERE partition = ? AND terminal_id = ?)) ON CONFLICT DO NOTHING`,
        partition,
        payeeCertificateId,
        terminalId,
        signed,
        issuedAt,
        expiresAt,
        partition,
        terminalId,
      );
    });
  }

  payeeCertificate(payeeId: PayeeId, payeeCertificateId: PayeeCertificateId): Uint8Array | undefined {
    const row = this.#database.get(
      `SELECT c.bytes FROM payee_certificates c
        JOIN terminals t ON t.partition = c.partition AND t.terminal_id = c.terminal_id
        WHERE c.partition = ? AND c.payee_certificate_id = ? AND t.payee_id = ?`,
      partitionOfId(payeeId),
      payeeCertificateId,
      payeeId,
    );
    return row === undefined ? undefined : bytes(row, "bytes");
  }

  #decide(code: KeptEnrolmentCode | undefined, kind: "device" | "terminal", keyId: DeviceId | TerminalId, at: number) {
    const known = this.#database.get(
      "SELECT 1 AS known FROM devices WHERE device_id = ? UNION ALL SELECT 1 FROM terminals WHERE terminal_id = ?",
      keyId,
      keyId,
    );
    return decideEnrolment({ code, kind, keyId, keyIsKnown: known !== undefined, at });
  }

  #code(codeHash: string): KeptEnrolmentCode | undefined {
    const row = this.#database.get(
      "SELECT * FROM enrolment_codes WHERE partition = ? AND code_hash = ?",
      partitionOfId(codeHash),
      codeHash,
    );
    return row === undefined ? undefined : codeFrom(row);
  }

  #useUp(codeHash: string, usedBy: string): void {
    this.#database.run(
      "UPDATE enrolment_codes SET used_by = ? WHERE partition = ? AND code_hash = ?",
      usedBy,
      partitionOfId(codeHash),
      codeHash,
    );
  }

  #requireAccount(account: DeviceRecord["account"]): void {
    const partition = partitionOf(account);
    const sql = "SELECT 1 AS known FROM accounts WHERE partition = ? AND account = ?";
    found(this.#database.get(sql, partition, account), "ACCOUNT_UNKNOWN", account);
  }

  #requirePayee(payeeId: PayeeId): void {
    const sql = "SELECT 1 AS known FROM payees WHERE partition = ? AND payee_id = ?";
    found(this.#database.get(sql, partitionOfId(payeeId), payeeId), "PAYEE_UNKNOWN", payeeId);
  }
}

function codeFrom(row: Row): KeptEnrolmentCode {
  return {
    codeHash: text(row, "code_hash"),
    for:
      row.account === null
        ? { payeeId: id<PayeeId>(row, "payee_id") }
        : { account: accountIn(row), replacesDeviceId: optional(row, "replaces_device_id", id<DeviceId>) },
    expiresAt: number(row, "expires_at"),
    usedBy: optional(row, "used_by", text),
  };
}

export function deviceFrom(row: Row): DeviceRecord {
  return {
    deviceId: id<DeviceId>(row, "device_id"),
    account: accountIn(row),
    publicKey: bytes(row, "public_key"),
    protection: protectionIn(row),
    label: text(row, "label"),
    status: oneOf(row, "status", STATUSES),
    replacesDeviceId: optional(row, "replaces_device_id", id<DeviceId>),
    enrolledAt: number(row, "enrolled_at"),
  };
}

export function protectionIn(row: Row): KeyProtection {
  const level = number(row, "protection");
  if (level === 0 || level === 1 || level === 2 || level === 3) return level;
  throw damaged("protection");
}

function terminalFrom(row: Row): TerminalRecord {
  return {
    terminalId: id<TerminalId>(row, "terminal_id"),
    payeeId: id<PayeeId>(row, "payee_id"),
    publicKey: bytes(row, "public_key"),
    label: text(row, "label"),
    status: oneOf(row, "status", STATUSES),
    enrolledAt: number(row, "enrolled_at"),
    payeeCertificate: optional(row, "payee_certificate", bytes),
  };
}
