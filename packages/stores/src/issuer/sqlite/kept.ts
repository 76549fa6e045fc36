import type { CertificateId } from "@cairn/messages";
import { KEPT_PAGE, type KeptPage, type KeptPayment, keptPage } from "../kept-port.ts";
import type { InboxRecord } from "../port.ts";
import type { Database } from "./database.ts";
import { recordFrom } from "./inbox.ts";
import { bytes, id, number } from "./rows.ts";
import { PAYMENT_COLUMNS, paymentFrom } from "./settlement-state.ts";

export function keptRecords(database: Database, after = "0"): KeptPage<InboxRecord> {
  const sql = `SELECT * FROM inbox WHERE inbox_id > ? ORDER BY inbox_id LIMIT ${KEPT_PAGE}`;
  return keptPage(database.all(sql, Number(after)), {
    kept: recordFrom,
    markOf: (row) => `${number(row, "inbox_id")}`,
  });
}

export function keptPayments(database: Database, after = "0"): KeptPage<KeptPayment> {
  const rows = database.all(
    `SELECT ${PAYMENT_COLUMNS}, p.payment_number, p.bytes, c.certificate_id FROM payments p
      JOIN certificates c ON c.status_index = p.certificate
      WHERE p.payment_number > ? ORDER BY p.payment_number LIMIT ${KEPT_PAGE}`,
    Number(after),
  );
  return keptPage(rows, {
    kept: (row) => ({
      ...paymentFrom(row),
      certificateId: id<CertificateId>(row, "certificate_id"),
      bytes: bytes(row, "bytes"),
    }),
    markOf: (row) => `${number(row, "payment_number")}`,
  });
}
