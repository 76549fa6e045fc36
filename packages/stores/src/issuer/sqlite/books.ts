import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import type { Currency, PayeeId } from "@cairn/messages";
import { ENTRY_KINDS, type LedgerAccount, type LedgerEntry } from "@cairn/settle";
import {
  type EntrySeal,
  entryHash,
  FIRST_HASH,
  ledgerAccountText,
  type PostingText,
  postingsText,
  readLedgerAccount,
  readPostings,
  sealedText,
} from "../ledger-text.ts";
import type { StoredEntry } from "../port.ts";
import type { Database, Row } from "./database.ts";
import { RowWriter } from "./row-writer.ts";
import { bytes, currencyIn, minor, number, oneOf, text } from "./rows.ts";

export type EntryFilter = {
  readonly account?: AccountNumber;
  readonly payeeId?: PayeeId;
  readonly after?: number;
  readonly limit: number;
};

/** Entries, their postings, and the balances beside them, which only an entry changes. */
export class Books {
  readonly #database: Database;
  #newest: number;
  /** Undefined: entries are posted without. */
  seal: EntrySeal | undefined;

  constructor(database: Database) {
    this.#database = database;
    const row = database.get("SELECT coalesce(max(entry_id), 0) AS newest FROM ledger_heads");
    this.#newest = row === undefined ? 0 : number(row, "newest");
  }

  /**
   * Writes entries of one partition behind the newest; within the caller's transaction. Gives their ids, in their order.
   * @throws the database's own error when a reference of an entry that settles no payment was posted before.
   */
  post(partition: Partition, entries: readonly LedgerEntry[]): readonly number[] {
    const ids: number[] = [];
    if (entries.length === 0) return ids;
    const head = this.#database.get("SELECT hash FROM ledger_heads WHERE partition = ?", partition);
    let hash = head === undefined ? FIRST_HASH : bytes(head, "hash");
    const rows = new RowWriter(this.#database, "entries", 8);
    let entryId = this.#newest;
    const balances = new BalanceChanges();
    for (const { kind, reference, currency, postedAt, postings: lines } of entries) {
      entryId++;
      const postings = lines.map(({ ledgerAccount, minor: postedMinor }) => ({
        ledgerAccount: balances.add(ledgerAccount, currency, postedMinor),
        minor: postedMinor,
      }));
      const text = postingsText(postings);
      hash = entryHash(hash, { entryId, kind, reference, currency, postedAt, postings: text });
      rows.add(entryId, partition, kind, reference, currency, postedAt, text, hash);
      ids.push(entryId);
      if (kind === "settlement") continue;
      // What is noted of an entry names it.
      rows.flush();
      this.#noteAccounts(entryId, postings);
      this.#seal(partition, { kind, reference, currency, postedAt, postings: text });
    }
    rows.flush();
    for (const change of balances.all) this.#changeBalance(partition, change);
    this.#database.run(
      `INSERT INTO ledger_heads VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET entry_id = excluded.entry_id, hash = excluded.hash`,
      partition,
      entryId,
      hash,
    );
    // A number lost to a transaction that fails later leaves a gap, never a double.
    this.#newest = entryId;
    return ids;
  }

