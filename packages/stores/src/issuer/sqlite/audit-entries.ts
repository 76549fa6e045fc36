import { ENTRY_KINDS } from "@cairn/settle";
import { entryHash, FIRST_HASH, type PostingText, readPostings } from "../ledger-text.ts";
import { eachPage, PAGE, type Reading } from "./audit-reading.ts";
import type { Row } from "./database.ts";
import { NumberSet } from "./number-set.ts";
import { bytes, currencyIn, minor, number, oneOf, text } from "./rows.ts";

type Head = { readonly entryId: number; readonly hash: Uint8Array };
type Sum = { minor: bigint; isCompared: boolean };

/** Each entry sums to zero, hangs together with the one before, and all together give the balances. */
export class EntryAudit {
  readonly #reading: Reading;
  readonly #sums = new Map<string, Sum>();
  readonly #heads = new Map<number, Head>();
  /** Entries that settle a payment. */
  readonly settling = new NumberSet();
  #newest = 0;
  #count = 0;

  constructor(reading: Reading) {
    this.#reading = reading;
  }

  get count(): number {
    return this.#count;
  }

  /** The last one that was read. */
  get newest(): number {
    return this.#newest;
  }

  async read(): Promise<void> {
    await eachPage(this.#reading, "entries read", () => this.#page());
    this.#compareHeads();
  }

  async balances(): Promise<void> {
    const { database, report } = this.#reading;
    await eachPage(this.#reading, "balances compared", (last) => {
      this.#catchUp();
      const rows = database.all(
        `SELECT * FROM balances WHERE (partition, ledger_account, currency) > (?, ?, ?)
          ORDER BY partition, ledger_account, currency LIMIT ${PAGE}`,
        last === undefined ? -1 : number(last, "partition"),
        last === undefined ? "" : text(last, "ledger_account"),
        last === undefined ? "" : text(last, "currency"),
      );
      for (const row of rows) this.#compareBalance(row);
      return rows;
    });
    // Those that came behind the place that was being read.
    this.#catchUp();
    for (const [key, sum] of this.#sums) {
      if (sum.isCompared || sum.minor === 0n) continue;
      const [partition, ledgerAccount = "", currency = ""] = key.split(" ");
      const row = database.get(
        "SELECT * FROM balances WHERE partition = ? AND ledger_account = ? AND currency = ?",
        Number(partition),
        ledgerAccount,
        currency,
      );
      if (row === undefined) report(`A balance is missing: ${key}, ${sum.minor} by its entries.`);
      else this.#compareBalance(row);
    }
  }

  /** The lists of entries that settle no payment, by the accounts that they post to. */
  async accounts(): Promise<void> {
    const { database, report } = this.#reading;
    await eachPage(this.#reading, "entries of accounts compared", (last) => {
      const rows = database.all(
        `SELECT a.ledger_account, a.entry_id,
            e.entry_id IS NULL OR instr(e.postings, '["' || a.ledger_account || '",') = 0 AS is_wrong
          FROM account_entries a LEFT JOIN entries e ON e.entry_id = a.entry_id
          WHERE (a.ledger_account, a.entry_id) > (?, ?) ORDER BY a.ledger_account, a.entry_id LIMIT ${PAGE}`,
        last === undefined ? "" : text(last, "ledger_account"),
        last === undefined ? 0 : number(last, "entry_id"),
      );
      for (const row of rows)
        if (row.is_wrong !== 0n) report(`An account names entry ${row.entry_id}, which has no posting to it.`);
      return rows;
    });
  }

  #catchUp(): void {
    while (this.#page().length === PAGE);
  }

  #page(): readonly Row[] {
    const { database, report } = this.#reading;
    const after = this.#newest;
    const rows = database.all(`SELECT * FROM entries WHERE entry_id > ? ORDER BY entry_id LIMIT ${PAGE}`, after);
    for (const row of rows) this.#entry(row);
    this.#count += rows.length;
    if (rows.length > 0)
      for (const row of database.all(
        `SELECT DISTINCT e.entry_id AS id FROM entries e, json_each(iif(json_valid(e.postings), e.postings, '[]')) g
          LEFT JOIN account_entries a ON a.ledger_account = g.value ->> 0 AND a.entry_id = e.entry_id
          WHERE e.entry_id > ? AND e.entry_id <= ? AND e.kind != 'settlement' AND instr(g.value ->> 0, ':') > 0
            AND a.entry_id IS NULL`,
        after,
        this.#newest,
      ))
        report(`Entry ${row.id} is missing from the list of an account that it posts to.`);
    return rows;
  }

  #entry(row: Row): void {
    const { report } = this.#reading;
    const entryId = number(row, "entry_id");
    const partition = number(row, "partition");
    const kind = oneOf(row, "kind", ENTRY_KINDS);
    const currency = currencyIn(row);
    const written = bytes(row, "hash");
    const expected = entryHash(this.#heads.get(partition)?.hash ?? FIRST_HASH, {
      entryId,
      kind,
      reference: text(row, "reference"),
      currency,
      postedAt: number(row, "posted_at"),
      postings: text(row, "postings"),
    });
    if (!sameHash(expected, written)) report(`Entry ${entryId} is not what was written, or one before it is missing.`);
    this.#heads.set(partition, { entryId, hash: written });
    this.#newest = entryId;
    if (kind === "settlement") this.settling.add(entryId);
    const postings = postingsOf(row, report);
    const total = postings.reduce((sum, posting) => sum + posting.minor, 0n);
    if (total !== 0n) report(`Entry ${entryId} sums to ${total}, not to zero.`);
    for (const posting of postings) {
      const key = balanceKey(partition, posting.ledgerAccount, currency);
      const sum = this.#sums.get(key);
      if (sum === undefined) this.#sums.set(key, { minor: posting.minor, isCompared: false });
      else sum.minor += posting.minor;
    }
  }

  /** In the moment in which the last page was read. */
  #compareHeads(): void {
    const { database, report } = this.#reading;
    const kept = new Set<number>();
    for (const row of database.all("SELECT * FROM ledger_heads")) {
      const partition = number(row, "partition");
      kept.add(partition);
      const last = this.#heads.get(partition);
      if (last?.entryId !== number(row, "entry_id") || !sameHash(last.hash, bytes(row, "hash")))
        report(`The newest entry of partition ${partition} is not the one that was written last.`);
    }
    for (const partition of this.#heads.keys())
      if (!kept.has(partition)) report(`Partition ${partition} has entries but no newest one.`);
  }

  #compareBalance(row: Row): void {
    const ledgerAccount = text(row, "ledger_account");
    const sum = this.#sums.get(balanceKey(number(row, "partition"), ledgerAccount, currencyIn(row)));
    if (sum !== undefined) sum.isCompared = true;
    const expected = sum?.minor ?? 0n;
    if (expected !== minor(row, "minor"))
      this.#reading.report(`The balance of ${ledgerAccount} is ${minor(row, "minor")}; its entries say ${expected}.`);
  }
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
