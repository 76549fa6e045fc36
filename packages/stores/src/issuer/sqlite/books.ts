import type { AccountNumber, Partition } from "@cairn/issue";
import type { Currency, PayeeId } from "@cairn/messages";
import { ENTRY_KINDS, type LedgerEntry, type Posting } from "@cairn/settle";
import { entryHash, FIRST_HASH, ledgerAccountText, readLedgerAccount } from "../ledger-text.ts";
import type { StoredEntry } from "../port.ts";
import type { Database, Row } from "./database.ts";
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

  constructor(database: Database) {
    this.#database = database;
    const row = database.get("SELECT coalesce(max(entry_id), 0) AS newest FROM ledger_heads");
    this.#newest = row === undefined ? 0 : number(row, "newest");
  }

  /** Writes entries of one partition behind the newest; within the caller's transaction. */
  post(partition: Partition, entries: readonly LedgerEntry[]): void {
    if (entries.length === 0) return;
    const head = this.#database.get("SELECT hash FROM ledger_heads WHERE partition = ?", partition);
    let hash = head === undefined ? FIRST_HASH : bytes(head, "hash");
    let entryId = this.#newest;
    const changes = new Map<string, Change>();
    for (const { kind, reference, currency, postedAt, postings: lines } of entries) {
      entryId++;
      const postings = lines.map(({ ledgerAccount, minor }) => ({
        ledgerAccount: ledgerAccountText(ledgerAccount),
        minor,
      }));
      hash = entryHash(hash, { entryId, kind, reference, currency, postedAt, postings });
      this.#database.run(
        "INSERT INTO entries VALUES (?, ?, ?, ?, ?, ?, ?)",
        partition,
        entryId,
        kind,
        reference,
        currency,
        postedAt,
        hash,
      );
      postings.forEach(({ ledgerAccount, minor: postedMinor }, line) => {
        this.#database.run(
          "INSERT INTO postings VALUES (?, ?, ?, ?, ?)",
          partition,
          entryId,
          line,
          ledgerAccount,
          postedMinor,
        );
        const key = `${ledgerAccount} ${currency}`;
        const changeMinor = (changes.get(key)?.minor ?? 0n) + postedMinor;
        changes.set(key, { ledgerAccount, currency, minor: changeMinor });
      });
    }
    for (const change of changes.values()) this.#changeBalance(partition, change);
    this.#database.run(
      `INSERT INTO ledger_heads VALUES (?, ?, ?)
        ON CONFLICT DO UPDATE SET entry_id = excluded.entry_id, hash = excluded.hash`,
      partition,
      entryId,
      hash,
    );
    // A number lost to a transaction that fails later leaves a gap, never a double.
    this.#newest = entryId;
  }

  /** What an entry posted to a ledger account; undefined when there is no such entry. */
  postedTo(partition: Partition, reference: string, ledgerAccount: string): bigint | undefined {
    const row = this.#database.get(
      `SELECT p.minor FROM entries e JOIN postings p ON p.partition = e.partition AND p.entry_id = e.entry_id
        WHERE e.partition = ? AND e.reference = ? AND p.ledger_account = ?`,
      partition,
      reference,
      ledgerAccount,
    );
    return row === undefined ? undefined : minor(row, "minor");
  }

  entries({ account, payeeId, after = 0, limit }: EntryFilter): StoredEntry[] {
    const about = [
      ...(account === undefined ? [] : [["wallet", "credit"].map((kind) => `${kind}:${account}`)]),
      ...(payeeId === undefined ? [] : [[`clearing:${payeeId}`, `payee:${payeeId}`]]),
    ];
    const conditions = about.map(
      () => "e.entry_id IN (SELECT entry_id FROM postings WHERE ledger_account IN (SELECT value FROM json_each(?)))",
    );
    const rows = this.#database.all(
      `SELECT e.*, p.ledger_account, p.minor FROM (
          SELECT partition, entry_id, kind, reference, currency, posted_at FROM entries e
          WHERE ${["e.entry_id > ?", ...conditions].join(" AND ")} ORDER BY entry_id LIMIT ?
        ) e JOIN postings p ON p.partition = e.partition AND p.entry_id = e.entry_id
        ORDER BY e.entry_id, p.line`,
      after,
      ...about.map((accounts) => JSON.stringify(accounts)),
      limit,
    );
    return groupEntries(rows);
  }

  /** Sum of every ledger account over all partitions, from the entries. */
  trialBalance(): { readonly ledgerAccount: string; readonly currency: Currency; readonly minor: bigint }[] {
    return this.#database
      .all(
        `SELECT p.ledger_account, e.currency, sum(p.minor) AS minor
          FROM entries e JOIN postings p ON p.partition = e.partition AND p.entry_id = e.entry_id
          GROUP BY p.ledger_account, e.currency ORDER BY p.ledger_account, e.currency`,
      )
      .map((row) => ({
        ledgerAccount: text(row, "ledger_account"),
        currency: currencyIn(row),
        minor: minor(row, "minor"),
      }));
  }

  #changeBalance(partition: Partition, { ledgerAccount, currency, minor: changeMinor }: Change): void {
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

type Change = { readonly ledgerAccount: string; readonly currency: Currency; readonly minor: bigint };

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
