import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import { ledgerAccountText } from "./ledger-text.ts";
import type { LedgerBalance, MovementAccount, MovementInput, MovementView, RecordKey } from "./movements-port.ts";
import type { StoredEntry } from "./port.ts";
import { found, StoreError } from "./store-error.ts";

/** What was read for a movement, as its decision sees it. */
export function movementView(read: {
  readonly accounts: readonly MovementAccount[];
  readonly balances: readonly LedgerBalance[];
  readonly entries: readonly StoredEntry[];
  readonly records: readonly (RecordKey & { readonly body: string })[];
}): MovementView {
  return {
    account: (account) =>
      found(
        read.accounts.find(({ record }) => record.account === account),
        "ACCOUNT_UNKNOWN",
        account,
      ),
    balance: (ledgerAccount, currency) =>
      read.balances.find(
        (kept) =>
          kept.currency === currency && ledgerAccountText(kept.ledgerAccount) === ledgerAccountText(ledgerAccount),
      )?.minor ?? 0n,
    entry: (reference) => read.entries.find((entry) => entry.reference === reference),
    record: ({ kind, id }) => read.records.find((record) => record.kind === kind && record.id === id)?.body,
  };
}

/** @throws StoreError STORE_INPUT_INVALID */
export function accountsOf({ partition, accounts = [] }: MovementInput): readonly AccountNumber[] {
  const stranger = accounts.find((account) => partitionOf(account) !== (partition satisfies Partition));
  if (stranger !== undefined)
    throw new StoreError("STORE_INPUT_INVALID", `Account ${stranger} is of another partition.`);
  return accounts;
}
