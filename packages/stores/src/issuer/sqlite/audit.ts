import { ENTRY_KINDS } from "@cairn/settle";
import { entryHash, FIRST_HASH, type PostingText, readPostings } from "../ledger-text.ts";
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
  for (const row of database.iterate("SELECT * FROM entries ORDER BY entry_id")) {
    count++;
    const entryId = number(row, "entry_id");
    const partition = number(row, "partition");
    const currency = currencyIn(row);
    const written = bytes(row, "hash");
    const expected = entryHash(heads.get(partition)?.hash ?? FIRST_HASH, {
      entryId,
      kind: oneOf(row, "kind", ENTRY_KINDS),
      reference: text(row, "reference"),
      currency,
      postedAt: number(row, "posted_at"),
      postings: text(row, "postings"),
    });
    if (!sameHash(expected, written)) report(`Entry ${entryId} is not what was written, or one before it is missing.`);
    heads.set(partition, { entryId, hash: written });
    const postings = postingsOf(row, report);
    const sum = postings.reduce((total, posting) => total + posting.minor, 0n);
    if (sum !== 0n) report(`Entry ${entryId} sums to ${sum}, not to zero.`);
    for (const posting of postings) {
      const key = balanceKey(partition, posting.ledgerAccount, currency);
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

function postingsOf(row: Row, report: (fault: string) => void): readonly PostingText[] {
  try {
    return readPostings(text(row, "postings"));
  } catch {
    report(`The postings of entry ${number(row, "entry_id")} cannot be read.`);
    return [];
  }
}

const balanceKey = (partition: number, ledgerAccount: string, currency: string): string =>
  `${partition} ${ledgerAccount} ${currency}`;

const sameHash = (left: Uint8Array, right: Uint8Array): boolean => Buffer.from(left).equals(right);

/** Pairs of tables that must tell the same story; each statement gives the rows that do not. */
const COMPARISONS: readonly { readonly sql: string; readonly fault: (row: Row) => string }[] = [
  {
    sql: `SELECT p.payment_id AS id FROM payments p
      LEFT JOIN entries e ON e.entry_id = p.entry_id AND e.partition = p.partition AND e.kind = 'settlement'
        AND e.reference = 'settlement:' || p.payment_id
        AND instr(e.postings, '["clearing:' || p.payee_id || '","-' || p.taken_minor || '"]') > 0
      WHERE p.taken_minor > 0 AND e.entry_id IS NULL`,
    fault: (row) => `Payment ${row.id} is settled, but no entry credits its payee with what was taken.`,
  },
  {
    sql: `SELECT p.payment_id AS id FROM payments p JOIN entries e ON e.entry_id = p.entry_id
      WHERE (p.funded_balance_minor, p.funded_credit_minor, p.funded_reserve_minor) != (
        SELECT total(CASE WHEN g.value ->> 0 LIKE 'wallet:%' THEN CAST(g.value ->> 1 AS INTEGER) END),
          total(CASE WHEN g.value ->> 0 LIKE 'credit:%' THEN CAST(g.value ->> 1 AS INTEGER) END),
          total(CASE WHEN g.value ->> 0 = 'loss-reserve' THEN CAST(g.value ->> 1 AS INTEGER) END)
        FROM json_each(iif(json_valid(e.postings), e.postings, '[]')) g)`,
    fault: (row) => `Payment ${row.id} says of another share of balance, credit and reserve than its entry.`,
  },
  {
    sql: `SELECT e.entry_id AS id FROM entries e
      LEFT JOIN payments p ON p.entry_id = e.entry_id AND p.state = 'settled'
      WHERE e.kind = 'settlement' AND p.entry_id IS NULL`,
    fault: (row) => `Entry ${row.id} settles a payment that is not settled, or one that another entry settles.`,
  },
  {
    sql: "SELECT min(payment_id) AS id FROM payments GROUP BY certificate, payment_id HAVING count(*) > 1",
    fault: (row) => `Payment ${row.id} is there more than once.`,
  },
  {
    sql: `SELECT p.payment_id AS id FROM payments p LEFT JOIN certificates c ON c.status_index = p.certificate
      WHERE c.partition IS NOT p.partition`,
    fault: (row) => `Payment ${row.id} belongs to no certificate of its partition.`,
  },
  {
    sql: `SELECT a.entry_id AS id FROM account_entries a LEFT JOIN entries e ON e.entry_id = a.entry_id
      WHERE e.entry_id IS NULL OR instr(e.postings, '["' || a.ledger_account || '",') = 0`,
    fault: (row) => `An account names entry ${row.id}, which has no posting to it.`,
  },
  {
    sql: `SELECT e.entry_id AS id FROM entries e, json_each(e.postings) g
      LEFT JOIN account_entries a ON a.ledger_account = g.value ->> 0 AND a.entry_id = e.entry_id
      WHERE e.kind != 'settlement' AND instr(g.value ->> 0, ':') > 0 AND a.entry_id IS NULL`,
    fault: (row) => `Entry ${row.id} is missing from the list of an account that it posts to.`,
  },
  {
    sql: `SELECT x.certificate_id AS id FROM exposures x
      LEFT JOIN (
        SELECT c.partition, c.certificate_id, sum(p.taken_minor) AS settled_minor,
          sum(CASE p.state WHEN 'released' THEN p.amount_minor WHEN 'settled' THEN p.amount_minor - p.taken_minor
            ELSE 0 END) AS released_minor
        FROM payments p JOIN certificates c ON c.status_index = p.certificate GROUP BY 1, 2
      ) p ON p.partition = x.partition AND p.certificate_id = x.certificate_id
      WHERE x.settled_minor != coalesce(p.settled_minor, 0) OR x.released_minor != coalesce(p.released_minor, 0)`,
    fault: (row) => `What certificate ${row.id} has settled and given back is not what its payments say.`,
  },
];
