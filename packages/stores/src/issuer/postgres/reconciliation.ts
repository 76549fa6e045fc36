import type { ReconciliationLine } from "../reconciliation-port.ts";
import type { Database } from "./database.ts";
import { isWaiting } from "./inbox.ts";
import { currencyIn, minor, number, oneOf, optional, type Row } from "./rows.ts";
import { PAYMENT_STATES } from "./settlement-state.ts";

type Period = { readonly from: number; readonly to: number };

/** Each payment once, by how it stands. */
export async function reconcile(database: Database, { from, to }: Period): Promise<ReconciliationLine[]> {
  const rows = await database.snapshot((all) => all(SELECT, from, to));
  return rows.map((row: Row) => ({
    state: oneOf(row, "state", [...PAYMENT_STATES, "received", "rejected"] as const),
    currency: optional(row, "currency", currencyIn),
    payments: number(row, "payments"),
    amountMinor: minor(row, "amount_minor"),
    takenMinor: minor(row, "taken_minor"),
  }));
}

/**
 * Of the inbox, which is read once, those that came in the period, less the payments that an earlier record had named: to
 * find each payment's first record among all there are took longer than everything else together.
 */
const SELECT = `
  SELECT coalesce(p.state, CASE WHEN EXISTS (
      SELECT 1 FROM inbox x WHERE x.payment_key = i.payment_key AND x.partition = i.partition
        AND x.payment_id = i.payment_id AND ${isWaiting("x")}) THEN 'received' ELSE 'rejected' END) AS state,
    a.currency, count(*) AS payments, coalesce(sum(p.amount_minor), 0) AS amount_minor,
    coalesce(sum(p.taken_minor), 0) AS taken_minor
  FROM (
    SELECT DISTINCT partition, payment_key, payment_id FROM inbox
    WHERE payment_id IS NOT NULL AND received_at >= $1 AND received_at < $2
  ) i
  LEFT JOIN payments p ON p.partition = i.partition AND p.payment_id = i.payment_id
  LEFT JOIN certificates c ON c.partition = p.partition AND c.certificate_id = p.certificate_id
  LEFT JOIN accounts a ON a.partition = c.partition AND a.account = c.account
  WHERE NOT EXISTS (
    SELECT 1 FROM inbox e WHERE e.payment_key = i.payment_key AND e.partition = i.partition
      AND e.payment_id = i.payment_id AND e.received_at < $1)
  GROUP BY 1, 2 ORDER BY 1, 2`;