  /** What an entry (no settlement) posted to a ledger account; undefined when there is no such entry. */
  postedTo(partition: Partition, reference: string, ledgerAccount: string): bigint | undefined {
    const row = this.#database.get(
      "SELECT postings FROM entries WHERE partition = ? AND reference = ? AND kind != 'settlement'",
      partition,
      reference,
    );
    if (row === undefined) return undefined;
    return readPostings(text(row, "postings")).find((posting) => posting.ledgerAccount === ledgerAccount)?.minor;
  }

  entries({ account, payeeId, after = 0, limit }: EntryFilter): StoredEntry[] {
    const conditions: string[] = [];
    const values: (string | number)[] = [];
    if (account !== undefined) {
      conditions.push(`entry_id IN (
        SELECT entry_id FROM account_entries WHERE ledger_account IN ('wallet:' || ?, 'credit:' || ?)
        UNION ALL SELECT p.entry_id FROM certificates c JOIN payments p ON p.certificate = c.status_index
          WHERE c.partition = ? AND c.account = ? AND p.entry_id IS NOT NULL)`);
      values.push(String(account), String(account), partitionOf(account), account);
    }
    if (payeeId !== undefined) {
      // Two filters have to see everything of both.
      conditions.push(`entry_id IN (
        SELECT entry_id FROM account_entries WHERE ledger_account IN ('clearing:' || ?, 'payee:' || ?)
        UNION ALL SELECT * FROM (SELECT entry_id FROM payments WHERE payee_id = ? AND entry_id > ?
          ORDER BY entry_id ${account === undefined ? "LIMIT ?" : ""}))`);
      values.push(payeeId, payeeId, payeeId, after, ...(account === undefined ? [limit] : []));
    }
    return this.#database
      .all(
        `SELECT * FROM entries WHERE ${["entry_id > ?", ...conditions].join(" AND ")} ORDER BY entry_id LIMIT ?`,
        after,
        ...values,
        limit,
      )
      .map(entryFrom);
  }

  /** Sum of every ledger account over all partitions, from the entries. */
  trialBalance(): { readonly ledgerAccount: string; readonly currency: Currency; readonly minor: bigint }[] {
    return this.#database
      .all(
        `SELECT p.value ->> 0 AS ledger_account, e.currency, sum(CAST(p.value ->> 1 AS INTEGER)) AS minor
          FROM entries e, json_each(e.postings) p GROUP BY 1, 2 ORDER BY 1, 2`,
      )
      .map((row) => ({
        ledgerAccount: text(row, "ledger_account"),
        currency: currencyIn(row),
        minor: minor(row, "minor"),
      }));
  }

  #noteAccounts(entryId: number, postings: readonly PostingText[]): void {
    for (const ledgerAccount of new Set(postings.map((posting) => posting.ledgerAccount)))
      if (ledgerAccount.includes(":"))
        this.#database.run("INSERT INTO account_entries VALUES (?, ?)", ledgerAccount, entryId);
  }

  #seal(partition: Partition, entry: Parameters<typeof sealedText>[1]): void {
    if (this.seal === undefined) return;
    const body = this.seal(sealedText(partition, entry));
    this.#database.run(
      "INSERT INTO operation_records VALUES (?, 'entry-seal', ?, ?)",
      partition,
      entry.reference,
      body,
    );
  }

  #changeBalance(partition: Partition, { ledgerAccount, currency, minor: changeMinor }: BalanceChange): void {
    const changed = this.#database.run(
      "UPDATE balances SET minor = minor + ? WHERE partition = ? AND ledger_account = ? AND currency = ?",
      changeMinor,
      partition,
      ledgerAccount,
      currency,
    );
    if (changed === 0)
      this.#database.run("INSERT INTO balances VALUES (?, ?, ?, ?)", partition, ledgerAccount, currency, changeMinor);
  }
}

type BalanceChange = { readonly ledgerAccount: string; readonly currency: Currency; minor: bigint };

/** What entries change of balances, added up: a batch names the same few accounts again and again, mostly by the same objects. */
class BalanceChanges {
  readonly all: BalanceChange[] = [];
  readonly #changes = new Map<LedgerAccount, BalanceChange>();

  /** Gives the account's text. */
  add(ledgerAccount: LedgerAccount, currency: Currency, minor: bigint): string {
    let change = this.#changes.get(ledgerAccount);
    if (change === undefined || change.currency !== currency) {
      change = { ledgerAccount: ledgerAccountText(ledgerAccount), currency, minor: 0n };
      this.#changes.set(ledgerAccount, change);
      this.all.push(change);
    }
    change.minor += minor;
    return change.ledgerAccount;
  }
}

export function entryFrom(row: Row): StoredEntry {
  return {
    entryId: number(row, "entry_id"),
    partition: number(row, "partition"),
    kind: oneOf(row, "kind", ENTRY_KINDS),
    reference: text(row, "reference"),
    currency: currencyIn(row),
    postedAt: number(row, "posted_at"),
    postings: readPostings(text(row, "postings")).map((posting) => ({
      ledgerAccount: readLedgerAccount(posting.ledgerAccount),
      minor: posting.minor,
    })),
  };
}
