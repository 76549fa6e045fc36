import type { EntryAudit } from "./audit-entries.ts";
import { eachPage, PAGE, type Reading } from "./audit-reading.ts";
import type { Database, Row } from "./database.ts";
import { minor, number, optional, text } from "./rows.ts";

/** What a certificate's payments took, and what was given back of them, minor units. */
type Sums = { settledMinor: bigint; releasedMinor: bigint };

/** Entries, as they were read before, payments and certificates tell the same story. */
export async function auditPayments(reading: Reading, { settling, newest }: EntryAudit): Promise<void> {
  const { database, report } = reading;
  const sums = new Map<number, Sums>();
  await eachPage(reading, "payments compared with their entries", (last) => {
    const after = last === undefined ? 0 : number(last, "payment_number");
    const rows = database.all(
      `SELECT payment_number, payment_id, certificate, state, taken_minor, amount_minor, entry_id FROM payments
        WHERE payment_number > ? ORDER BY payment_number LIMIT ${PAGE}`,
      after,
    );
    for (const row of rows) {
      addTo(sums, row);
      const entryId = optional(row, "entry_id", number);
      // What was settled since the entries were read has an entry that was not.
      if (entryId === undefined || entryId > newest || text(row, "state") !== "settled") continue;
      if (!settling.delete(entryId)) report(`Payment ${row.payment_id} names an entry that settles another, or none.`);
    }
    const through = rows.at(-1);
    if (through !== undefined)
      for (const { sql, fault } of COMPARISONS)
        for (const row of database.all(sql, after, number(through, "payment_number"))) report(fault(row));
    return rows;
  });
  for (const entryId of settling)
    report(`Entry ${entryId} settles a payment that is not settled, or one that another entry settles.`);
  await repeatedPayments(reading);
  await exposures(reading, sums);
}

function addTo(sums: Map<number, Sums>, row: Row): void {
  const certificate = number(row, "certificate");
  let sum = sums.get(certificate);
  if (sum === undefined) {
    sum = { settledMinor: 0n, releasedMinor: 0n };
    sums.set(certificate, sum);
  }
  const takenMinor = minor(row, "taken_minor");
  sum.settledMinor += takenMinor;
  const state = text(row, "state");
  if (state === "released") sum.releasedMinor += minor(row, "amount_minor");
  else if (state === "settled") sum.releasedMinor += minor(row, "amount_minor") - takenMinor;
}

/** Of payments with one number, which two may have whose device was copied, none is there twice. */
async function repeatedPayments({ database, report, othersTurn }: Reading): Promise<void> {
  for (let after = -1; ; ) {
    const row = database.get(
      `SELECT certificate FROM payments WHERE certificate > ? ORDER BY certificate LIMIT 1 OFFSET ${PAGE}`,
      after,
    );
    const upTo = row === undefined ? Number.MAX_SAFE_INTEGER : number(row, "certificate");
    for (const repeated of database.all(
      `SELECT min(p.payment_id) AS id FROM (
          SELECT certificate, sequence FROM payments WHERE certificate > ? AND certificate <= ?
            GROUP BY certificate, sequence HAVING count(*) > 1
        ) twice JOIN payments p ON p.certificate = twice.certificate AND p.sequence = twice.sequence
        GROUP BY p.certificate, p.payment_id HAVING count(*) > 1`,
      after,
      upTo,
    ))
      report(`Payment ${repeated.id} is there more than once.`);
    if (row === undefined) return;
    after = upTo;
    await othersTurn();
  }
}

/** What disagrees with payments that were read earlier may have been settled since: it is added up anew, in one moment. */
async function exposures(reading: Reading, sums: ReadonlyMap<number, Sums>): Promise<void> {
  const { database, report } = reading;
  await eachPage(reading, "certificates compared with their payments", (last) => {
    const rows = database.all(
      `SELECT x.*, c.status_index FROM exposures x
        LEFT JOIN certificates c ON c.partition = x.partition AND c.certificate_id = x.certificate_id
        WHERE (x.partition, x.certificate_id) > (?, ?) ORDER BY x.partition, x.certificate_id LIMIT ${PAGE}`,
      last === undefined ? -1 : number(last, "partition"),
      last === undefined ? "" : text(last, "certificate_id"),
    );
    for (const row of rows) {
      const certificate = optional(row, "status_index", number) ?? -1;
      if (isAsSummed(row, sums.get(certificate)) || isAsSummed(row, sumsNow(database, certificate))) continue;
      report(`What certificate ${row.certificate_id} has settled and given back is not what its payments say.`);
    }
    return rows;
  });
}

function isAsSummed(row: Row, { settledMinor, releasedMinor }: Sums = { settledMinor: 0n, releasedMinor: 0n }) {
  return minor(row, "settled_minor") === settledMinor && minor(row, "released_minor") === releasedMinor;
}

function sumsNow(database: Database, certificate: number): Sums {
  const sums = new Map<number, Sums>();
  for (const row of database.all("SELECT * FROM payments WHERE certificate = ?", certificate)) addTo(sums, row);
  return sums.get(certificate) ?? { settledMinor: 0n, releasedMinor: 0n };
}

/** Of some payments, those that say something else than what they name. */
const COMPARISONS: readonly { readonly sql: string; readonly fault: (row: Row) => string }[] = [
  {
    sql: `SELECT p.payment_id AS id FROM payments p
      LEFT JOIN entries e ON e.entry_id = p.entry_id AND e.partition = p.partition AND e.kind = 'settlement'
        AND e.reference = 'settlement:' || p.payment_id
        AND instr(e.postings, '["clearing:' || p.payee_id || '","-' || p.taken_minor || '"]') > 0
      WHERE p.payment_number > ? AND p.payment_number <= ? AND p.taken_minor > 0 AND e.entry_id IS NULL`,
    fault: (row) => `Payment ${row.id} is settled, but no entry credits its payee with what was taken.`,
  },
  {
    sql: `SELECT p.payment_id AS id FROM payments p JOIN entries e ON e.entry_id = p.entry_id
      WHERE p.payment_number > ? AND p.payment_number <= ?
        AND (p.funded_balance_minor, p.funded_credit_minor, p.funded_reserve_minor) != (
          SELECT total(CASE WHEN g.value ->> 0 LIKE 'wallet:%' THEN CAST(g.value ->> 1 AS INTEGER) END),
            total(CASE WHEN g.value ->> 0 LIKE 'credit:%' THEN CAST(g.value ->> 1 AS INTEGER) END),
            total(CASE WHEN g.value ->> 0 = 'loss-reserve' THEN CAST(g.value ->> 1 AS INTEGER) END)
          FROM json_each(iif(json_valid(e.postings), e.postings, '[]')) g)`,
    fault: (row) => `Payment ${row.id} says of another share of balance, credit and reserve than its entry.`,
  },
  {
    sql: `SELECT p.payment_id AS id FROM payments p LEFT JOIN certificates c ON c.status_index = p.certificate
      WHERE p.payment_number > ? AND p.payment_number <= ? AND c.partition IS NOT p.partition`,
    fault: (row) => `Payment ${row.id} belongs to no certificate of its partition.`,
  },
];
