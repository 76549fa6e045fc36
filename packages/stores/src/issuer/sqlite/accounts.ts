import { type AccountNumber, accountNumber, afterRepayment, duesAfterStatement, partitionOf } from "@cairn/issue";
import { topUpEntry, topUpReference } from "@cairn/settle";
import type { AccountRecord, IssuerStore, NewAccount } from "../port.ts";
import { found, StoreError } from "../store-error.ts";
import { duesText, readDues } from "../stored-lists.ts";
import type { Books } from "./books.ts";
import type { Database, Row } from "./database.ts";
import { accountIn, currencyIn, minor, number, oneOf, text } from "./rows.ts";

type Credit = Parameters<IssuerStore["setCredit"]>[1];
type TopUp = Parameters<IssuerStore["topUp"]>[0];
type Statements = Parameters<IssuerStore["closeStatements"]>[0];

export const STATUSES = ["active", "frozen"] as const;
const SCORE_BANDS = ["A", "B", "C", "D", "E"] as const;

const SELECT = `
  SELECT a.account, a.name, a.currency, a.status, a.credit_line_minor, a.overdue_minor, a.dues, a.score_band, a.informed_at,
    a.created_at, coalesce(-w.minor, 0) AS balance_minor, coalesce(c.minor, 0) AS credit_used_minor,
    (SELECT count(*) FROM conflicts x
      WHERE x.partition = a.partition AND x.account = a.account AND x.resolved_at IS NULL) AS unresolved
  FROM accounts a
  LEFT JOIN balances w
    ON w.partition = a.partition AND w.ledger_account = 'wallet:' || a.account AND w.currency = a.currency
  LEFT JOIN balances c
    ON c.partition = a.partition AND c.ledger_account = 'credit:' || a.account AND c.currency = a.currency`;

/** Accounts and the money in them. */
export class Accounts {
  readonly #database: Database;
  readonly #books: Books;
  #newest: number;

  constructor(database: Database, books: Books) {
    this.#database = database;
    this.#books = books;
    const row = database.get("SELECT coalesce(max(account), 0) AS newest FROM accounts");
    this.#newest = row === undefined ? 0 : number(row, "newest");
  }

  create({ name, currency, createdAt }: NewAccount): AccountNumber {
    const account = accountNumber(this.#newest + 1);
    this.#database.transaction(() =>
      this.#database.run(
        "INSERT INTO accounts VALUES (?, ?, ?, ?, 'active', 0, 0, 'E', ?, ?, '[]', ?)",
        partitionOf(account),
        account,
        name,
        currency,
        createdAt,
        createdAt,
        createdAt,
      ),
    );
    this.#newest = account;
    return account;
  }

  find(account: AccountNumber): AccountRecord | undefined {
    const row = this.#database.get(`${SELECT} WHERE a.partition = ? AND a.account = ?`, partitionOf(account), account);
    return row === undefined ? undefined : accountFrom(row);
  }

  get(account: AccountNumber): AccountRecord {
    return found(this.find(account), "ACCOUNT_UNKNOWN", account);
  }

  all(): AccountRecord[] {
    return this.#database.all(`${SELECT} ORDER BY a.account`).map(accountFrom);
  }

  setStatus(account: AccountNumber, status: AccountRecord["status"]): void {
    this.#update("UPDATE accounts SET status = ? WHERE partition = ? AND account = ?", account, status);
  }

  setCredit(account: AccountNumber, credit: Credit): void {
    const { lineMinor, overdueMinor, scoreBand, informedAt } = credit;
    if (lineMinor < 0n || overdueMinor < 0n)
      throw new StoreError("STORE_INPUT_INVALID", "A credit line and a debt are not below zero.");
    this.#update(
      `UPDATE accounts SET credit_line_minor = ?, overdue_minor = ?, score_band = ?, informed_at = ?
        WHERE partition = ? AND account = ?`,
      account,
      lineMinor,
      overdueMinor,
      scoreBand,
      informedAt,
    );
  }

  topUp({ account, amountMinor, idempotencyKey, at }: TopUp): "posted" | "repeated" | "key-reused" {
    return this.#database.transaction(() => {
      const { currency, credit } = this.get(account);
      if (amountMinor <= 0n) throw new StoreError("STORE_INPUT_INVALID", "A top-up must be more than zero.");
      const partition = partitionOf(account);
      const earlierMinor = this.#books.postedTo(partition, topUpReference(account, idempotencyKey), "cash");
      if (earlierMinor !== undefined) return earlierMinor === amountMinor ? "repeated" : "key-reused";
      const creditUsedMinor = credit.usedMinor;
      this.#books.post(partition, [
        topUpEntry({ account, currency, amountMinor, creditUsedMinor, idempotencyKey, at }),
      ]);
      const repaidMinor = amountMinor < creditUsedMinor ? amountMinor : creditUsedMinor;
      this.repay(account, repaidMinor);
      return "posted";
    });
  }

  /** Credit was repaid: what is overdue and due of it is no longer. Within the caller's transaction. */
  repay(account: AccountNumber, repaidMinor: bigint): void {
    const { overdueMinor, dues } = afterRepayment(this.get(account).credit, repaidMinor);
    this.#database.run(
      "UPDATE accounts SET overdue_minor = ?, dues = ? WHERE partition = ? AND account = ?",
      overdueMinor,
      duesText(dues),
      partitionOf(account),
      account,
    );
  }

  /** Within the caller's transaction. */
  closeStatements({ at, everySeconds, dueAfterSeconds, limit }: Statements) {
    let asked = 0;
    const closing = this.#database
      .all(`${SELECT} WHERE a.statement_at <= ? ORDER BY a.statement_at LIMIT ?`, at - everySeconds, limit)
      .map(accountFrom);
    for (const { account, credit } of closing) {
      const dues = duesAfterStatement(credit, { at, dueAfterSeconds });
      if (dues.length > credit.dues.length) asked++;
      this.#database.run(
        "UPDATE accounts SET dues = ?, statement_at = ? WHERE partition = ? AND account = ?",
        duesText(dues),
        at,
        partitionOf(account),
        account,
      );
    }
    return { closed: closing.length, asked };
  }

  #update(sql: string, account: AccountNumber, ...values: (string | number | bigint)[]): void {
    const changed = this.#database.transaction(() => this.#database.run(sql, ...values, partitionOf(account), account));
    found(changed === 1 ? changed : undefined, "ACCOUNT_UNKNOWN", account);
  }
}

function accountFrom(row: Row): AccountRecord {
  return {
    account: accountIn(row),
    name: text(row, "name"),
    status: oneOf(row, "status", STATUSES),
    currency: currencyIn(row),
    balanceMinor: minor(row, "balance_minor"),
    credit: {
      lineMinor: minor(row, "credit_line_minor"),
      usedMinor: minor(row, "credit_used_minor"),
      overdueMinor: minor(row, "overdue_minor"),
      dues: readDues(text(row, "dues")),
      scoreBand: oneOf(row, "score_band", SCORE_BANDS),
      informedAt: number(row, "informed_at"),
    },
    unresolvedConflicts: number(row, "unresolved"),
    createdAt: number(row, "created_at"),
  };
}
