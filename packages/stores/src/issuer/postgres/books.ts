import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import type { Currency, PayeeId } from "@cairn/messages";
import { ENTRY_KINDS, type LedgerEntry, type Posting } from "@cairn/settle";
import {
  type EntrySeal,
  entryHash,
  FIRST_HASH,
  ledgerAccountText,
  postingsText,
  readLedgerAccount,
  sealedText,
} from "../ledger-text.ts";
import type { StoredEntry } from "../port.ts";
import { found } from "../store-error.ts";
import { bigints, byteStrings, texts } from "./binary-arrays.ts";
import type { Database } from "./database.ts";
import { LEASE_ENDS } from "./leases.ts";
import { currencyIn, minor, number, oneOf, type Row, text } from "./rows.ts";
import type { LockedPartition, Session } from "./session.ts";
import type { SqlValue } from "./statement.ts";

/** Entry ids that one number of the sequence `entry_blocks` stands for. */
const BLOCK = 1_024;

export type EntryFilter = {
  readonly account?: AccountNumber;
  readonly payeeId?: PayeeId;
  readonly after?: number;
  readonly limit: number;
};

/** Entries with their postings, and the balances beside them, which only an entry changes. */
export class Books {
  readonly #database: Database;
  /** Undefined: entries are posted without. */
  seal: EntrySeal | undefined;

  constructor(database: Database) {
    this.#database = database;
  }

  /**
   * Writes entries of the locked partition behind the newest; within the caller's transaction. Gives their ids, in their
   * order. `endsLease`: the partition's row is written anyway, so that the lease is given back with it. `drawn`: numbers
   * that were drawn for them under the same lock; when they are too few, others are drawn now.
   */
  async post(
    session: Session,
    locked: LockedPartition,
    entries: readonly LedgerEntry[],
    { endsLease = false, drawn }: { readonly endsLease?: boolean; readonly drawn?: readonly number[] } = {},
  ): Promise<readonly number[]> {
    const { partition, head } = locked;
    if (entries.length === 0) {
      if (endsLease) session.later(`UPDATE partitions SET ${LEASE_ENDS} WHERE partition = $1`, partition);
      return [];
    }
    const isEnough = drawn !== undefined && drawn.length >= entries.length;
    const ids = isEnough ? drawn.slice(0, entries.length) : await drawEntryIds(session, entries.length);
    let hash = head?.hash ?? FIRST_HASH;
    const rows = entries.map((entry, index) => {
      const entryId = found(ids[index], "STORE_DAMAGED", "number");
      const postings = entry.postings.map(({ ledgerAccount, minor: postedMinor }) => ({
        ledgerAccount: ledgerAccountText(ledgerAccount),
        minor: postedMinor,
      }));
      hash = entryHash(hash, { ...entry, entryId, postings: postingsText(postings) });
      return { ...entry, entryId, postings, hash };
    });
    writeEntries(session, partition, rows);
    if (this.seal !== undefined) writeSeals(session, partition, rows, this.seal);
    writeBalances(session, partition, rows);
    session.later(
      `UPDATE partitions SET head_entry_id = $2, head_hash = $3${endsLease ? `, ${LEASE_ENDS}` : ""} WHERE partition = $1`,
      partition,
      ids.at(-1) ?? null,
      Buffer.from(hash),
    );
    return ids;
  }

