import type { DatabaseSync } from "node:sqlite";

const REQUESTS =
  "SELECT requests.*, payee_certificate FROM requests JOIN payee_certificates USING (payee_certificate_id)";
const UPLOADS = `SELECT acceptances.*, payee_certificate, request
  FROM acceptances JOIN payee_certificates USING (payee_certificate_id) LEFT JOIN requests USING (request_id)`;
const HELD = "coalesce(taken_minor, amount_minor)";
/** As `stateOf` in collect. */
const STATE = "CASE WHEN taken_minor IS NULL THEN 'uncaptured' ELSE coalesce(answer_state, 'stored') END";

/** Every statement of the journal, prepared once. */
export function prepareStatements(database: DatabaseSync) {
  const prepare = (sql: string) => database.prepare(sql);
  return {
    marks: prepare(`SELECT issuer_time, refused_not_kept, coalesce((SELECT revision FROM setup), 0) AS revision,
      (SELECT count(*) FROM refused_payments) AS kept FROM marks`),
    raiseIssuerTime: prepare("UPDATE marks SET issuer_time = ? WHERE issuer_time < ?"),
    countRefused: prepare("UPDATE marks SET refused_not_kept = refused_not_kept + 1"),
    setup: prepare("SELECT * FROM setup"),
    replaceSetup: prepare("INSERT OR REPLACE INTO setup VALUES (1, ?, ?, ?, ?, ?, ?)"),
    guests: prepare("SELECT * FROM guests ORDER BY issuer_id"),
    forgetGuests: prepare("DELETE FROM guests"),
    addGuest: prepare("INSERT INTO guests VALUES (?, ?, ?)"),
    payeeCertificate: prepare("SELECT payee_certificate FROM payee_certificates WHERE payee_certificate_id = ?"),
    keepPayeeCertificate: prepare("INSERT INTO payee_certificates VALUES (?, ?) ON CONFLICT DO NOTHING"),

    addRequest: prepare(`INSERT INTO requests (request_id, request_hash, request, payee_certificate_id, issued_at)
      VALUES (?, ?, ?, ?, ?)`),
    request: prepare(`${REQUESTS} WHERE request_id = ?`),
    requestByHash: prepare(`${REQUESTS} WHERE request_hash = ?`),
    requests: prepare(`${REQUESTS} WHERE issued_at >= ? AND issued_at < ? ORDER BY issued_at DESC, entry DESC LIMIT ?`),
    voidRequest: prepare("UPDATE requests SET voided_at = ? WHERE request_id = ?"),
    payRequest: prepare("UPDATE requests SET paid_by = ? WHERE request_id = ? AND paid_by IS NULL"),
    keepVoid: prepare(`UPDATE requests SET request_void = coalesce(request_void, ?) WHERE request_id = ?
      RETURNING request_void`),
    voids: prepare(`${REQUESTS} WHERE voided_at IS NOT NULL AND void_answered_at IS NULL ORDER BY entry LIMIT ?`),
    guestVoids: prepare(`${REQUESTS} WHERE voided_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM guests_told
      WHERE guests_told.request_id = requests.request_id AND issuer_id = ?) ORDER BY entry LIMIT ?`),
    tellGuest: prepare(`INSERT INTO guests_told SELECT request_id, ?, ? FROM requests WHERE request_id = ?
      ON CONFLICT DO NOTHING`),
    answerVoid: prepare("UPDATE requests SET void_answered_at = ? WHERE request_id = ?"),

    accept: prepare(`INSERT INTO acceptances (payment_id, kind, certificate_id, sequence, spent_minor, amount_minor,
      certificate, payment, payee_certificate_id, request_id, accepted_at, risk, taken_minor,
      guest_issuer_id) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`),
    acceptance: prepare("SELECT * FROM acceptances WHERE payment_id = ?"),
    newest: prepare(`SELECT sequence, spent_minor, amount_minor FROM acceptances WHERE certificate_id = ?
      ORDER BY sequence DESC LIMIT 1`),
    ofCertificate: prepare(`SELECT coalesce(sum(${HELD}), 0) AS total FROM acceptances WHERE certificate_id = ?`),
    stored: prepare(`SELECT count(*) AS count, coalesce(sum(${HELD}), 0) AS total FROM acceptances
      WHERE answer_state IS NULL`),
    acceptances: prepare(`SELECT * FROM acceptances WHERE accepted_at >= ? AND accepted_at < ?
      ORDER BY accepted_at DESC, entry DESC LIMIT ?`),
    tally: prepare(`SELECT ${STATE} AS state, count(*) AS count,
      sum(CASE answer_state WHEN 'settled' THEN answer_taken_minor ELSE ${HELD} END) AS total
      FROM acceptances WHERE accepted_at >= ? AND accepted_at < ? GROUP BY 1 ORDER BY 1`),
    capture: prepare("UPDATE acceptances SET taken_minor = ? WHERE payment_id = ? AND taken_minor IS NULL"),
    keepCapture: prepare(`UPDATE acceptances SET capture = coalesce(capture, ?) WHERE payment_id = ?
      RETURNING capture`),
    unanswered: prepare(`${UPLOADS} WHERE answer_state IS NULL AND taken_minor IS NOT NULL AND guest_issuer_id IS ?
      ORDER BY acceptances.entry LIMIT ?`),
    unsettled:
      prepare(`${UPLOADS} WHERE answer_state IS NOT 'settled' AND taken_minor IS NOT NULL AND guest_issuer_id IS ?
      ORDER BY acceptances.entry LIMIT ?`),
    toAsk: prepare(`SELECT payment_id FROM acceptances WHERE answer_state IN ('received', 'pending', 'held', 'released')
      AND guest_issuer_id IS ? ORDER BY answered_at, entry LIMIT ?`),
    answer: prepare(`UPDATE acceptances SET answer_state = ?, answer_code = ?, answer_sentence = ?,
      answer_taken_minor = ?, answered_at = ? WHERE payment_id = ?`),

    keepRefused: prepare(`INSERT INTO refused_payments (payment_id, kind, certificate_id, amount_minor, certificate,
      payment, code, refused_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`),
    refused: prepare(`SELECT * FROM refused_payments WHERE refused_at >= ? AND refused_at < ?
      ORDER BY refused_at DESC, entry DESC LIMIT ?`),
    refusedCounts: prepare(`SELECT count(*) AS kept, coalesce(sum(certificate_id = ?), 0) AS of_certificate,
      coalesce(sum(payment_id = ?), 0) AS this_one FROM refused_payments`),
  };
}

export type Statements = ReturnType<typeof prepareStatements>;
