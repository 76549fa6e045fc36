import { type AccountNumber, accountNumber, afterRepayment, duesAfterStatement, partitionOf } from "@cairn/issue";
import { topUpEntry, topUpReference } from "@cairn/settle";
import type { AccountRecord, IssuerStore, NewAccount } from "../port.ts";
import { found, StoreError } from "../store-error.ts";
import { duesText, readDues } from "../stored-lists.ts";
import { type Books, postedTo } from "./books.ts";
import type { Database } from "./database.ts";
import { accountIn, currencyIn, minor, number, oneOf, type Row, text } from "./rows.ts";
import type { Session } from "./session.ts";
import type { SqlValue } from "./statement.ts";

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
export const SELECT_ACCOUNT = `${SELECT} WHERE a.partition = $1 AND a.account = $2`;

/** Accounts and the money in them. */
export class Accounts {
  readonly #database: Database;
  readonly #books: Books;

  constructor(database: Database, books: Books) {
    this.#database = database;
    this.#books = books;
  }

  async create({ name, currency, createdAt }: NewAccount): Promise<AccountNumber> {
    const row = await this.#database.get("SELECT nextval('account_numbers') AS account");
    const account = accountIn(found(row, "STORE_DAMAGED", "number"));
    await this.#database.run(
      `INSERT INTO accounts (partition, account, name, currency, status, credit_line_minor, overdue_minor, score_band,
          informed_at, created_at, statement_at)
        VALUES ($1, $2, $3, $4, 'active', 0, 0, 'E', $5, $5, $5) ON CONFLICT DO NOTHING`,
      partitionOf(account),
      account,
      name,
      currency,
      createdAt,
    );
    return account;
  }

  async find(account: AccountNumber): Promise<AccountRecord | undefined> {
    const row = await this.#database.get(SELECT_ACCOUNT, partitionOf(account), account);
    return row === undefined ? undefined : accountFrom(row);
  }

  async all(): Promise<AccountRecord[]> {
    return (await this.#database.all(`${SELECT} ORDER BY a.account`)).map(accountFrom);
  }

  async setStatus(account: AccountNumber, status: AccountRecord["status"]): Promise<void> {
    await this.#update("UPDATE accounts SET status = $3 WHERE partition = $1 AND account = $2", account, status);
  }

  async setCredit(account: AccountNumber, credit: Credit): Promise<void> {
    const { lineMinor, overdueMinor, scoreBand, informedAt } = credit;
    if (lineMinor < 0n || overdueMinor < 0n)
      throw new StoreError("STORE_INPUT_INVALID", "A credit line and a debt are not below zero.");
    await this.#update(
      `UPDATE accounts SET credit_line_minor = $3, overdue_minor = $4, score_band = $5, informed_at = $6
        WHERE partition = $1 AND account = $2`,
      account,
      lineMinor,
      overdueMinor,
      scoreBand,
      informedAt,
    );
  }

  topUp({ account, amountMinor, idempotencyKey, at }: TopUp): Promise<"posted" | "repeated" | "key-reused"> {
    const partition = partitionOf(account);
    return this.#database.inPartition(partition, async (session, locked) => {
      const row = await session.get(SELECT_ACCOUNT, partition, account);
      const { currency, credit } = accountFrom(found(row, "ACCOUNT_UNKNOWN", account));
      if (amountMinor <= 0n) throw new StoreError("STORE_INPUT_INVALID", "A top-up must be more than zero.");
      const earlierMinor = await postedTo(session, partition, topUpReference(account, idempotencyKey), "cash");
      if (earlierMinor !== undefined) return earlierMinor === amountMinor ? "repeated" : "key-reused";
      const creditUsedMinor = credit.usedMinor;
      await this.#books.post(session, locked, [
        topUpEntry({ account, currency, amountMinor, creditUsedMinor, idempotencyKey, at }),
      ]);
      const repaidMinor = amountMinor < creditUsedMinor ? amountMinor : creditUsedMinor;
      writeRepayment(session, account, afterRepayment(credit, repaidMinor));
      return "posted";
    });
  }

  async closeStatements({ at, everySeconds, dueAfterSeconds, limit }: Statements) {
    const rows = await this.#database.all(
      "SELECT account FROM accounts WHERE statement_at <= $1 ORDER BY statement_at, account LIMIT $2",
      at - everySeconds,
      limit,
    );
    let asked = 0;
    // One after the other under its partition's lock, so that no repayment comes between looking and writing.
    for (const account of rows.map((row) => accountIn(row))) {
      const partition = partitionOf(account);
      asked += await this.#database.inPartition(partition, async (session) => {
        const { credit } = accountFrom(
          found(await session.get(SELECT_ACCOUNT, partition, account), "ACCOUNT_UNKNOWN", account),
        );
        const dues = duesAfterStatement(credit, { at, dueAfterSeconds });
        session.later(
          "UPDATE accounts SET dues = $3, statement_at = $4 WHERE partition = $1 AND account = $2",
          partition,
          account,
          duesText(dues),
          at,
        );
        return dues.length > credit.dues.length ? 1 : 0;
      });
    }
    return { closed: rows.length, asked };
  }

  async #update(sql: string, account: AccountNumber, ...values: SqlValue[]): Promise<void> {
    const changed = await this.#database.run(sql, partitionOf(account), account, ...values);
    found(changed === 1 ? changed : undefined, "ACCOUNT_UNKNOWN", account);
  }
}

/** What is overdue and due after a repayment. */
export function writeRepayment(
  session: Session,
  account: AccountNumber,
  { overdueMinor, dues }: ReturnType<typeof afterRepayment>,
): void {
  session.later(
    "UPDATE accounts SET overdue_minor = $3, dues = $4 WHERE partition = $1 AND account = $2",
    partitionOf(account),
    account,
    overdueMinor,
    duesText(dues),
  );
}

export function accountFrom(row: Row): AccountRecord {
  return {
    account: accountNumber(number(row, "account")),
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
