import type { AccountNumber } from "@cairn/issue";
import type { CertificateId, DeviceId, MessageId, PayeeId, TerminalId } from "@cairn/messages";
import { type InboxFacts, mainOutcome, outcomeSeenBy, type PaymentFacts, sideOutcome } from "../outcome-views.ts";
import { keyOf } from "../payment-key.ts";
import type { OutcomeViewer, StoredOutcome } from "../port.ts";
import { bigints, hexadecimals, smallints } from "./binary-arrays.ts";
import type { Database } from "./database.ts";
import { OWN_PAYMENT } from "./inbox.ts";
import { accountIn, currencyIn, id, number, optional, type Row, text } from "./rows.ts";
import { PAYMENT_COLUMNS, paymentFrom, sideClaimFrom } from "./settlement-state.ts";
import type { SqlValue } from "./statement.ts";

const SELECT = `
  SELECT p.partition, ${PAYMENT_COLUMNS}, p.decided_at, c.account, a.currency
  FROM payments p
  JOIN certificates c ON c.partition = p.partition AND c.certificate_id = p.certificate_id
  JOIN accounts a ON a.partition = c.partition AND a.account = c.account`;

type FoundRecord = InboxFacts & { readonly partition: number; readonly inboxId: number };

/** Reads what became of payments. A payment is found by the inbox record that brought it, which says its partition. */
export class Outcomes {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async of(paymentIds: readonly MessageId[], viewer: OutcomeViewer | undefined): Promise<StoredOutcome[]> {
    const records = await this.#inbox(paymentIds);
    const facts = await this.#brought(records);
    const known = new Map(facts.map((each) => [each.payment.paymentId, each]));
    const inbox = Map.groupBy(records, (record) => record.paymentId);
    return [...new Set(paymentIds)].flatMap(
      (paymentId) => outcomeSeenBy(viewer, known.get(paymentId), inbox.get(paymentId) ?? []) ?? [],
    );
  }

  async ofCertificate(certificateId: CertificateId): Promise<StoredOutcome[]> {
    const wanted = Buffer.from(certificateId, "hex");
    const row = await this.#database.get("SELECT partition FROM certificates WHERE certificate_id = $1", wanted);
    if (row === undefined) return [];
    const condition = "p.partition = $1 AND p.certificate_id = $2 ORDER BY p.sequence, p.payment_id";
    return (await this.#facts(condition, number(row, "partition"), wanted)).map(mainOutcome);
  }

  async held(): Promise<StoredOutcome[]> {
    const [payments, claimed] = await Promise.all([
      this.#facts("p.state = 'held'"),
      this.#facts(
        `EXISTS (SELECT FROM side_claims s WHERE s.partition = p.partition AND s.certificate_id = p.certificate_id
          AND s.payment_id = p.payment_id AND s.state = 'held')`,
      ),
    ]);
    const claims = claimed.flatMap((facts) =>
      facts.sideClaims.filter(({ state }) => state === "held").map((sideClaim) => sideOutcome(facts, sideClaim)),
    );
    return [...payments.map(mainOutcome), ...claims].sort((left, right) => left.decidedAt - right.decidedAt);
  }

  async #brought(records: readonly FoundRecord[]): Promise<PaymentFacts[]> {
    if (records.length === 0) return [];
    return this.#facts(
      "(p.partition, p.inbox_id) IN (SELECT * FROM unnest($1::smallint[], $2::bigint[]))",
      smallints(records.map((record) => record.partition)),
      bigints(records.map((record) => record.inboxId)),
    );
  }

  async #facts(condition: string, ...values: SqlValue[]): Promise<PaymentFacts[]> {
    const rows = await this.#database.all(`${SELECT} WHERE ${condition}`, ...values);
    const sideClaims = await this.#sideClaims(rows);
    return rows.map((row) => {
      const payment = paymentFrom(row);
      return {
        certificateId: id<CertificateId>(row, "certificate_id"),
        account: accountIn(row),
        currency: currencyIn(row),
        payment,
        decidedAt: number(row, "decided_at"),
        sideClaims: (sideClaims.get(payment.paymentId) ?? []).map((each) => ({
          ...sideClaimFrom(each),
          decidedAt: number(each, "decided_at"),
        })),
      };
    });
  }

  async #sideClaims(payments: readonly Row[]): Promise<ReadonlyMap<string, Row[]>> {
    if (payments.length === 0) return new Map();
    const rows = await this.#database.all(
      `SELECT s.* FROM unnest($1::smallint[], $2::bytea[], $3::bytea[]) AS n (partition, certificate_id, payment_id)
        JOIN side_claims s USING (partition, certificate_id, payment_id) ORDER BY s.decided_at, s.claimed_minor`,
      smallints(payments.map((row) => number(row, "partition"))),
      hexadecimals(payments.map((row) => text(row, "certificate_id"))),
      hexadecimals(payments.map((row) => text(row, "payment_id"))),
    );
    return Map.groupBy(rows, (row) => text(row, "payment_id"));
  }

  /** Whose a record is follows from who sent it; senders lie in partitions of their own and are looked up apart. */
  async #inbox(paymentIds: readonly MessageId[]): Promise<FoundRecord[]> {
    const rows = await this.#database.all(
      `SELECT i.partition, i.inbox_id, i.payment_id, i.brought_by, i.sender_id, i.received_at,
          coalesce(a.decided_at, p.decided_at) AS decided_at, a.state, a.code, a.sentence
        FROM inbox i LEFT JOIN inbox_answers a ON a.partition = i.partition AND a.inbox_id = i.inbox_id ${OWN_PAYMENT}
        WHERE i.payment_key = ANY($1::bigint[]) AND i.payment_id = ANY($2::bytea[]) ORDER BY i.inbox_id`,
      bigints(paymentIds.map(keyOf)),
      hexadecimals(paymentIds),
    );
    const senders = hexadecimals([...new Set(rows.map((row) => text(row, "sender_id")))]);
    const [devices, terminals] = await Promise.all([
      this.#database.all("SELECT device_id, account FROM devices WHERE device_id = ANY($1::bytea[])", senders),
      this.#database.all("SELECT terminal_id, payee_id FROM terminals WHERE terminal_id = ANY($1::bytea[])", senders),
    ]);
    const accounts = new Map(devices.map((row) => [id<DeviceId>(row, "device_id"), accountIn(row)]));
    const payees = new Map(terminals.map((row) => [id<TerminalId>(row, "terminal_id"), id<PayeeId>(row, "payee_id")]));
    return rows.map((row) => ({
      ...inboxFactsFrom(row, accounts, payees),
      partition: number(row, "partition"),
      inboxId: number(row, "inbox_id"),
    }));
  }
}

function inboxFactsFrom(
  row: Row,
  accounts: ReadonlyMap<DeviceId, AccountNumber>,
  payees: ReadonlyMap<TerminalId, PayeeId>,
): InboxFacts {
  const isPayers = text(row, "brought_by") === "payer";
  const terminalId = id<TerminalId>(row, "sender_id");
  const payeeId = isPayers ? undefined : payees.get(terminalId);
  return {
    paymentId: id<MessageId>(row, "payment_id"),
    account: isPayers ? accounts.get(id<DeviceId>(row, "sender_id")) : undefined,
    payeeId,
    terminalId: payeeId === undefined ? undefined : terminalId,
    receivedAt: number(row, "received_at"),
    decidedAt: optional(row, "decided_at", number),
    rejection: row.state === "rejected" ? { code: text(row, "code"), sentence: text(row, "sentence") } : undefined,
  };
}
