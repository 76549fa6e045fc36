import type { CertificateId, MessageId, PayeeId, RequestHash, TerminalId } from "@cairn/messages";
import {
  KEPT_PAGE,
  type KeptClosing,
  type KeptMovement,
  type KeptPage,
  type KeptPayment,
  keptPage,
  type LedgerHead,
} from "../kept-port.ts";
import { postingsText, sealedText } from "../ledger-text.ts";
import { keyOf } from "../payment-key.ts";
import type { CertificateRecord, InboxRecord, RequestVoidRecord } from "../port.ts";
import { ENTRY_COLUMNS, readEntryFrom } from "./audit.ts";
import { bigints, hexadecimals, smallints } from "./binary-arrays.ts";
import { certificateFrom, SELECT_CERTIFICATE } from "./certificates.ts";
import type { Database } from "./database.ts";
import { recordFrom } from "./inbox.ts";
import { bytes, id, minor, number, optional, type Row, text } from "./rows.ts";
import { PAYMENT_COLUMNS, paymentFrom } from "./settlement-state.ts";

const hex = (idText: string): Buffer => Buffer.from(idText, "hex");

/** What is kept, for auditors, and what they look up beside it. Marks are the primary key of the last row. */
export class Kept {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  async records(after = "-1 0"): Promise<KeptPage<InboxRecord>> {
    const [partition = "", inboxId = ""] = after.split(" ");
    const rows = await this.#database.all(
      `SELECT * FROM inbox WHERE (partition, inbox_id) > ($1, $2) ORDER BY partition, inbox_id LIMIT ${KEPT_PAGE}`,
      Number(partition),
      Number(inboxId),
    );
    return keptPage(rows, { kept: recordFrom, markOf: markOfInbox });
  }

  async payments(after = "-1 0"): Promise<KeptPage<KeptPayment>> {
    const [partition = "", inboxId = ""] = after.split(" ");
    const rows = await this.#database.all(
      `SELECT ${PAYMENT_COLUMNS}, p.partition, p.inbox_id FROM payments p
        WHERE (p.partition, p.inbox_id) > ($1, $2) ORDER BY p.partition, p.inbox_id LIMIT ${KEPT_PAGE}`,
      Number(partition),
      Number(inboxId),
    );
    const records = await this.#recordsOf(rows);
    return keptPage(rows, {
      kept: (row) => ({
        ...paymentFrom(row),
        certificateId: id<CertificateId>(row, "certificate_id"),
        record: records.get(markOfInbox(row)),
      }),
      markOf: markOfInbox,
    });
  }

  async certificates(after = "-1 "): Promise<KeptPage<CertificateRecord>> {
    const [partition = "", certificateId = ""] = after.split(" ");
    const rows = await this.#database.all(
      `${SELECT_CERTIFICATE} WHERE (c.partition, c.certificate_id) > ($1, $2)
        ORDER BY c.partition, c.certificate_id LIMIT ${KEPT_PAGE}`,
      Number(partition),
      hex(certificateId),
    );
    return keptPage(rows, {
      kept: certificateFrom,
      markOf: (row) => `${number(row, "partition")} ${text(row, "certificate_id")}`,
    });
  }

  async closings(after = "-1  "): Promise<KeptPage<KeptClosing>> {
    const [partition = "", certificateId = "", messageId = ""] = after.split(" ");
    const rows = await this.#database.all(
      `SELECT l.*, c.bytes AS certificate FROM closings l
        LEFT JOIN certificates c ON c.partition = l.partition AND c.certificate_id = l.certificate_id
        WHERE (l.partition, l.certificate_id, l.message_id) > ($1, $2, $3)
        ORDER BY l.partition, l.certificate_id, l.message_id LIMIT ${KEPT_PAGE}`,
      Number(partition),
      hex(certificateId),
      hex(messageId),
    );
    return keptPage(rows, {
      kept: closingFrom,
      markOf: (row) => `${number(row, "partition")} ${text(row, "certificate_id")} ${text(row, "message_id")}`,
    });
  }

  async voids(after = "-1 "): Promise<KeptPage<RequestVoidRecord>> {
    const [partition = "", requestHash = ""] = after.split(" ");
    const rows = await this.#database.all(
      `SELECT * FROM request_voids WHERE (partition, request_hash) > ($1, $2)
        ORDER BY partition, request_hash LIMIT ${KEPT_PAGE}`,
      Number(partition),
      hex(requestHash),
    );
    return keptPage(rows, {
      kept: voidFrom,
      markOf: (row) => `${number(row, "partition")} ${text(row, "request_hash")}`,
    });
  }

  async movements(after = "-1 0"): Promise<KeptPage<KeptMovement>> {
    const [partition = "", entryId = ""] = after.split(" ");
    const rows = await this.#database.all(
      `SELECT ${ENTRY_COLUMNS}, r.body AS seal FROM entries e
        LEFT JOIN operation_records r ON r.partition = e.partition AND r.kind = 'entry-seal' AND r.id = e.reference
        WHERE e.kind <> 'settlement' AND (e.partition, e.entry_id) > ($1, $2)
        ORDER BY e.partition, e.entry_id LIMIT ${KEPT_PAGE}`,
      Number(partition),
      Number(entryId),
    );
    return keptPage(rows, {
      kept: movementFrom,
      markOf: (row) => `${number(row, "partition")} ${number(row, "entry_id")}`,
    });
  }

  async heads(): Promise<LedgerHead[]> {
    const rows = await this.#database.all(
      `SELECT partition, head_entry_id AS entry_id, head_hash AS hash FROM partitions
        WHERE head_entry_id IS NOT NULL ORDER BY partition`,
    );
    return rows.map((row) => ({
      partition: number(row, "partition"),
      entryId: number(row, "entry_id"),
      hash: text(row, "hash"),
    }));
  }

  async missingHeads(heads: readonly LedgerHead[]): Promise<LedgerHead[]> {
    const rows = await this.#database.all(
      `SELECT n.partition FROM unnest($1::smallint[], $2::bigint[], $3::bytea[]) AS n (partition, entry_id, hash)
        JOIN entries e USING (partition, entry_id, hash)`,
      smallints(heads.map(({ partition }) => partition)),
      bigints(heads.map(({ entryId }) => entryId)),
      hexadecimals(heads.map(({ hash }) => hash)),
    );
    const there = new Set(rows.map((row) => number(row, "partition")));
    return heads.filter(({ partition }) => !there.has(partition));
  }

  async recordsNaming(paymentIds: readonly MessageId[]): Promise<InboxRecord[]> {
    const rows = await this.#database.all(
      "SELECT * FROM inbox WHERE payment_key = ANY($1::bigint[]) AND payment_id = ANY($2::bytea[])",
      bigints(paymentIds.map(keyOf)),
      hexadecimals(paymentIds),
    );
    return rows.map(recordFrom);
  }

  async #recordsOf(payments: readonly Row[]): Promise<ReadonlyMap<string, InboxRecord>> {
    if (payments.length === 0) return new Map();
    const rows = await this.#database.all(
      `SELECT i.* FROM unnest($1::smallint[], $2::bigint[]) AS n (partition, inbox_id)
        JOIN inbox i USING (partition, inbox_id)`,
      smallints(payments.map((row) => number(row, "partition"))),
      bigints(payments.map((row) => number(row, "inbox_id"))),
    );
    return new Map(rows.map((row) => [markOfInbox(row), recordFrom(row)]));
  }
}

const markOfInbox = (row: Row): string => `${number(row, "partition")} ${number(row, "inbox_id")}`;

const closingFrom = (row: Row): KeptClosing => ({
  certificateId: id<CertificateId>(row, "certificate_id"),
  messageId: id<MessageId>(row, "message_id"),
  sequence: number(row, "sequence"),
  spentMinor: minor(row, "spent_minor"),
  bytes: bytes(row, "bytes"),
  certificate: optional(row, "certificate", bytes),
});

function movementFrom(row: Row): KeptMovement {
  const entry = readEntryFrom(row);
  const { partition, entryId } = entry;
  const sealed = sealedText(partition, { ...entry, postings: postingsText(entry.postings) });
  return { partition, entryId, sealed, seal: optional(row, "seal", text) };
}

const voidFrom = (row: Row): RequestVoidRecord => ({
  requestHash: id<RequestHash>(row, "request_hash"),
  payeeId: id<PayeeId>(row, "payee_id"),
  terminalId: id<TerminalId>(row, "terminal_id"),
  bytes: bytes(row, "bytes"),
  receivedAt: number(row, "received_at"),
});
