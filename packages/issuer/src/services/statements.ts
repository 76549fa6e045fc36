import type { AccountNumber } from "@cairn/issue";
import type { Currency, PayeeId } from "@cairn/messages";
import type { LedgerEntry } from "@cairn/settle";
import type { IssuerStore } from "@cairn/stores";
import { ServiceError } from "./service-error.ts";

export type StatementOf = { readonly account: AccountNumber } | { readonly payeeId: PayeeId };
/** Seconds since 1970: from `from` on, before `to`. */
export type Period = { readonly from: number; readonly to: number };
/** What belongs to the owner and what the owner owes. A payee owes nothing. */
export type Standing = { readonly balanceMinor: bigint; readonly creditUsedMinor: bigint };
export type StatementLine = Standing & {
  readonly entryId: number;
  readonly kind: LedgerEntry["kind"];
  readonly reference: string;
  readonly postedAt: number;
};
export type Statement = {
  /** `account 7` or `payee KIOSK`. */
  readonly of: string;
  readonly currency: Currency;
  readonly period: Period;
  readonly opening: Standing;
  /** By what was posted until now. */
  readonly closing: Standing;
  /** What each entry changed, read as it is asked for: which part the balance, which the credit. */
  readonly lines: AsyncIterable<StatementLine>;
};

/** Entries held at once. */
const PAGE = 1_000;
const NOTHING: Standing = { balanceMinor: 0n, creditUsedMinor: 0n };

/**
 * From the entries themselves: opening, what changed, closing. What a payee has in clearing, on its way and in its own
 * account counts as one, so sweeps do not show. However long, a page is held at a time; so the entries are read twice, for
 * what opens and closes is known only at their end. @throws ServiceError ACCOUNT_UNKNOWN, PAYEE_UNKNOWN
 */
export async function statement(of: StatementOf, period: Period, store: IssuerStore): Promise<Statement> {
  const { name, currency } = await owner(of, store);
  let opening = NOTHING;
  let closing = NOTHING;
  for await (const change of changes(of, period, store)) {
    closing = plus(closing, change);
    if (change.postedAt < period.from) opening = plus(opening, change);
  }
  async function* lines(): AsyncGenerator<StatementLine> {
    for await (const change of changes(of, period, store)) if (change.postedAt >= period.from) yield change;
  }
  return { of: name, currency, period, opening, closing, lines: { [Symbol.asyncIterator]: lines } };
}

/** Everything that changed until the period ends, in the order of the entries, which is not quite that of time. */
async function* changes(of: StatementOf, { to }: Period, store: IssuerStore): AsyncGenerator<StatementLine> {
  for (let after = 0; ; ) {
    const page = await store.entries({ ...of, after, limit: PAGE });
    for (const entry of page) {
      const { entryId, kind, reference, postedAt } = entry;
      after = entryId;
      const change = changeOf(of, entry);
      if ((change.balanceMinor !== 0n || change.creditUsedMinor !== 0n) && postedAt < to)
        yield { entryId, kind, reference, postedAt, ...change };
    }
    if (page.length < PAGE) return;
  }
}

async function owner(of: StatementOf, store: IssuerStore): Promise<{ name: string; currency: Currency }> {
  if ("account" in of) {
    const account = await store.account(of.account);
    if (account === undefined) throw new ServiceError("ACCOUNT_UNKNOWN");
    return { name: `account ${of.account}`, currency: account.currency };
  }
  const payee = await store.payee(of.payeeId);
  if (payee === undefined) throw new ServiceError("PAYEE_UNKNOWN");
  return { name: `payee ${of.payeeId}`, currency: payee.currency };
}

function changeOf(of: StatementOf, { postings }: LedgerEntry): Standing {
  let { balanceMinor, creditUsedMinor } = NOTHING;
  for (const { ledgerAccount, minor } of postings) {
    if ("account" in of) {
      if (ledgerAccount.kind === "wallet" && ledgerAccount.account === of.account) balanceMinor -= minor;
      if (ledgerAccount.kind === "credit" && ledgerAccount.account === of.account) creditUsedMinor += minor;
    } else if ("payeeId" in ledgerAccount && ledgerAccount.payeeId === of.payeeId) balanceMinor -= minor;
  }
  return { balanceMinor, creditUsedMinor };
}

export const plus = (left: Standing, right: Standing): Standing => ({
  balanceMinor: left.balanceMinor + right.balanceMinor,
  creditUsedMinor: left.creditUsedMinor + right.creditUsedMinor,
});
