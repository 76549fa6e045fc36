import type { PayeeId } from "@cairn/messages";
import { partitionOfId } from "../partitions.ts";
import type { PayeeRecord } from "../port.ts";
import type { Database, Row } from "./database.ts";
import { currencyIn, id, minor, number, text } from "./rows.ts";

export class Payees {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  create(payee: PayeeRecord): "created" | "exists" {
    const written = this.#database.transaction(() =>
      this.#database.run(
        "INSERT INTO payees VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        partitionOfId(payee.payeeId),
        payee.payeeId,
        payee.name,
        payee.currency,
        payee.perPaymentCapMinor,
        payee.storedTotalCapMinor,
        payee.perCertificateCapMinor,
        payee.maximumOfflineSeconds,
        payee.createdAt,
      ),
    );
    return written === 1 ? "created" : "exists";
  }

  find(payeeId: PayeeId): PayeeRecord | undefined {
    const row = this.#database.get(
      "SELECT * FROM payees WHERE partition = ? AND payee_id = ?",
      partitionOfId(payeeId),
      payeeId,
    );
    return row === undefined ? undefined : payeeFrom(row);
  }

  all(): PayeeRecord[] {
    return this.#database.all("SELECT * FROM payees ORDER BY payee_id").map(payeeFrom);
  }
}

function payeeFrom(row: Row): PayeeRecord {
  return {
    payeeId: id<PayeeId>(row, "payee_id"),
    name: text(row, "name"),
    currency: currencyIn(row),
    perPaymentCapMinor: minor(row, "per_payment_cap_minor"),
    storedTotalCapMinor: minor(row, "stored_total_cap_minor"),
    perCertificateCapMinor: minor(row, "per_certificate_cap_minor"),
    maximumOfflineSeconds: number(row, "maximum_offline_seconds"),
    createdAt: number(row, "created_at"),
  };
}