  async entries({ account, payeeId, after = 0, limit }: EntryFilter): Promise<StoredEntry[]> {
    const conditions: string[] = [];
    const values: SqlValue[] = [after, limit, account === undefined ? -1 : partitionOf(account)];
    const listed = (ledgerAccounts: readonly string[]): string =>
      `SELECT x.entry_id FROM account_entries x WHERE x.partition = q.partition
        AND x.ledger_account = ANY($${values.push(texts(ledgerAccounts))}::text[]) AND x.entry_id > $1`;
    if (account !== undefined)
      conditions.push(`${listed([`wallet:${account}`, `credit:${account}`])}
        UNION ALL SELECT p.entry_id FROM certificates c
          JOIN payments p ON p.partition = c.partition AND p.certificate_id = c.certificate_id
          WHERE c.partition = q.partition AND c.account = $${values.push(account)} AND p.entry_id > $1`);
    if (payeeId !== undefined)
      // Two filters have to see everything of both.
      conditions.push(`${listed([`clearing:${payeeId}`, `payee:${payeeId}`])}
        UNION ALL (SELECT p.entry_id FROM payments p WHERE p.partition = q.partition
          AND p.payee_id = $${values.push(payeeId)} AND p.entry_id > $1
          ORDER BY p.entry_id ${account === undefined ? "LIMIT $2" : ""})`);
    // From each partition's key in its order, rather than sorting all entries there are; and only the ids, from indexes,
    // until it is known which of them are wanted.
    const [first, ...others] = conditions;
    const chosen =
      first === undefined
        ? "SELECT x.entry_id FROM entries x WHERE x.partition = q.partition AND x.entry_id > $1"
        : others.reduce((all, other) => `${all} INTERSECT (${other})`, `(${first})`);
    const rows = await this.#database.all(
      `SELECT e.entry_id, e.partition, e.kind, e.reference, e.currency, e.posted_at, p.ledger_account, p.minor
        FROM (
          SELECT q.partition, n.entry_id FROM partitions q, LATERAL (
            SELECT DISTINCT c.entry_id FROM (${chosen}) c ORDER BY c.entry_id LIMIT $2
          ) n WHERE q.partition = $3 OR $3 < 0 ORDER BY n.entry_id LIMIT $2
        ) n JOIN entries e ON e.partition = n.partition AND e.entry_id = n.entry_id,
          unnest(e.ledger_accounts, e.minors) WITH ORDINALITY AS p (ledger_account, minor, line)
        ORDER BY e.entry_id, p.line`,
      ...values,
    );
    return groupEntries(rows);
  }

  /** Sum of every ledger account over all partitions, from the entries. */
  async trialBalance(): Promise<
    { readonly ledgerAccount: string; readonly currency: Currency; readonly minor: bigint }[]
  > {
    const rows = await this.#database.snapshot((all) =>
      all(
        `SELECT p.ledger_account, e.currency, sum(p.minor) AS minor
          FROM entries e, unnest(e.ledger_accounts, e.minors) AS p (ledger_account, minor)
          GROUP BY p.ledger_account, e.currency ORDER BY p.ledger_account COLLATE "C", e.currency COLLATE "C"`,
      ),
    );
    return rows.map((row) => ({
      ledgerAccount: text(row, "ledger_account"),
      currency: currencyIn(row),
      minor: minor(row, "minor"),
    }));
  }
}

/** What an entry (no settlement) posted to a ledger account; undefined when there is no such entry. */
export async function postedTo(
  session: Session,
  partition: Partition,
  reference: string,
  ledgerAccount: string,
): Promise<bigint | undefined> {
  const row = await session.get(
    `SELECT p.minor FROM entries e, unnest(e.ledger_accounts, e.minors) AS p (ledger_account, minor)
      WHERE e.partition = $1 AND e.reference = $2 AND e.kind <> 'settlement' AND p.ledger_account = $3`,
    partition,
    reference,
    ledgerAccount,
  );
  return row === undefined ? undefined : minor(row, "minor");
}

type EntryRow = Omit<LedgerEntry, "postings"> & {
  readonly entryId: number;
  readonly hash: Uint8Array;
  readonly postings: readonly { readonly ledgerAccount: string; readonly minor: bigint }[];
};

/** Numbers for entries of the locked partition, above all that it has. Those that stay unused leave a gap, never a double. */
export async function drawEntryIds(session: Session, count: number): Promise<readonly number[]> {
  const blocks = Array.from({ length: Math.ceil(count / BLOCK) }, () =>
    session.get("SELECT nextval('entry_blocks') AS block"),
  );
  const firsts = (await Promise.all(blocks)).map(
    (row) => number(found(row, "STORE_DAMAGED", "number"), "block") * BLOCK,
  );
  return Array.from({ length: count }, (_, index) => (firsts[Math.floor(index / BLOCK)] ?? 0) + (index % BLOCK));
}

