import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import type { Currency, PayeeId } from "@cairn/messages";
import type { LedgerAccount, LedgerEntry } from "@cairn/settle";
import { ledgerAccountText } from "../ledger-text.ts";
import type { LedgerBalance } from "../movements-port.ts";
import type { StoredEntry } from "../port.ts";
import { StoreError } from "../store-error.ts";

/** What stands in one place now: another object after each change, so that whoever has asked may keep it. */
type Place = { balance: LedgerBalance };

/** Entries in the order of posting, and the balances beside them. */
export class MemoryBooks {
  readonly #entries: StoredEntry[] = [];
  readonly #byReference = new Map<string, StoredEntry>();
  /** By partition, ledger account and currency. */
  readonly #balances = new Map<string, Place>();
  /** Of the accounts that were asked for: among the balances. */
  readonly #fundKeys = new Map<
    AccountNumber,
    { readonly currency: Currency; readonly wallet: string; readonly credit: string }
  >();
  /** The balances there have been of each kind of ledger account, by partition and ledger account: one a currency. */
  readonly #places = new Map<LedgerAccount["kind"], Map<string, Place[]>>();

  /** @throws StoreError STORE_INPUT_INVALID, before anything is written, for what the database would refuse as well. */
  post(partition: Partition, entries: readonly LedgerEntry[]): void {
    const changed = this.#changedBalances(partition, entries);
    for (const entry of entries) {
      const stored = { ...entry, entryId: this.#entries.length + 1, partition };
      this.#entries.push(stored);
      this.#byReference.set(referenceKey(partition, entry.reference), stored);
    }
    for (const [key, balance] of changed) {
      const place = this.#balances.get(key);
      if (place === undefined) this.#place(key, balance);
      else place.balance = balance;
    }
  }

  /** Where an account's money stands. */
  funds(
    account: AccountNumber,
    currency: Currency,
  ): { readonly balanceMinor: bigint; readonly creditUsedMinor: bigint } {
    let keys = this.#fundKeys.get(account);
    if (keys?.currency !== currency) {
      const partition = partitionOf(account);
      keys = {
        currency,
        wallet: balanceKey(partition, `wallet:${account}`, currency),
        credit: balanceKey(partition, `credit:${account}`, currency),
      };
      this.#fundKeys.set(account, keys);
    }
    return {
      balanceMinor: -this.#minorAt(keys.wallet),
      creditUsedMinor: this.#minorAt(keys.credit),
    };
  }

  find(partition: Partition, reference: string): StoredEntry | undefined {
    return this.#byReference.get(referenceKey(partition, reference));
  }

  entries(filter: {
    readonly account?: AccountNumber;
    readonly payeeId?: PayeeId;
    readonly after?: number;
    readonly limit: number;
  }): StoredEntry[] {
    const { account, payeeId, after = 0, limit } = filter;
    // Ids count from 1 without gaps, so what comes after one needs no search.
    if (account === undefined && payeeId === undefined) return this.#entries.slice(after, after + limit);
    const touches = (entry: StoredEntry, names: readonly string[]): boolean =>
      entry.postings.some(({ ledgerAccount }) => names.includes(ledgerAccountText(ledgerAccount)));
    return this.#entries
      .filter(
        (entry) =>
          entry.entryId > after &&
          (account === undefined || touches(entry, [`wallet:${account}`, `credit:${account}`])) &&
          (payeeId === undefined || touches(entry, [`clearing:${payeeId}`, `payee:${payeeId}`])),
      )
      .slice(0, limit);
  }

  trialBalance(): { readonly ledgerAccount: string; readonly currency: Currency; readonly minor: bigint }[] {
    const sums = new Map<string, { ledgerAccount: string; currency: Currency; minor: bigint }>();
    for (const { currency, postings } of this.#entries) {
      for (const { ledgerAccount: about, minor } of postings) {
        const ledgerAccount = ledgerAccountText(about);
        const key = `${ledgerAccount} ${currency}`;
        sums.set(key, { ledgerAccount, currency, minor: (sums.get(key)?.minor ?? 0n) + minor });
      }
    }
    return [...sums.entries()].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, sum]) => sum);
  }

  /** Of one kind of ledger account, over all partitions, those at zero left out. */
  balancesOf(kind: LedgerAccount["kind"]): LedgerBalance[] {
    return filled([...(this.#places.get(kind)?.values() ?? [])].flat());
  }

  /** Of one ledger account in one partition, those at zero left out. */
  balancesAt(partition: Partition, ledgerAccount: LedgerAccount): LedgerBalance[] {
    const places = this.#places.get(ledgerAccount.kind)?.get(`${partition} ${ledgerAccountText(ledgerAccount)}`);
    return filled(places ?? []);
  }

  verify(): { readonly entries: number; readonly faults: string[] } {
    const faults: string[] = [];
    const balances = new Map<string, bigint>();
    for (const { entryId, partition, currency, postings } of this.#entries) {
      let sum = 0n;
      for (const { ledgerAccount, minor } of postings) {
        sum += minor;
        const key = balanceKey(partition, ledgerAccountText(ledgerAccount), currency);
        balances.set(key, (balances.get(key) ?? 0n) + minor);
      }
      if (sum !== 0n) faults.push(`Entry ${entryId} sums to ${sum}, not to zero.`);
    }
    for (const key of new Set([...balances.keys(), ...this.#balances.keys()]))
      if (balances.get(key) !== this.#balances.get(key)?.balance.minor)
        faults.push(`The balance ${key} is not what its entries say.`);
    return { entries: this.#entries.length, faults };
  }

  #minorAt(key: string): bigint {
    return this.#balances.get(key)?.balance.minor ?? 0n;
  }

  #place(key: string, balance: LedgerBalance): void {
    const { partition, ledgerAccount } = balance;
    const place: Place = { balance };
    this.#balances.set(key, place);
    const ofKind = this.#places.get(ledgerAccount.kind) ?? new Map<string, Place[]>();
    const name = `${partition} ${ledgerAccountText(ledgerAccount)}`;
    this.#places.set(ledgerAccount.kind, ofKind.set(name, [...(ofKind.get(name) ?? []), place]));
  }

  #changedBalances(partition: Partition, entries: readonly LedgerEntry[]): Map<string, LedgerBalance> {
    const changed = new Map<string, LedgerBalance>();
    const references = new Set<string>();
    for (const { currency, reference, postings } of entries) {
      if (references.has(reference) || this.find(partition, reference) !== undefined)
        throw new StoreError("STORE_INPUT_INVALID", `${reference} is posted already.`);
      references.add(reference);
      for (const { ledgerAccount, minor } of postings) {
        const key = balanceKey(partition, ledgerAccountText(ledgerAccount), currency);
        const before = changed.get(key)?.minor ?? this.#minorAt(key);
        changed.set(key, { partition, ledgerAccount, currency, minor: before + minor });
      }
    }
    for (const [key, { minor }] of changed) {
      if (LIABILITY.test(key) ? minor > 0n : !EITHER_SIDE.test(key) && minor < 0n)
        throw new StoreError("STORE_INPUT_INVALID", `The balance ${key} would be below zero.`);
    }
    return changed;
  }
}

function filled(places: readonly Place[]): LedgerBalance[] {
  const balances: LedgerBalance[] = [];
  for (const { balance } of places) if (balance.minor !== 0n) balances.push(balance);
  return balances;
}

/** The same as the databases' rules. */
const LIABILITY = / (?:(?:wallet|clearing|payee):|(?:payouts|fees) )/;
const EITHER_SIDE = / (?:(?:sweeping|transit):|cash )/;

const balanceKey = (partition: Partition, ledgerAccount: string, currency: Currency): string =>
  `${partition} ${ledgerAccount} ${currency}`;
const referenceKey = (partition: Partition, reference: string): string => `${partition} ${reference}`;
