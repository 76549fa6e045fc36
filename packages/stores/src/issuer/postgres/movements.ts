import { afterRepayment, type Partition } from "@cairn/issue";
import type { Currency } from "@cairn/messages";
import type { LedgerAccount } from "@cairn/settle";
import { ledgerAccountText, readLedgerAccount } from "../ledger-text.ts";
import { accountsOf, movementView } from "../movement-view.ts";
import type {
  LedgerBalance,
  MovementAccount,
  MovementDecision,
  MovementInput,
  MovementView,
  OperationKind,
} from "../movements-port.ts";
import { found } from "../store-error.ts";
import { accountFrom, SELECT_ACCOUNT, writeRepayment } from "./accounts.ts";
import { texts } from "./binary-arrays.ts";
import { type Books, groupEntries } from "./books.ts";
import { certificateFrom, SELECT_OF_ACCOUNT } from "./certificates.ts";
import type { Database } from "./database.ts";
import { currencyIn, id as idIn, minor, number, type Row, text } from "./rows.ts";
import type { Session } from "./session.ts";

type Decide<Result> = (view: MovementView) => MovementDecision<Result>;

/** Entries by decision, with the records beside them. */
export class Movements {
  readonly #database: Database;
  readonly #books: Books;

  constructor(database: Database, books: Books) {
    this.#database = database;
    this.#books = books;
  }

  async move<Result>(input: MovementInput, decide: Decide<Result>): Promise<Result> {
    const { partition } = input;
    accountsOf(input);
    return this.#database.inPartition(partition, async (session, locked) => {
      const decision = decide(await look(session, input));
      await this.#books.post(session, locked, decision.entries ?? []);
      write(session, partition, decision);
      if (decision.repaid !== undefined) await repay(session, partition, decision.repaid);
      return decision.result;
    });
  }

  async balancesOf(kind: LedgerAccount["kind"]): Promise<LedgerBalance[]> {
    const rows = await this.#database.all(
      `SELECT * FROM balances WHERE (ledger_account = $1 OR ledger_account LIKE $1 || ':%') AND minor <> 0
        ORDER BY partition, ledger_account`,
      kind,
    );
    return rows.map(balanceFrom);
  }

  async sumsOf(kind: LedgerAccount["kind"]): Promise<{ readonly currency: Currency; readonly minor: bigint }[]> {
    const rows = await this.#database.all(
      `SELECT currency, sum(minor) AS minor FROM balances WHERE ledger_account = $1 OR ledger_account LIKE $1 || ':%'
        GROUP BY currency HAVING sum(minor) <> 0 ORDER BY currency COLLATE "C"`,
      kind,
    );
    return rows.map((row) => ({ currency: currencyIn(row), minor: minor(row, "minor") }));
  }

  async sweepsUnderway(): Promise<Omit<LedgerBalance, "partition">[]> {
    const rows = await this.#database.all(
      `SELECT ledger_account, currency, min(minor) AS minor FROM balances WHERE ledger_account LIKE 'sweeping:%'
        GROUP BY ledger_account, currency HAVING sum(minor) <> 0`,
    );
    return rows.map(heldFrom);
  }

  async records(kind: OperationKind): Promise<{ readonly id: string; readonly body: string }[]> {
    const rows = await this.#database.all(
      'SELECT id, body FROM operation_records WHERE kind = $1 ORDER BY id COLLATE "C"',
      kind,
    );
    return rows.map((row) => ({ id: text(row, "id"), body: text(row, "body") }));
  }
}

/** All that is asked for, by statements that do not wait for each other. */
async function look(session: Session, input: MovementInput): Promise<MovementView> {
  const { partition, accounts = [], balances = [], references = [], records = [] } = input;
  const [read, balanceRows, entryRows, recordRows] = await Promise.all([
    Promise.all(
      accounts.map(async (account): Promise<MovementAccount> => {
        const [row, certificates] = await Promise.all([
          session.get(SELECT_ACCOUNT, partition, account),
          session.all(SELECT_OF_ACCOUNT, partition, account),
        ]);
        return {
          record: accountFrom(found(row, "ACCOUNT_UNKNOWN", account)),
          certificates: certificates.map(certificateFrom),
        };
      }),
    ),
    session.all(
      "SELECT * FROM balances WHERE partition = $1 AND ledger_account = ANY($2::text[])",
      partition,
      texts(balances.map(ledgerAccountText)),
    ),
    session.all(
      `SELECT e.entry_id, e.partition, e.kind, e.reference, e.currency, e.posted_at, p.ledger_account, p.minor
        FROM entries e, unnest(e.ledger_accounts, e.minors) WITH ORDINALITY AS p (ledger_account, minor, line)
        WHERE e.partition = $1 AND e.reference = ANY($2::text[]) AND e.kind <> 'settlement'
        ORDER BY e.entry_id, p.line`,
      partition,
      texts(references),
    ),
    session.all(
      `SELECT r.kind, r.id, r.body FROM operation_records r
        JOIN unnest($2::text[], $3::text[]) AS n (kind, id) ON r.kind = n.kind AND r.id = n.id
        WHERE r.partition = $1`,
      partition,
      texts(records.map(({ kind }) => kind)),
      texts(records.map(({ id }) => id)),
    ),
  ]);
  return movementView({
    accounts: read,
    balances: balanceRows.map(balanceFrom),
    entries: groupEntries(entryRows),
    records: recordRows.map((row) => ({
      kind: idIn<OperationKind>(row, "kind"),
      id: text(row, "id"),
      body: text(row, "body"),
    })),
  });
}

async function repay(
  session: Session,
  partition: Partition,
  { account, minor: repaidMinor }: NonNullable<MovementDecision<unknown>["repaid"]>,
): Promise<void> {
  const row = found(await session.get(SELECT_ACCOUNT, partition, account), "ACCOUNT_UNKNOWN", account);
  writeRepayment(session, account, afterRepayment(accountFrom(row).credit, repaidMinor));
}

function write(session: Session, partition: Partition, { records = [] }: MovementDecision<unknown>): void {
  for (const { kind, id, body } of records) {
    if (body === undefined)
      session.later(
        "DELETE FROM operation_records WHERE partition = $1 AND kind = $2 AND id = $3",
        partition,
        kind,
        id,
      );
    else
      session.later(
        `INSERT INTO operation_records (partition, kind, id, body) VALUES ($1, $2, $3, $4)
          ON CONFLICT (partition, kind, id) DO UPDATE SET body = excluded.body`,
        partition,
        kind,
        id,
        body,
      );
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
