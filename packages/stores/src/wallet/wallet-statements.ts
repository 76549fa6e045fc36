import type { DatabaseSync } from "node:sqlite";

const CERTIFICATES = `
  SELECT c.*, p.sequence, p.spent_minor, p.payment_id AS last_payment_id,
    (SELECT count(*) FROM payments u WHERE u.certificate_id = c.certificate_id AND u.signed IS NULL)
      AS unsigned_payments
  FROM certificates c
  LEFT JOIN payments p ON p.certificate_id = c.certificate_id
    AND p.sequence = (SELECT max(sequence) FROM payments l WHERE l.certificate_id = c.certificate_id)`;

export type Statements = ReturnType<typeof prepareWalletStatements>;

/** Every statement that the wallet's store runs, prepared once. Where something is kept already, the first stays. */
export function prepareWalletStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  return {
    identity: prepare("SELECT * FROM identity"),
    certificates: prepare(`${CERTIFICATES} ORDER BY c.entry`),
    certificate: prepare(`${CERTIFICATES} WHERE c.certificate_id = ?`),
    payments: prepare("SELECT * FROM payments ORDER BY entry"),
    unfinished: prepare(
      "SELECT * FROM payments WHERE outcome_state IS NULL OR outcome_state IN ('pending', 'held') ORDER BY entry",
    ),
    unshownOpen: prepare("SELECT * FROM payments WHERE kind = 'open-payment' AND shown = 0 ORDER BY entry"),
    payment: prepare("SELECT * FROM payments WHERE payment_id = ?"),
    paymentOfRequest: prepare("SELECT * FROM payments WHERE request_id = ?"),

    addIdentity: prepare("INSERT INTO identity VALUES (1, ?, ?, ?, ?, ?, ?, ?, ?)"),
    setTrustList: prepare("UPDATE identity SET trust_list = ?"),
    setStatusList: prepare("UPDATE identity SET status_list = ?"),
    setNewestSeen: prepare("UPDATE identity SET newest_seen = max(newest_seen, ?)"),
    addCertificate: prepare(
      "INSERT INTO certificates (certificate_id, certificate, limit_minor) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
    ),
    setRevoked: prepare("UPDATE certificates SET revoked = 1 WHERE certificate_id = ?"),
    addPayment: prepare(`INSERT INTO payments (payment_id, kind, certificate_id, sequence, amount_minor, spent_minor,
      prepared_at, request_id, draft, request, payee_certificate) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    setSigned: prepare("UPDATE payments SET signed = ? WHERE payment_id = ? AND signed IS NULL"),
    setShown: prepare("UPDATE payments SET shown = 1 WHERE payment_id = ?"),
    setReceipt: prepare(`UPDATE payments SET receipt = ?, payee_certificate = coalesce(payee_certificate, ?)
      WHERE payment_id = ? AND receipt IS NULL`),
    setVoid: prepare("UPDATE payments SET request_void = ? WHERE payment_id = ? AND request_void IS NULL"),
    setOutcome: prepare(`UPDATE payments SET outcome_state = ?, outcome_code = ?, outcome_sentence = ?,
      outcome_taken_minor = ?, outcome_heard_at = ? WHERE payment_id = ?`),
    addClosing: prepare("UPDATE certificates SET closing_draft = ? WHERE certificate_id = ?"),
    setClosing: prepare("UPDATE certificates SET closing = ? WHERE certificate_id = ? AND closing IS NULL"),
    setClosingDelivered: prepare("UPDATE certificates SET closing_delivered = 1 WHERE certificate_id = ?"),
  };
}
