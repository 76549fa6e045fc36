import type { ReconciliationLine } from "../reconciliation-port.ts";
import type { Database, Row } from "./database.ts";
import { currencyIn, minor, number, oneOf, optional } from "./rows.ts";
import { PAYMENT_STATES } from "./settlement-state.ts";

type Period = { readonly from: number; readonly to: number };

/** Each payment once, by how it stands. */
export function reconcile(database: Database, { from, to }: Period): ReconciliationLine[] {
  const rows = database.all(SELECT, from, to);
  return rows.map((row: Row) => ({
    state: oneOf(row, "state", [...PAYMENT_STATES, "received", "rejected"] as const),
    currency: optional(row, "currency", currencyIn),
    payments: number(row, "payments"),
    amountMinor: minor(row, "amount_minor"),
    takenMinor: minor(row, "taken_minor"),
  }));
}

/**
 * Of the inbox, which is read once in its own order, the payments that records of the period name; of each all records
 * that name it, by their index, once: they say whether one came before, where the payment is, and whether one waits. Whose
 * currency it is in is asked once a certificate.
 */
const SELECT = `
  SELECT coalesce(g.state, iif(g.waits, 'received', 'rejected')) AS state, a.currency, sum(g.payments) AS payments,
    coalesce(sum(g.amount_minor), 0) AS amount_minor, coalesce(sum(g.taken_minor), 0) AS taken_minor
  FROM (
    SELECT state, waits, certificate, count(*) AS payments, sum(amount_minor) AS amount_minor,
      sum(taken_minor) AS taken_minor
    FROM (
      SELECT max(p.state) AS state, max(p.certificate) AS certificate, max(p.amount_minor) AS amount_minor,
        max(p.taken_minor) AS taken_minor,
        max(p.inbox_id IS NULL AND NOT EXISTS (SELECT 1 FROM inbox_answers w WHERE w.inbox_id = x.inbox_id)) AS waits
      FROM (
        SELECT DISTINCT payment_key, payment_id FROM inbox NOT INDEXED
        WHERE payment_id IS NOT NULL AND received_at >= ?1 AND received_at < ?2
      ) i
      CROSS JOIN inbox x ON x.payment_key = i.payment_key AND x.payment_id = i.payment_id
      LEFT JOIN payments p ON p.inbox_id = x.inbox_id AND p.payment_id = x.payment_id
      GROUP BY i.payment_key, i.payment_id HAVING min(x.received_at) >= ?1
    )
    GROUP BY state, waits, certificate
  ) g
  LEFT JOIN certificates c ON c.status_index = g.certificate
  LEFT JOIN accounts a ON a.partition = c.partition AND a.account = c.account
  GROUP BY 1, 2 ORDER BY 1, 2`;
