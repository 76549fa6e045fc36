import { ENTRY_KINDS } from "@cairn/settle";
import { entryHash, FIRST_HASH, type PostingText, postingsText } from "../ledger-text.ts";
import { smallints } from "./binary-arrays.ts";
import type { Database } from "./database.ts";
import { isWaiting, OWN_PAYMENT } from "./inbox.ts";
import { bytes, currencyIn, minor, number, oneOf, type Row, text } from "./rows.ts";

export type Audit = { readonly entries: number; readonly faults: readonly string[] };
type Report = (fault: string) => void;
type Look = Parameters<Parameters<Database["snapshot"]>[0]>[0];

/** What {@link readEntryFrom} reads, of entries `e`. */
export const ENTRY_COLUMNS = `e.partition, e.entry_id, e.kind, e.reference, e.currency, e.posted_at, e.hash,
  to_json(e.ledger_accounts)::text AS ledger_accounts, to_json(e.minors)::text AS minors`;

/** Faults told; after so many the books are not read for single faults any more. */
const MAXIMUM_FAULTS = 1_000;
/** Entries read at once. */
const PAGE = 5_000;
const PARTITIONS = 256;
/** Partitions looked at together: few enough to hold their balances, enough not to ask 256 times. */
const AT_ONCE = 32;

/**
 * Reads the books from their first line to their last and says everything in them that cannot be. Some partitions at a
 * time, each from one moment while others go on, so that it can be asked of a database at work.
 */
export async function audit(database: Database): Promise<Audit> {
  const faults: string[] = [];
  const report = (fault: string): void => {
    if (faults.length < MAXIMUM_FAULTS) faults.push(fault);
  };
  let entries = 0;
  for (let first = 0; first < PARTITIONS; first += AT_ONCE) {
    const partitions = smallints(Array.from({ length: AT_ONCE }, (_, index) => first + index));
    entries += await database.snapshot((all) => auditPartitions(all, partitions, report));
  }
  return { entries, faults };
}

async function auditPartitions(all: Look, partitions: Buffer, report: Report): Promise<number> {
  const balances = new Map<string, bigint>();
  const entries = await auditEntries(all, partitions, balances, report);
  for (const row of await all("SELECT * FROM balances WHERE partition = ANY($1::smallint[])", partitions)) {
    const ledgerAccount = text(row, "ledger_account");
    const key = balanceKey(number(row, "partition"), ledgerAccount, currencyIn(row));
    const sum = balances.get(key) ?? 0n;
    balances.delete(key);
    if (sum !== minor(row, "minor"))
      report(`The balance of ${ledgerAccount} is ${minor(row, "minor")}; its entries say ${sum}.`);
  }
  for (const [key, sum] of balances) if (sum !== 0n) report(`A balance is missing: ${key}, ${sum} by its entries.`);
  for (const { sql, fault } of COMPARISONS) for (const row of await all(sql, partitions)) report(fault(row));
  return entries;
}

/** Each entry sums to zero, hangs together with the one before, and the last is the head. Adds up what they post. */
async function auditEntries(
  all: Look,
  partitions: Buffer,
  balances: Map<string, bigint>,
  report: Report,
): Promise<number> {
  const last = new Map<number, ReadEntry>();
  let count = 0;
  let page: readonly ReadEntry[];
  let reached = { partition: -1, entryId: -1 };
  do {
    const rows = await all(
      `SELECT ${ENTRY_COLUMNS} FROM entries e WHERE partition = ANY($1::smallint[]) AND (partition, entry_id) > ($2, $3)
        ORDER BY partition, entry_id LIMIT ${PAGE}`,
      partitions,
      reached.partition,
      reached.entryId,
    );
    page = rows.map(readEntryFrom);
    for (const entry of page) {
      const sum = entry.postings.reduce((total, posting) => total + posting.minor, 0n);
      if (sum !== 0n) report(`Entry ${entry.entryId} sums to ${sum}, not to zero.`);
      if (!sameHash(hashOf(entry, last.get(entry.partition)?.hash ?? FIRST_HASH), entry.hash))
        report(`Entry ${entry.entryId} is not what was written, or one before it is missing.`);
      for (const posting of entry.postings) {
        const key = balanceKey(entry.partition, posting.ledgerAccount, entry.currency);
        balances.set(key, (balances.get(key) ?? 0n) + posting.minor);
      }
      last.set(entry.partition, entry);
      reached = entry;
    }
    count += page.length;
  } while (page.length === PAGE);
  for (const row of await all("SELECT * FROM partitions WHERE partition = ANY($1::smallint[])", partitions)) {
    const partition = number(row, "partition");
    const newest = last.get(partition);
    const isHead =
      newest === undefined
        ? row.head_entry_id === null
        : Number(row.head_entry_id) === newest.entryId && sameHash(newest.hash, bytes(row, "head_hash"));
    if (!isHead) report(`The newest entry of partition ${partition} is not the one that was written last.`);
  }
  return count;
}

type ReadEntry = Omit<Parameters<typeof entryHash>[1], "postings"> & {
  readonly partition: number;
  readonly hash: Uint8Array;
  readonly postings: readonly PostingText[];
};

const hashOf = (entry: ReadEntry, previous: Uint8Array): Uint8Array =>
  entryHash(previous, { ...entry, postings: postingsText(entry.postings) });

/** Of a row with its postings as two lists of JSON. */
export function readEntryFrom(row: Row): ReadEntry {
  const ledgerAccounts: string[] = JSON.parse(text(row, "ledger_accounts"));
  // An amount may be beyond what a JSON number holds, so its digits are read.
  const minors = text(row, "minors").slice(1, -1).split(",").map(BigInt);
  return {
    partition: number(row, "partition"),
    entryId: number(row, "entry_id"),
    kind: oneOf(row, "kind", ENTRY_KINDS),
    reference: text(row, "reference"),
    currency: currencyIn(row),
    postedAt: number(row, "posted_at"),
    hash: bytes(row, "hash"),
    postings: ledgerAccounts.map((ledgerAccount, line) => ({ ledgerAccount, minor: minors[line] ?? 0n })),
  };
}

