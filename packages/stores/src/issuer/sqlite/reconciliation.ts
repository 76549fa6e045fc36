import type { ReconciliationLine } from "../reconciliation-port.ts";
import type { Database, Row } from "./database.ts";
import type { PaymentIndex } from "./payment-index/payment-index.ts";
import { currencyIn, minor, number, oneOf, optional } from "./rows.ts";
import { PAYMENT_STATES } from "./settlement-state.ts";

type Period = { readonly from: number; readonly to: number };

/** Each payment once, by how it stands. */
export function reconcile(database: Database, index: PaymentIndex, { from, to }: Period): ReconciliationLine[] {
  database.run(NAMED_AGAIN);
  try {
    for (const { key, inboxId } of index.shared())
      database.run("INSERT OR IGNORE INTO named_again VALUES (?, ?)", key, inboxId);
    return database.all(SELECT, from, to).map((row: Row) => ({
      state: oneOf(row, "state", [...PAYMENT_STATES, "received", "rejected"] as const),
      currency: optional(row, "currency", currencyIn),
      payments: number(row, "payments"),
      amountMinor: minor(row, "amount_minor"),
      takenMinor: minor(row, "taken_minor"),
    }));
  } finally {
    database.run("DELETE FROM named_again");
  }
}

/** Records that may name a payment which another one names too; of the others each is all that is known of its payment. */
const NAMED_AGAIN = `CREATE TEMP TABLE IF NOT EXISTS named_again (
  payment_key INTEGER NOT NULL,
  inbox_id INTEGER NOT NULL,
  PRIMARY KEY (payment_key, inbox_id)
) STRICT, WITHOUT ROWID`;

/** Of a record `i`. */
const WAITS = "p.inbox_id IS NULL AND NOT EXISTS (SELECT 1 FROM inbox_answers w WHERE w.inbox_id = i.inbox_id)";
const IN_PERIOD = "i.payment_id IS NOT NULL AND i.received_at >= ?1 AND i.received_at < ?2";
const OWN_PAYMENT = "LEFT JOIN payments p ON p.inbox_id = i.inbox_id AND p.payment_id = i.payment_id";

/**
 * Of the inbox, which is read once in its own order, the payments that records of the period name. Of most the record is
 * all that is known; of the others all records that name it, once: they say whether one came before, where the payment
 * is, and whether one waits. Whose currency it is in is asked once a certificate.
 */
const SELECT = `
  SELECT coalesce(g.state, iif(g.waits, 'received', 'rejected')) AS state, a.currency, sum(g.payments) AS payments,
    coalesce(sum(g.amount_minor), 0) AS amount_minor, coalesce(sum(g.taken_minor), 0) AS taken_minor
  FROM (
    SELECT state, waits, certificate, count(*) AS payments, sum(amount_minor) AS amount_minor,
      sum(taken_minor) AS taken_minor
    FROM (
      SELECT p.state, p.certificate, p.amount_minor, p.taken_minor, ${WAITS} AS waits
      FROM inbox i ${OWN_PAYMENT}
      WHERE ${IN_PERIOD} AND NOT EXISTS (SELECT 1 FROM named_again s WHERE s.payment_key = i.payment_key)
      UNION ALL
      SELECT max(p.state), max(p.certificate), max(p.amount_minor), max(p.taken_minor), max(${WAITS})
      FROM (
        SELECT DISTINCT i.payment_key, i.payment_id FROM named_again s JOIN inbox i ON i.inbox_id = s.inbox_id
        WHERE ${IN_PERIOD}
      ) n
      CROSS JOIN named_again s ON s.payment_key = n.payment_key
      CROSS JOIN inbox i ON i.inbox_id = s.inbox_id AND i.payment_id = n.payment_id
      ${OWN_PAYMENT}
      GROUP BY n.payment_key, n.payment_id HAVING min(i.received_at) >= ?1
    )
    GROUP BY state, waits, certificate
  ) g
  LEFT JOIN certificates c ON c.status_index = g.certificate
  LEFT JOIN accounts a ON a.partition = c.partition AND a.account = c.account
  GROUP BY 1, 2 ORDER BY 1, 2`;
