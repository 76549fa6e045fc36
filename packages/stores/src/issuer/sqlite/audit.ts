import { ENTRY_KINDS } from "@cairn/settle";
import { entryHash, FIRST_HASH } from "../ledger-text.ts";
import type { Database, Row } from "./database.ts";
import { bytes, currencyIn, minor, number, oneOf, text } from "./rows.ts";

export type Audit = { readonly entries: number; readonly faults: readonly string[] };

/** Faults told; after so many the books are not read for single faults any more. */
const MAXIMUM_FAULTS = 1_000;

/** Reads the books from their first line to their last and says everything in them that cannot be. */
export function audit(database: Database): Audit {
  const faults: string[] = [];
  const report = (fault: string): void => {
    if (faults.length < MAXIMUM_FAULTS) faults.push(fault);
  };
  const entries = auditEntries(database, report);
  for (const { sql, fault } of COMPARISONS) for (const row of database.iterate(sql)) report(fault(row));
  return { entries, faults };
}

/** Each entry sums to zero, hangs together with the one before, and all together give the balances. */
function auditEntries(database: Database, report: (fault: string) => void): number {
  const balances = new Map<string, bigint>();
  const heads = new Map<number, { readonly entryId: number; readonly hash: Uint8Array }>();
  let count = 0;
  for (const entry of readEntries(database)) {
    count++;
    const sum = entry.postings.reduce((total, posting) => total + posting.minor, 0n);
    if (sum !== 0n) report(`Entry ${entry.entryId} sums to ${sum}, not to zero.`);
    const expected = entryHash(heads.get(entry.partition)?.hash ?? FIRST_HASH, entry);
    if (!sameHash(expected, entry.hash))
      report(`Entry ${entry.entryId} is not what was written, or one before it is missing.`);
    heads.set(entry.partition, { entryId: entry.entryId, hash: entry.hash });
    for (const posting of entry.postings) {
      const key = balanceKey(entry.partition, posting.ledgerAccount, entry.currency);
      balances.set(key, (balances.get(key) ?? 0n) + posting.minor);
    }
  }
  auditHeads(database, heads, report);
  auditBalances(database, balances, report);
  return count;
}

function auditHeads(
  database: Database,
  heads: ReadonlyMap<number, { readonly entryId: number; readonly hash: Uint8Array }>,
  report: (fault: string) => void,
): void {
  const kept = new Set<number>();
  for (const row of database.iterate("SELECT * FROM ledger_heads")) {
    const partition = number(row, "partition");
    kept.add(partition);
    const last = heads.get(partition);
    if (last?.entryId !== number(row, "entry_id") || !sameHash(last.hash, bytes(row, "hash")))
      report(`The newest entry of partition ${partition} is not the one that was written last.`);
  }
  for (const partition of heads.keys())
    if (!kept.has(partition)) report(`Partition ${partition} has entries but no newest one.`);
}

function auditBalances(database: Database, expected: Map<string, bigint>, report: (fault: string) => void): void {
  for (const row of database.iterate("SELECT * FROM balances")) {
    const ledgerAccount = text(row, "ledger_account");
    const key = balanceKey(number(row, "partition"), ledgerAccount, currencyIn(row));
    const sum = expected.get(key) ?? 0n;
    expected.delete(key);
    if (sum !== minor(row, "minor"))
      report(`The balance of ${ledgerAccount} is ${minor(row, "minor")}; its entries say ${sum}.`);
  }
  for (const [key, sum] of expected) if (sum !== 0n) report(`A balance is missing: ${key}, ${sum} by its entries.`);
}

type ReadEntry = Parameters<typeof entryHash>[1] & { readonly partition: number; readonly hash: Uint8Array };
type ReadPosting = { readonly ledgerAccount: string; readonly minor: bigint };

function* readEntries(database: Database): Iterable<ReadEntry> {
  let open: (ReadEntry & { readonly postings: ReadPosting[] }) | undefined;
  for (const row of database.iterate(
    `SELECT e.*, p.ledger_account, p.minor FROM entries e
      LEFT JOIN postings p ON p.partition = e.partition AND p.entry_id = e.entry_id
      ORDER BY e.partition, e.entry_id, p.line`,
  )) {
    if (open === undefined || open.entryId !== number(row, "entry_id")) {
      if (open !== undefined) yield open;
      open = {
        partition: number(row, "partition"),
        entryId: number(row, "entry_id"),
        kind: oneOf(row, "kind", ENTRY_KINDS),
        reference: text(row, "reference"),
        currency: currencyIn(row),
        postedAt: number(row, "posted_at"),
        hash: bytes(row, "hash"),
        postings: [],
      };
    }
    if (row.ledger_account !== null)
      open.postings.push({ ledgerAccount: text(row, "ledger_account"), minor: minor(row, "minor") });
  }
  if (open !== undefined) yield open;
}

const balanceKey = (partition: number, ledgerAccount: string, currency: string): string =>
  `${partition} ${ledgerAccount} ${currency}`;

const sameHash = (left: Uint8Array, right: Uint8Array): boolean => Buffer.from(left).equals(right);

/** Pairs of tables that must tell the same story; each statement gives the rows that do not. */
const COMPARISONS: readonly { readonly sql: string; readonly fault: (row: Row) => string }[] = [
  {
    sql: `SELECT p.entry_id AS id FROM postings p
      LEFT JOIN entries e ON e.partition = p.partition AND e.entry_id = p.entry_id WHERE e.entry_id IS NULL`,
    fault: (row) => `A posting belongs to entry ${row.id}, which is missing.`,
  },
  {
    sql: `SELECT p.payment_id AS id FROM payments p
      LEFT JOIN entries e ON e.partition = p.partition AND e.reference = 'settlement:' || p.payment_id
      LEFT JOIN postings g ON g.partition = e.partition AND g.entry_id = e.entry_id
        AND g.ledger_account = 'clearing:' || p.payee_id AND g.minor = -p.taken_minor
      WHERE p.state = 'settled' AND p.taken_minor > 0 AND g.minor IS NULL`,
    fault: (row) => `Payment ${row.id} is settled, but no entry credits its payee with what was taken.`,
  },
  {
    sql: `SELECT e.entry_id AS id FROM entries e
      LEFT JOIN payments p ON p.payment_id = substr(e.reference, length('settlement:') + 1)
        AND p.partition = e.partition AND p.state = 'settled'
      WHERE e.kind = 'settlement' AND p.payment_id IS NULL`,
    fault: (row) => `Entry ${row.id} settles a payment that is not settled.`,
  },
  {
    sql: `SELECT x.certificate_id AS id FROM exposures x
      LEFT JOIN (
        SELECT partition, certificate_id, sum(taken_minor) AS settled_minor,
          sum(CASE state WHEN 'released' THEN amount_minor WHEN 'settled' THEN amount_minor - taken_minor ELSE 0 END)
            AS released_minor
        FROM payments GROUP BY 1, 2
      ) p ON p.partition = x.partition AND p.certificate_id = x.certificate_id
      WHERE x.settled_minor != coalesce(p.settled_minor, 0) OR x.released_minor != coalesce(p.released_minor, 0)`,
    fault: (row) => `What certificate ${row.id} has settled and given back is not what its payments say.`,
  },
];