const balanceKey = (partition: number, ledgerAccount: string, currency: string): string =>
  `${partition} ${ledgerAccount} ${currency}`;

const sameHash = (left: Uint8Array, right: Uint8Array): boolean => Buffer.from(left).equals(right);

/** Pairs of tables that must tell the same story; each statement gives the rows of some partitions that do not. */
const COMPARISONS: readonly { readonly sql: string; readonly fault: (row: Row) => string }[] = [
  {
    sql: `SELECT x.entry_id AS id FROM account_entries x
      LEFT JOIN entries e ON e.partition = x.partition AND e.entry_id = x.entry_id
      WHERE x.partition = ANY($1::smallint[]) AND (e.entry_id IS NULL OR x.ledger_account <> ALL (e.ledger_accounts))`,
    fault: (row) => `An account is said to be in entry ${row.id}, which does not name it or is missing.`,
  },
  {
    sql: `SELECT e.entry_id AS id FROM entries e, unnest(e.ledger_accounts) AS n (ledger_account)
      WHERE e.partition = ANY($1::smallint[]) AND e.kind <> 'settlement' AND n.ledger_account LIKE '%:%' AND NOT EXISTS (
        SELECT FROM account_entries x
          WHERE x.partition = e.partition AND x.ledger_account = n.ledger_account AND x.entry_id = e.entry_id)`,
    fault: (row) => `Entry ${row.id} is missing among those of an account that it names.`,
  },
  {
    sql: `SELECT encode(p.payment_id, 'hex') AS id FROM payments p
      LEFT JOIN (
        SELECT e.partition, e.entry_id, e.reference, n.ledger_account, n.minor
        FROM entries e, unnest(e.ledger_accounts, e.minors) AS n (ledger_account, minor)
        WHERE e.partition = ANY($1::smallint[]) AND e.kind = 'settlement'
      ) g ON g.partition = p.partition AND g.entry_id = p.entry_id
        AND g.reference = 'settlement:' || encode(p.payment_id, 'hex')
        AND g.ledger_account = 'clearing:' || p.payee_id AND g.minor = -p.taken_minor
      WHERE p.partition = ANY($1::smallint[]) AND p.state = 'settled' AND p.taken_minor > 0 AND g.minor IS NULL`,
    fault: (row) => `Payment ${row.id} is settled, but no entry credits its payee with what was taken.`,
  },
  {
    sql: `SELECT encode(p.payment_id, 'hex') AS id FROM payments p
      JOIN entries e ON e.partition = p.partition AND e.entry_id = p.entry_id
      WHERE p.partition = ANY($1::smallint[]) AND e.partition = ANY($1::smallint[])
        AND (p.funded_balance_minor, p.funded_credit_minor, p.funded_reserve_minor) <> (
          SELECT coalesce(sum(n.minor) FILTER (WHERE n.ledger_account LIKE 'wallet:%'), 0),
            coalesce(sum(n.minor) FILTER (WHERE n.ledger_account LIKE 'credit:%'), 0),
            coalesce(sum(n.minor) FILTER (WHERE n.ledger_account = 'loss-reserve'), 0)
          FROM unnest(e.ledger_accounts, e.minors) AS n (ledger_account, minor))`,
    fault: (row) => `Payment ${row.id} says of another share of balance, credit and reserve than its entry.`,
  },
  {
    sql: `SELECT e.entry_id AS id FROM entries e
      LEFT JOIN payments p ON p.partition = e.partition AND p.state = 'settled'
        AND p.payment_id = decode(substr(e.reference, length('settlement:') + 1), 'hex')
      WHERE e.partition = ANY($1::smallint[]) AND e.kind = 'settlement' AND p.payment_id IS NULL`,
    fault: (row) => `Entry ${row.id} settles a payment that is not settled.`,
  },
  {
    sql: `SELECT min(entry_id) AS id FROM entries
      WHERE partition = ANY($1::smallint[]) AND kind = 'settlement' GROUP BY partition, reference HAVING count(*) > 1`,
    fault: (row) => `The payment of entry ${row.id} is settled more than once.`,
  },
  {
    sql: `SELECT encode(x.certificate_id, 'hex') AS id FROM exposures x
      LEFT JOIN (
        SELECT partition, certificate_id, sum(taken_minor) AS settled_minor,
          sum(CASE state WHEN 'released' THEN amount_minor WHEN 'settled' THEN amount_minor - taken_minor ELSE 0 END)
            AS released_minor
        FROM payments WHERE partition = ANY($1::smallint[]) GROUP BY 1, 2
      ) p ON p.partition = x.partition AND p.certificate_id = x.certificate_id
      WHERE x.partition = ANY($1::smallint[])
        AND (x.settled_minor <> coalesce(p.settled_minor, 0) OR x.released_minor <> coalesce(p.released_minor, 0))`,
    fault: (row) => `What certificate ${row.id} has settled and given back is not what its payments say.`,
  },
  {
    sql: `SELECT i.inbox_id AS id FROM inbox i
      LEFT JOIN inbox_answers a ON a.partition = i.partition AND a.inbox_id = i.inbox_id
      ${OWN_PAYMENT}
      WHERE i.partition = ANY($1::smallint[]) AND num_nonnulls(a.inbox_id, p.inbox_id) + (${isWaiting("i")})::integer <> 1`,
    fault: (row) => `Record ${row.id} of the inbox neither waits nor is answered, or both.`,
  },
];
