import { type AccountNumber, partitionOf } from "@cairn/issue";
import type { DeviceId, KeyProtection, PayeeCertificateId, PayeeId, TerminalId } from "@cairn/messages";
import { decideEnrolment, type KeptEnrolmentCode } from "../enrolment-decision.ts";
import { partitionOfId } from "../partitions.ts";
import type { DeviceRecord, EnrolmentCode, EnrolmentFailure, IssuerStore, TerminalRecord } from "../port.ts";
import { found } from "../store-error.ts";
import { STATUSES } from "./accounts.ts";
import type { Database } from "./database.ts";
import { accountIn, bytes, damaged, id, number, oneOf, optional, type Row, text } from "./rows.ts";

type EnrolDevice = Parameters<IssuerStore["enrolDevice"]>[0];
type EnrolTerminal = Parameters<IssuerStore["enrolTerminal"]>[0];
type PayeeCertificate = Parameters<IssuerStore["recordPayeeCertificate"]>[0];
type Status = (typeof STATUSES)[number];

const hex = (idText: string): Buffer => Buffer.from(idText, "hex");

/** A terminal with the payee certificate that was issued to it last. */
const SELECT_TERMINAL = `SELECT t.*, (SELECT c.bytes FROM payee_certificates c
    WHERE c.partition = t.partition AND c.terminal_id = t.terminal_id
    ORDER BY issued_at DESC, number DESC LIMIT 1) AS payee_certificate
  FROM terminals t`;

/**
 * Devices, terminals, and the one-time codes by which they come in. A key, its code and its owner lie in partitions of
 * their own, so enrolling is three steps, each of them whole and each the same when it is done again: reserve the key
 * for the code, use the code up for the key, write the device. Whoever dies between two of them is completed by the
 * next call with the same key and code.
 */
