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
 * Of the inbox, which is read once in its own order, those that came in the period, less the payments that an earlier
 * record had named: which is asked of each only if anything came in before.
 */
const SELECT = `
  SELECT coalesce(p.state, CASE WHEN EXISTS (
      SELECT 1 FROM inbox x WHERE x.payment_key = i.payment_key AND x.payment_id = i.payment_id
        AND NOT EXISTS (SELECT 1 FROM inbox_answers a WHERE a.inbox_id = x.inbox_id)) THEN 'received' ELSE 'rejected' END)
      AS state, a.currency, count(*) AS payments, coalesce(sum(p.amount_minor), 0) AS amount_minor,
    coalesce(sum(p.taken_minor), 0) AS taken_minor
  FROM (
    SELECT DISTINCT payment_key, payment_id FROM inbox NOT INDEXED
    WHERE payment_id IS NOT NULL AND received_at >= ?1 AND received_at < ?2
  ) i
  LEFT JOIN payments p ON p.payment_id = i.payment_id AND p.inbox_id IN (
    SELECT x.inbox_id FROM inbox x WHERE x.payment_key = i.payment_key AND x.payment_id = i.payment_id)
  LEFT JOIN certificates c ON c.status_index = p.certificate
  LEFT JOIN accounts a ON a.partition = c.partition AND a.account = c.account
  WHERE NOT (EXISTS (SELECT 1 FROM inbox f WHERE f.received_at < ?1) AND EXISTS (
    SELECT 1 FROM inbox e WHERE e.payment_key = i.payment_key AND e.payment_id = i.payment_id AND e.received_at < ?1))
  GROUP BY 1, 2 ORDER BY 1, 2`;
