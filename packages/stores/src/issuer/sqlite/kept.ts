import type { CertificateId, MessageId, PayeeId, RequestHash, TerminalId } from "@cairn/messages";
import { ENTRY_KINDS } from "@cairn/settle";
import {
  KEPT_PAGE,
  type KeptClosing,
  type KeptMovement,
  type KeptPage,
  type KeptPayment,
  keptPage,
  type LedgerHead,
} from "../kept-port.ts";
import { sealedText } from "../ledger-text.ts";
import type { CertificateRecord, InboxRecord, RequestVoidRecord } from "../port.ts";
import { certificateFrom, SELECT_CERTIFICATE } from "./certificates.ts";
import type { Database, Row } from "./database.ts";
import { recordFrom } from "./inbox.ts";
import type { PaymentIndex } from "./payment-index/payment-index.ts";
import { bytes, currencyIn, id, minor, number, oneOf, optional, text } from "./rows.ts";
import { PAYMENT_COLUMNS, paymentFrom } from "./settlement-state.ts";

/** What is kept, for auditors, and what they look up beside it. Marks are the numbers or keys of the last row. */
export class Kept {
  readonly #database: Database;
  readonly #index: PaymentIndex;

  constructor(database: Database, index: PaymentIndex) {
    this.#database = database;
    this.#index = index;
  }

  records(after = "0"): KeptPage<InboxRecord> {
    const sql = `SELECT * FROM inbox WHERE inbox_id > ? ORDER BY inbox_id LIMIT ${KEPT_PAGE}`;
    return keptPage(this.#database.all(sql, Number(after)), {
      kept: recordFrom,
      markOf: (row) => `${number(row, "inbox_id")}`,
    });
  }

  payments(after = "0"): KeptPage<KeptPayment> {
    const rows = this.#database.all(
      `SELECT ${PAYMENT_COLUMNS}, p.payment_number, p.inbox_id, c.certificate_id FROM payments p
        JOIN certificates c ON c.status_index = p.certificate
        WHERE p.payment_number > ? ORDER BY p.payment_number LIMIT ${KEPT_PAGE}`,
      Number(after),
    );
    const records = new Map(
      this.#recordsOf(rows.map((row) => number(row, "inbox_id"))).map((record) => [record.inboxId, record]),
    );
    return keptPage(rows, {
      kept: (row) => ({
        ...paymentFrom(row),
        certificateId: id<CertificateId>(row, "certificate_id"),
        record: records.get(number(row, "inbox_id")),
      }),
      markOf: (row) => `${number(row, "payment_number")}`,
    });
  }

  certificates(after = "-1"): KeptPage<CertificateRecord> {
    const sql = `${SELECT_CERTIFICATE} WHERE c.status_index > ? ORDER BY c.status_index LIMIT ${KEPT_PAGE}`;
    return keptPage(this.#database.all(sql, Number(after)), {
      kept: certificateFrom,
      markOf: (row) => `${number(row, "status_index")}`,
    });
  }

  closings(after = "-1  "): KeptPage<KeptClosing> {
    const [partition = "", certificateId = "", messageId = ""] = after.split(" ");
    const rows = this.#database.all(
      `SELECT l.*, c.bytes AS certificate FROM closings l
        LEFT JOIN certificates c ON c.partition = l.partition AND c.certificate_id = l.certificate_id
        WHERE (l.partition, l.certificate_id, l.message_id) > (?, ?, ?)
        ORDER BY l.partition, l.certificate_id, l.message_id LIMIT ${KEPT_PAGE}`,
      Number(partition),
      certificateId,
      messageId,
    );
    return keptPage(rows, {
      kept: closingFrom,
      markOf: (row) => `${number(row, "partition")} ${text(row, "certificate_id")} ${text(row, "message_id")}`,
    });
  }

  voids(after = "-1 "): KeptPage<RequestVoidRecord> {
    const [partition = "", requestHash = ""] = after.split(" ");
    const rows = this.#database.all(
      `SELECT * FROM request_voids WHERE (partition, request_hash) > (?, ?)
        ORDER BY partition, request_hash LIMIT ${KEPT_PAGE}`,
      Number(partition),
      requestHash,
    );
    return keptPage(rows, {
      kept: voidFrom,
      markOf: (row) => `${number(row, "partition")} ${text(row, "request_hash")}`,
    });
  }

  movements(after = "0"): KeptPage<KeptMovement> {
    const rows = this.#database.all(
      `SELECT e.*, r.body AS seal FROM entries e
        LEFT JOIN operation_records r ON r.partition = e.partition AND r.kind = 'entry-seal' AND r.id = e.reference
        WHERE e.kind != 'settlement' AND e.entry_id > ? ORDER BY e.entry_id LIMIT ${KEPT_PAGE}`,
      Number(after),
    );
    return keptPage(rows, { kept: movementFrom, markOf: (row) => `${number(row, "entry_id")}` });
  }

  heads(): LedgerHead[] {
    return this.#database.all("SELECT * FROM ledger_heads ORDER BY partition").map(headFrom);
  }

  missingHeads(heads: readonly LedgerHead[]): LedgerHead[] {
    return heads.filter(({ partition, entryId, hash }) => {
      const row = this.#database.get("SELECT * FROM entries WHERE entry_id = ? AND partition = ?", entryId, partition);
      return row === undefined || headFrom(row).hash !== hash;
    });
  }

  recordsNaming(paymentIds: readonly MessageId[]): InboxRecord[] {
    return this.#database
      .all(
        `SELECT * FROM inbox WHERE inbox_id IN (SELECT value FROM json_each(?))
          AND payment_id IN (SELECT value FROM json_each(?))`,
        JSON.stringify(this.#index.records(paymentIds)),
        JSON.stringify(paymentIds),
      )
      .map(recordFrom);
  }

  #recordsOf(inboxIds: readonly number[]): InboxRecord[] {
    return this.#database
      .all("SELECT * FROM inbox WHERE inbox_id IN (SELECT value FROM json_each(?))", JSON.stringify(inboxIds))
      .map(recordFrom);
  }
}

const closingFrom = (row: Row): KeptClosing => ({
  certificateId: id<CertificateId>(row, "certificate_id"),
  messageId: id<MessageId>(row, "message_id"),
  sequence: number(row, "sequence"),
  spentMinor: minor(row, "spent_minor"),
  bytes: bytes(row, "bytes"),
  certificate: optional(row, "certificate", bytes),
});

const movementFrom = (row: Row): KeptMovement => ({
  partition: number(row, "partition"),
  entryId: number(row, "entry_id"),
  sealed: sealedText(number(row, "partition"), {
    kind: oneOf(row, "kind", ENTRY_KINDS),
    reference: text(row, "reference"),
    currency: currencyIn(row),
    postedAt: number(row, "posted_at"),
    postings: text(row, "postings"),
  }),
  seal: optional(row, "seal", text),
});

const headFrom = (row: Row): LedgerHead => ({
  partition: number(row, "partition"),
  entryId: number(row, "entry_id"),
  hash: Buffer.from(bytes(row, "hash")).toString("hex"),
});

const voidFrom = (row: Row): RequestVoidRecord => ({
  requestHash: id<RequestHash>(row, "request_hash"),
  payeeId: id<PayeeId>(row, "payee_id"),
  terminalId: id<TerminalId>(row, "terminal_id"),
  bytes: bytes(row, "bytes"),
  receivedAt: number(row, "received_at"),
});