function writeEntries(session: Session, partition: Partition, rows: readonly EntryRow[]): void {
  // Every entry has at least two postings, so each list goes as one text: arrays of arrays must be rectangular.
  session.later(
    `INSERT INTO entries (partition, entry_id, kind, reference, currency, posted_at, hash, ledger_accounts, minors)
      SELECT $1, n.entry_id, n.kind, n.reference, n.currency, n.posted_at, n.hash,
        n.ledger_accounts::text[], n.minors::bigint[]
      FROM (SELECT unnest($2::bigint[]) AS entry_id, unnest($3::text[]) AS kind, unnest($4::text[]) AS reference,
        unnest($5::text[]) AS currency, unnest($6::bigint[]) AS posted_at, unnest($7::bytea[]) AS hash,
        unnest($8::text[]) AS ledger_accounts, unnest($9::text[]) AS minors) n`,
    partition,
    bigints(rows.map((row) => row.entryId)),
    texts(rows.map((row) => row.kind)),
    texts(rows.map((row) => row.reference)),
    texts(rows.map((row) => row.currency)),
    bigints(rows.map((row) => row.postedAt)),
    byteStrings(rows.map((row) => row.hash)),
    // Names of ledger accounts hold letters, digits, ":" and "-" only, none of which an array's text has to quote.
    texts(rows.map((row) => `{${row.postings.map((posting) => `"${posting.ledgerAccount}"`).join(",")}}`)),
    texts(rows.map((row) => `{${row.postings.map((posting) => posting.minor).join(",")}}`)),
  );
  const concerned = rows.flatMap(({ kind, entryId, postings }) =>
    kind === "settlement"
      ? []
      : [...new Set(postings.map(({ ledgerAccount }) => ledgerAccount))]
          .filter((ledgerAccount) => ledgerAccount.includes(":"))
          .map((ledgerAccount) => ({ entryId, ledgerAccount })),
  );
  if (concerned.length === 0) return;
  session.later(
    `INSERT INTO account_entries (partition, ledger_account, entry_id)
      SELECT $1, n.ledger_account, n.entry_id FROM unnest($2::text[], $3::bigint[]) AS n (ledger_account, entry_id)`,
    partition,
    texts(concerned.map(({ ledgerAccount }) => ledgerAccount)),
    bigints(concerned.map(({ entryId }) => entryId)),
  );
}

/** Of those that settle no payment. */
function writeSeals(session: Session, partition: Partition, rows: readonly EntryRow[], seal: EntrySeal): void {
  const sealed = rows.filter(({ kind }) => kind !== "settlement");
  if (sealed.length === 0) return;
  session.later(
    `INSERT INTO operation_records (partition, kind, id, body)
      SELECT $1, 'entry-seal', n.id, n.body FROM unnest($2::text[], $3::text[]) AS n (id, body)`,
    partition,
    texts(sealed.map(({ reference }) => reference)),
    texts(sealed.map((row) => seal(sealedText(partition, { ...row, postings: postingsText(row.postings) })))),
  );
}

function writeBalances(session: Session, partition: Partition, rows: readonly EntryRow[]): void {
  const changes = new Map<string, Map<string, bigint>>();
  for (const { currency, postings } of rows) {
    const ofCurrency = changes.get(currency) ?? new Map<string, bigint>();
    changes.set(currency, ofCurrency);
    for (const { ledgerAccount, minor: postedMinor } of postings)
      ofCurrency.set(ledgerAccount, (ofCurrency.get(ledgerAccount) ?? 0n) + postedMinor);
  }
  const list = [...changes].flatMap(([currency, ofCurrency]) =>
    [...ofCurrency].map(([ledgerAccount, change]) => ({ ledgerAccount, currency, minor: change })),
  );
  // Not ON CONFLICT: it would check the change itself against the table's rules, as if it were a balance.
  session.later(
    `WITH change AS (
        SELECT * FROM unnest($2::text[], $3::text[], $4::bigint[]) AS n (ledger_account, currency, minor)
      ), changed AS (
        UPDATE balances b SET minor = b.minor + change.minor FROM change
          WHERE b.partition = $1 AND b.ledger_account = change.ledger_account AND b.currency = change.currency
          RETURNING b.ledger_account, b.currency
      )
      INSERT INTO balances (partition, ledger_account, currency, minor)
        SELECT $1, ledger_account, currency, minor FROM change
          WHERE (ledger_account, currency) NOT IN (SELECT ledger_account, currency FROM changed)`,
    partition,
    texts(list.map(({ ledgerAccount }) => ledgerAccount)),
    texts(list.map(({ currency }) => currency)),
    bigints(list.map((change) => change.minor)),
  );
}

export function groupEntries(rows: readonly Row[]): StoredEntry[] {
  const entries = new Map<number, StoredEntry & { readonly postings: Posting[] }>();
  for (const row of rows) {
    const entryId = number(row, "entry_id");
    const entry = entries.get(entryId) ?? {
      entryId,
      partition: number(row, "partition"),
      kind: oneOf(row, "kind", ENTRY_KINDS),
      reference: text(row, "reference"),
      currency: currencyIn(row),
      postedAt: number(row, "posted_at"),
      postings: [],
    };
    entries.set(entryId, entry);
    entry.postings.push({ ledgerAccount: readLedgerAccount(text(row, "ledger_account")), minor: minor(row, "minor") });
  }
  return [...entries.values()];
}
