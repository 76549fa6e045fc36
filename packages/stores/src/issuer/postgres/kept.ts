import type { CertificateId } from "@cairn/messages";
import { KEPT_PAGE, type KeptPage, type KeptPayment, keptPage } from "../kept-port.ts";
import type { InboxRecord } from "../port.ts";
import type { Database } from "./database.ts";
import { recordFrom } from "./inbox.ts";
import { bytes, id, number } from "./rows.ts";
import { PAYMENT_COLUMNS, paymentFrom } from "./settlement-state.ts";

/** Marks are the primary key of the last row. */
export async function keptRecords(database: Database, after = "-1 0"): Promise<KeptPage<InboxRecord>> {
  const [partition = "", inboxId = ""] = after.split(" ");
  const rows = await database.all(
    `SELECT * FROM inbox WHERE (partition, inbox_id) > ($1, $2) ORDER BY partition, inbox_id LIMIT ${KEPT_PAGE}`,
    Number(partition),
    Number(inboxId),
  );
  return keptPage(rows, {
    kept: recordFrom,
    markOf: (row) => `${number(row, "partition")} ${number(row, "inbox_id")}`,
  });
}

export async function keptPayments(database: Database, after = "-1 0"): Promise<KeptPage<KeptPayment>> {
  const [partition = "", inboxId = ""] = after.split(" ");
  const rows = await database.all(
    `SELECT ${PAYMENT_COLUMNS}, p.partition, p.inbox_id, p.bytes FROM payments p
      WHERE (p.partition, p.inbox_id) > ($1, $2) ORDER BY p.partition, p.inbox_id LIMIT ${KEPT_PAGE}`,
    Number(partition),
    Number(inboxId),
  );
  return keptPage(rows, {
    kept: (row) => ({
      ...paymentFrom(row),
      certificateId: id<CertificateId>(row, "certificate_id"),
      bytes: bytes(row, "bytes"),
    }),
    markOf: (row) => `${number(row, "partition")} ${number(row, "inbox_id")}`,
  });
}
