import type { CertificateId, MessageId, PayeeId, TerminalId } from "@cairn/messages";
import {
  type InboxFacts,
  mainOutcome,
  outcomeSeenBy,
  type PaymentFacts,
  type StoredSideClaim,
  sideOutcome,
} from "../outcome-views.ts";
import type { OutcomeViewer, StoredOutcome } from "../port.ts";
import type { Database, Row } from "./database.ts";
import type { PaymentIndex } from "./payment-index/payment-index.ts";
import { accountIn, currencyIn, id, number, optional, text } from "./rows.ts";
import { PAYMENT_COLUMNS, paymentFrom, sideClaimFrom } from "./settlement-state.ts";

const SELECT = `
  SELECT ${PAYMENT_COLUMNS}, p.decided_at, c.certificate_id, c.account, a.currency
  FROM payments p
  JOIN certificates c ON c.status_index = p.certificate
  JOIN accounts a ON a.partition = c.partition AND a.account = c.account`;

/** Of records that may name one of the payments wanted, those that do. */
const NAMING_PAYMENTS = `FROM inbox i WHERE i.inbox_id IN (SELECT value FROM json_each(?))
  AND i.payment_id IN (SELECT value FROM json_each(?))`;

/** Reads what became of payments. */
export class Outcomes {
  readonly #database: Database;
  readonly #index: PaymentIndex;

  constructor(database: Database, index: PaymentIndex) {
    this.#database = database;
    this.#index = index;
  }

  of(paymentIds: readonly MessageId[], viewer: OutcomeViewer | undefined): StoredOutcome[] {
    const wanted = [JSON.stringify(this.#index.records(paymentIds)), JSON.stringify(paymentIds)] as const;
    const payments = this.#facts(`p.inbox_id IN (SELECT i.inbox_id ${NAMING_PAYMENTS})`, ...wanted);
    const facts = new Map(payments.map((each) => [each.payment.paymentId, each]));
    const inbox = Map.groupBy(this.#inbox(wanted), (record) => record.paymentId);
    return [...new Set(paymentIds)].flatMap(
      (paymentId) => outcomeSeenBy(viewer, facts.get(paymentId), inbox.get(paymentId) ?? []) ?? [],
    );
  }

  ofCertificate(certificateId: CertificateId): StoredOutcome[] {
    const row = this.#database.get("SELECT partition FROM certificates WHERE certificate_id = ?", certificateId);
    if (row === undefined) return [];
    const condition = "c.partition = ? AND c.certificate_id = ? ORDER BY p.sequence, p.payment_id";
    return this.#facts(condition, number(row, "partition"), certificateId).map(mainOutcome);
  }

  held(): StoredOutcome[] {
    const payments = this.#facts("p.state = 'held'").map(mainOutcome);
    const claimed = this.#facts(
      `EXISTS (SELECT 1 FROM side_claims s WHERE s.state = 'held' AND s.payment_id = p.payment_id)
        AND p.certificate IN (SELECT c.status_index FROM side_claims s JOIN certificates c
          ON c.partition = s.partition AND c.certificate_id = s.certificate_id WHERE s.state = 'held')`,
    );
    const claims = claimed.flatMap((facts) =>
      facts.sideClaims.filter(({ state }) => state === "held").map((sideClaim) => sideOutcome(facts, sideClaim)),
    );
    return [...payments, ...claims].sort((left, right) => left.decidedAt - right.decidedAt);
  }

  #facts(condition: string, ...values: (string | number)[]): PaymentFacts[] {
    const rows = this.#database.all(`${SELECT} WHERE ${condition}`, ...values);
    const sideClaims = this.#sideClaims(rows.map((row) => text(row, "payment_id")));
    return rows.map((row) => {
      const payment = paymentFrom(row);
      return {
        certificateId: id<CertificateId>(row, "certificate_id"),
        account: accountIn(row),
        currency: currencyIn(row),
        payment,
        decidedAt: number(row, "decided_at"),
        sideClaims: sideClaims.get(payment.paymentId) ?? [],
      };
    });
  }

  #sideClaims(paymentIds: readonly string[]): ReadonlyMap<string, StoredSideClaim[]> {
    const rows = this.#database.all(
      "SELECT * FROM side_claims WHERE payment_id IN (SELECT value FROM json_each(?)) ORDER BY decided_at, claimed_minor",
      JSON.stringify(paymentIds),
    );
    const sideClaims = new Map<string, StoredSideClaim[]>();
    for (const row of rows) {
      const paymentId = text(row, "payment_id");
      const others = sideClaims.get(paymentId) ?? [];
      sideClaims.set(paymentId, [...others, { ...sideClaimFrom(row), decidedAt: number(row, "decided_at") }]);
    }
    return sideClaims;
  }

  #inbox(wanted: readonly [records: string, paymentIds: string]): InboxFacts[] {
    return this.#database
      .all(
        `SELECT i.payment_id, i.received_at, coalesce(a.decided_at, p.decided_at) AS decided_at, a.state, a.code,
            a.sentence, d.account, t.terminal_id, t.payee_id
          FROM inbox i
          LEFT JOIN inbox_answers a ON a.inbox_id = i.inbox_id
          LEFT JOIN payments p ON p.inbox_id = i.inbox_id
          LEFT JOIN devices d ON i.brought_by = 'payer' AND d.device_id = i.sender_id
          LEFT JOIN terminals t ON i.brought_by = 'terminal' AND t.terminal_id = i.sender_id
          WHERE i.inbox_id IN (SELECT i.inbox_id ${NAMING_PAYMENTS}) ORDER BY i.inbox_id`,
        ...wanted,
      )
      .map(inboxFactsFrom);
  }
}

function inboxFactsFrom(row: Row): InboxFacts {
  return {
    paymentId: id<MessageId>(row, "payment_id"),
    account: optional(row, "account", accountIn),
    payeeId: optional(row, "payee_id", id<PayeeId>),
    terminalId: optional(row, "terminal_id", id<TerminalId>),
    receivedAt: number(row, "received_at"),
    decidedAt: optional(row, "decided_at", number),
    rejection: row.state === "rejected" ? { code: text(row, "code"), sentence: text(row, "sentence") } : undefined,
  };
}
