import type { CertificateId } from "@cairn/messages";
import { KEPT_PAGE, type KeptPage, type KeptPayment, keptPage } from "../kept-port.ts";
import type { InboxRecord } from "../port.ts";
import type { Database } from "./database.ts";
import { recordFrom } from "./inbox.ts";
import { bytes, id, number, text } from "./rows.ts";
import { PAYMENT_COLUMNS, paymentFrom } from "./settlement-state.ts";

/** Marks are the primary key of the last row: partition and hexadecimal text. */
const FIRST = "-1 ";

export async function keptRecords(database: Database, after = FIRST): Promise<KeptPage<InboxRecord>> {
  const [partition = "", recordHash = ""] = after.split(" ");
  const rows = await database.all(
    `SELECT * FROM inbox WHERE (partition, record_hash) > ($1, $2)
      ORDER BY partition, record_hash LIMIT ${KEPT_PAGE}`,
    Number(partition),
    Buffer.from(recordHash, "hex"),
  );
  return keptPage(rows, {
    kept: recordFrom,
    markOf: (row) => `${number(row, "partition")} ${text(row, "record_hash")}`,
  });
}

export async function keptPayments(database: Database, after = FIRST): Promise<KeptPage<KeptPayment>> {
  const [partition = "", paymentId = ""] = after.split(" ");
  const rows = await database.all(
    `SELECT ${PAYMENT_COLUMNS}, p.partition, p.bytes FROM payments p WHERE (p.partition, p.payment_id) > ($1, $2)
      ORDER BY p.partition, p.payment_id LIMIT ${KEPT_PAGE}`,
    Number(partition),
    Buffer.from(paymentId, "hex"),
  );
  return keptPage(rows, {
    kept: (row) => ({
      ...paymentFrom(row),
      certificateId: id<CertificateId>(row, "certificate_id"),
      bytes: bytes(row, "bytes"),
    }),
    markOf: (row) => `${number(row, "partition")} ${text(row, "payment_id")}`,
  });
}