export class Enrolment {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async createCode({ codeHash, for: owner, expiresAt }: EnrolmentCode): Promise<"created" | "exists"> {
    const isDevice = "account" in owner;
    if (isDevice) await this.#requireAccount(owner.account);
    else await this.#requirePayee(owner.payeeId);
    const replaces = isDevice ? owner.replacesDeviceId : undefined;
    const partition = partitionOfId(codeHash);
    const created = await this.#database.inPartition(partition, (session) =>
      session.run(
        `INSERT INTO enrolment_codes (partition, code_hash, account, replaces_device_id, payee_id, expires_at)
          VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING`,
        partition,
        codeHash,
        isDevice ? owner.account : null,
        replaces === undefined ? null : hex(replaces),
        isDevice ? null : owner.payeeId,
        expiresAt,
      ),
    );
    return created === 1 ? "created" : "exists";
  }

  forgetExpiredCodes({ partition, before }: Parameters<IssuerStore["forgetExpiredCodes"]>[0]): Promise<number> {
    return this.#database.run(
      "DELETE FROM enrolment_codes WHERE partition = $1 AND used_by IS NULL AND expires_at < $2",
      partition,
      before,
    );
  }

  async enrolDevice(input: EnrolDevice): Promise<DeviceRecord | EnrolmentFailure> {
    const { codeHash, deviceId, publicKey, protection, label, at } = input;
    const admitted = await this.#admit(codeHash, "device", deviceId, at);
    if (typeof admitted === "string") return admitted;
    if ("account" in admitted.for) {
      const { account, replacesDeviceId } = admitted.for;
      await this.#database.run(
        `INSERT INTO devices (partition, device_id, account, public_key, protection, label, status, replaces_device_id,
            enrolled_at)
          VALUES ($1, $2, $3, $4, $5, $6, 'active', $7, $8) ON CONFLICT DO NOTHING`,
        partitionOf(account),
        hex(deviceId),
        account,
        Buffer.from(publicKey),
        protection,
        label,
        replacesDeviceId === undefined ? null : hex(replacesDeviceId),
        at,
      );
    }
    return found(await this.device(deviceId), "DEVICE_UNKNOWN", deviceId);
  }

  async enrolTerminal(input: EnrolTerminal): Promise<TerminalRecord | EnrolmentFailure> {
    const { codeHash, terminalId, publicKey, label, at } = input;
    const admitted = await this.#admit(codeHash, "terminal", terminalId, at);
    if (typeof admitted === "string") return admitted;
    if ("payeeId" in admitted.for)
      await this.#database.run(
        `INSERT INTO terminals (partition, terminal_id, payee_id, public_key, label, status, enrolled_at)
          VALUES ($1, $2, $3, $4, $5, 'active', $6) ON CONFLICT DO NOTHING`,
        partitionOfId(admitted.for.payeeId),
        hex(terminalId),
        admitted.for.payeeId,
        Buffer.from(publicKey),
        label,
        at,
      );
    return found(await this.terminal(terminalId), "TERMINAL_UNKNOWN", terminalId);
  }

  async device(deviceId: DeviceId): Promise<DeviceRecord | undefined> {
    const row = await this.#database.get("SELECT * FROM devices WHERE device_id = $1", hex(deviceId));
    return row === undefined ? undefined : deviceFrom(row);
  }

  async devicesOf(account: AccountNumber): Promise<readonly DeviceRecord[]> {
    const rows = await this.#database.all(
      "SELECT * FROM devices WHERE partition = $1 AND account = $2 ORDER BY enrolled_at, device_id",
      partitionOf(account),
      account,
    );
    return rows.map(deviceFrom);
  }

  async terminal(terminalId: TerminalId): Promise<TerminalRecord | undefined> {
    const row = await this.#database.get(`${SELECT_TERMINAL} WHERE terminal_id = $1`, hex(terminalId));
    return row === undefined ? undefined : terminalFrom(row);
  }

  async terminalsOf(payeeId: PayeeId): Promise<readonly TerminalRecord[]> {
    const rows = await this.#database.all(
      `${SELECT_TERMINAL} WHERE partition = $1 AND payee_id = $2 ORDER BY enrolled_at, terminal_id`,
      partitionOfId(payeeId),
      payeeId,
    );
    return rows.map(terminalFrom);
  }

  async setDeviceStatus(deviceId: DeviceId, status: Status): Promise<void> {
    const changed = await this.#database.run(
      "UPDATE devices SET status = $2 WHERE device_id = $1",
      hex(deviceId),
      status,
    );
    found(changed === 1 ? changed : undefined, "DEVICE_UNKNOWN", deviceId);
  }

  async setTerminalStatus(terminalId: TerminalId, status: Status): Promise<void> {
    const sql = "UPDATE terminals SET status = $2 WHERE terminal_id = $1";
    const changed = await this.#database.run(sql, hex(terminalId), status);
    found(changed === 1 ? changed : undefined, "TERMINAL_UNKNOWN", terminalId);
  }

  async recordPayeeCertificate(input: PayeeCertificate): Promise<void> {
    const { payeeCertificateId, terminalId, bytes: signed, issuedAt, expiresAt } = input;
    const { payeeId } = found(await this.terminal(terminalId), "TERMINAL_UNKNOWN", terminalId);
    const partition = partitionOfId(payeeId);
    await this.#database.inPartition(partition, (session) =>
      session.run(
        `INSERT INTO payee_certificates (partition, payee_certificate_id, terminal_id, bytes, issued_at, expires_at, number)
          SELECT $1::smallint, $2::bytea, $3::bytea, $4::bytea, $5::bigint, $6::bigint, count(*) FROM payee_certificates
            WHERE partition = $1 AND terminal_id = $3
          ON CONFLICT DO NOTHING`,
        partition,
        hex(payeeCertificateId),
        hex(terminalId),
        Buffer.from(signed),
        issuedAt,
        expiresAt,
      ),
    );
  }

  async payeeCertificate(payeeId: PayeeId, payeeCertificateId: PayeeCertificateId): Promise<Uint8Array | undefined> {
    const row = await this.#database.get(
      `SELECT c.bytes FROM payee_certificates c
        JOIN terminals t ON t.partition = c.partition AND t.terminal_id = c.terminal_id
        WHERE c.partition = $1 AND c.payee_certificate_id = $2 AND t.payee_id = $3`,
      partitionOfId(payeeId),
      hex(payeeCertificateId),
      payeeId,
    );
    return row === undefined ? undefined : bytes(row, "bytes");
  }

  /** The code, now this key's; or why not. */
  async #admit(
    codeHash: string,
    kind: "device" | "terminal",
    keyId: DeviceId | TerminalId,
    at: number,
  ): Promise<KeptEnrolmentCode | EnrolmentFailure> {
    const code = await this.#code(codeHash);
    const keyPartition = partitionOfId(keyId);
    const owner = await this.#database.get(
      "SELECT code_hash FROM keys WHERE partition = $1 AND key_id = $2",
      keyPartition,
      hex(keyId),
    );
    // A key that another code reserved without enrolling it is as good as new.
    const keyIsKnown = owner !== undefined && (await this.#isEnrolled(keyId));
    const decision = decideEnrolment({ code, kind, keyId, keyIsKnown, at });
    if (code === undefined || (decision !== "enrol" && decision !== "repeat"))
      return decision === "enrol" || decision === "repeat" ? "code-unknown" : decision;
    const reserved = await this.#database.run(
      `INSERT INTO keys AS k (partition, key_id, code_hash) VALUES ($1, $2, $3)
        ON CONFLICT (partition, key_id) DO UPDATE SET code_hash = $3 WHERE k.code_hash = $3 OR k.code_hash = $4`,
      keyPartition,
      hex(keyId),
      codeHash,
      // Taken over only from the code that was seen: not from one that took it in between.
      owner === undefined || keyIsKnown ? codeHash : text(owner, "code_hash"),
    );
    if (reserved === 0) return "key-known";
    const used = await this.#database.run(
      "UPDATE enrolment_codes SET used_by = $3 WHERE partition = $1 AND code_hash = $2 AND (used_by IS NULL OR used_by = $3)",
      partitionOfId(codeHash),
      codeHash,
      hex(keyId),
    );
    return used === 1 ? code : "code-used";
  }

  async #isEnrolled(keyId: DeviceId | TerminalId): Promise<boolean> {
    const row = await this.#database.get(
      "SELECT EXISTS (SELECT FROM devices WHERE device_id = $1) OR EXISTS (SELECT FROM terminals WHERE terminal_id = $1) AS known",
      hex(keyId),
    );
    return row?.known === "t";
  }

  async #code(codeHash: string): Promise<KeptEnrolmentCode | undefined> {
    const row = await this.#database.get(
      "SELECT * FROM enrolment_codes WHERE partition = $1 AND code_hash = $2",
      partitionOfId(codeHash),
      codeHash,
    );
    return row === undefined ? undefined : codeFrom(row);
  }

  async #requireAccount(account: DeviceRecord["account"]): Promise<void> {
    const sql = "SELECT 1 AS known FROM accounts WHERE partition = $1 AND account = $2";
    found(await this.#database.get(sql, partitionOf(account), account), "ACCOUNT_UNKNOWN", account);
  }

  async #requirePayee(payeeId: PayeeId): Promise<void> {
    const sql = "SELECT 1 AS known FROM payees WHERE partition = $1 AND payee_id = $2";
    found(await this.#database.get(sql, partitionOfId(payeeId), payeeId), "PAYEE_UNKNOWN", payeeId);
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
