import type { Partition } from "@cairn/issue";
import type { Currency } from "@cairn/messages";
import type { LedgerAccount } from "@cairn/settle";
import { ledgerAccountText, readLedgerAccount } from "../ledger-text.ts";
import { accountsOf, movementView } from "../movement-view.ts";
import type {
  LedgerBalance,
  MovementDecision,
  MovementInput,
  MovementView,
  OperationKind,
  RecordKey,
} from "../movements-port.ts";
import type { StoredEntry } from "../port.ts";
import { found } from "../store-error.ts";
import type { Accounts } from "./accounts.ts";
import { type Books, entryFrom } from "./books.ts";
import type { Certificates } from "./certificates.ts";
import type { Database, Row } from "./database.ts";
import { currencyIn, minor, number, text } from "./rows.ts";

type Decide<Result> = (view: MovementView) => MovementDecision<Result>;

/** Entries by decision, with the records beside them. */
export class Movements {
  readonly #database: Database;
  readonly #books: Books;
  readonly #accounts: Accounts;
  readonly #certificates: Certificates;

  constructor(parts: {
    readonly database: Database;
    readonly books: Books;
    readonly accounts: Accounts;
    readonly certificates: Certificates;
  }) {
    this.#database = parts.database;
    this.#books = parts.books;
    this.#accounts = parts.accounts;
    this.#certificates = parts.certificates;
  }

  move<Result>(input: MovementInput, decide: Decide<Result>): Result {
    const { partition, balances = [], references = [], records = [] } = input;
    const accounts = accountsOf(input);
    return this.#database.transaction(() => {
      const decision = decide(
        movementView({
          accounts: accounts.map((account) => ({
            record: found(this.#accounts.find(account), "ACCOUNT_UNKNOWN", account),
            certificates: this.#certificates.of(account),
          })),
          balances: this.#balances(partition, balances),
          entries: this.#entries(partition, references),
          records: records.flatMap((key) => this.#record(partition, key)),
        }),
      );
      this.#write(partition, decision);
      return decision.result;
    });
  }

  balancesOf(kind: LedgerAccount["kind"]): LedgerBalance[] {
    return this.#database
      .all("SELECT * FROM balances WHERE (ledger_account = ?1 OR ledger_account LIKE ?1 || ':%') AND minor != 0", kind)
      .map(balanceFrom);
  }

  sumsOf(kind: LedgerAccount["kind"]): { readonly currency: Currency; readonly minor: bigint }[] {
    return this.#database
      .all(
        `SELECT currency, sum(minor) AS minor FROM balances WHERE ledger_account = ?1 OR ledger_account LIKE ?1 || ':%'
          GROUP BY currency HAVING sum(minor) != 0 ORDER BY currency`,
        kind,
      )
      .map((row) => ({ currency: currencyIn(row), minor: minor(row, "minor") }));
  }

  sweepsUnderway(): Omit<LedgerBalance, "partition">[] {
    return this.#database
      .all(
        `SELECT ledger_account, currency, min(minor) AS minor FROM balances WHERE ledger_account LIKE 'sweeping:%'
          GROUP BY ledger_account, currency HAVING sum(minor) != 0`,
      )
      .map(heldFrom);
  }

  records(kind: OperationKind): { readonly id: string; readonly body: string }[] {
    return this.#database
      .all("SELECT id, body FROM operation_records WHERE kind = ? ORDER BY id", kind)
      .map((row) => ({ id: text(row, "id"), body: text(row, "body") }));
  }

  #balances(partition: Partition, ledgerAccounts: readonly LedgerAccount[]): LedgerBalance[] {
    if (ledgerAccounts.length === 0) return [];
    return this.#database
      .all(
        "SELECT * FROM balances WHERE partition = ? AND ledger_account IN (SELECT value FROM json_each(?))",
        partition,
        JSON.stringify(ledgerAccounts.map(ledgerAccountText)),
      )
      .map(balanceFrom);
  }

  #entries(partition: Partition, references: readonly string[]): StoredEntry[] {
    if (references.length === 0) return [];
    return this.#database
      .all(
        `SELECT * FROM entries
          WHERE partition = ? AND reference IN (SELECT value FROM json_each(?)) AND kind != 'settlement' ORDER BY entry_id`,
        partition,
        JSON.stringify(references),
      )
      .map(entryFrom);
  }

  #record(partition: Partition, { kind, id }: RecordKey): (RecordKey & { readonly body: string })[] {
    const row = this.#database.get(
      "SELECT body FROM operation_records WHERE partition = ? AND kind = ? AND id = ?",
      partition,
      kind,
      id,
    );
    return row === undefined ? [] : [{ kind, id, body: text(row, "body") }];
  }

  #write(partition: Partition, { entries = [], records = [], repaid }: MovementDecision<unknown>): void {
    this.#books.post(partition, entries);
    for (const { kind, id, body } of records) {
      if (body === undefined)
        this.#database.run(
          "DELETE FROM operation_records WHERE partition = ? AND kind = ? AND id = ?",
          partition,
          kind,
          id,
        );
      else
        this.#database.run(
          "INSERT INTO operation_records VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
          partition,
          kind,
          id,
          body,
        );
    }
    if (repaid !== undefined) this.#accounts.repay(repaid.account, repaid.minor);
  }
}

const balanceFrom = (row: Row): LedgerBalance => ({ partition: number(row, "partition"), ...heldFrom(row) });

function heldFrom(row: Row): Omit<LedgerBalance, "partition"> {
  return {
    ledgerAccount: readLedgerAccount(text(row, "ledger_account")),
    currency: currencyIn(row),
    minor: minor(row, "minor"),
  };
}
