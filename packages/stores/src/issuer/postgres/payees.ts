import type { PayeeId } from "@cairn/messages";
import { partitionOfId } from "../partitions.ts";
import type { PayeeRecord } from "../port.ts";
import type { Database } from "./database.ts";
import { currencyIn, id, minor, number, type Row, text } from "./rows.ts";

export class Payees {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  create(payee: PayeeRecord): Promise<"created" | "exists"> {
    const partition = partitionOfId(payee.payeeId);
    return this.#database.inPartition(partition, async (session) => {
      const written = await session.run(
        `INSERT INTO payees (partition, payee_id, name, currency, per_payment_cap_minor, stored_total_cap_minor,
            per_certificate_cap_minor, maximum_offline_seconds, created_at)
          VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) ON CONFLICT DO NOTHING`,
        partition,
        payee.payeeId,
        payee.name,
        payee.currency,
        payee.perPaymentCapMinor,
        payee.storedTotalCapMinor,
        payee.perCertificateCapMinor,
        payee.maximumOfflineSeconds,
        payee.createdAt,
      );
      return written === 1 ? "created" : "exists";
    });
  }

  async find(payeeId: PayeeId): Promise<PayeeRecord | undefined> {
    const row = await this.#database.get(
      "SELECT * FROM payees WHERE partition = $1 AND payee_id = $2",
      partitionOfId(payeeId),
      payeeId,
    );
    return row === undefined ? undefined : payeeFrom(row);
  }

  async all(): Promise<PayeeRecord[]> {
    return (await this.#database.all(`SELECT * FROM payees ORDER BY payee_id COLLATE "C"`)).map(payeeFrom);
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
