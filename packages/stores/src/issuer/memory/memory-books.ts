import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import type { Currency, PayeeId } from "@cairn/messages";
import type { LedgerAccount, LedgerEntry } from "@cairn/settle";
import type { KeptMovement } from "../kept-port.ts";
import { type EntrySeal, ledgerAccountText, postingsText, sealedText } from "../ledger-text.ts";
import type { LedgerBalance } from "../movements-port.ts";
import type { StoredEntry } from "../port.ts";
import { StoreError } from "../store-error.ts";

/** What stands in one place now: another object after each change, so that whoever has asked may keep it. */
type Place = { balance: LedgerBalance };
/** What is posted in one partition. No key is put together from several: that would cost more than all the rest. */
type PartitionBooks = {
  readonly byReference: Map<string, StoredEntry>;
  /** By what tells the ledger accounts of a kind apart: one a currency. */
  readonly places: Map<LedgerAccount["kind"], Map<string | number, Place[]>>;
};

/** Entries in the order of posting, and the balances beside them. */
export class MemoryBooks {
  readonly #entries: StoredEntry[] = [];
  /** Of entries that settle no payment, by their numbers. */
  readonly #seals = new Map<number, string>();
  /** Undefined: entries are posted without. */
  seal: EntrySeal | undefined;
  readonly #partitions = new Map<Partition, PartitionBooks>();
  /** The balances there have been of each kind of ledger account, over all partitions. */
  readonly #placesOfKind = new Map<LedgerAccount["kind"], Place[]>();
  /** Both sides of each sweep that was ever sent, and of those that have not arrived what is missing. */
  readonly #sweeps = new Map<string, Place[]>();
  readonly #missing = new Map<string, bigint>();

  /** @throws StoreError STORE_INPUT_INVALID, before anything is written, for what the database would refuse as well. */
  post(partition: Partition, entries: readonly LedgerEntry[]): void {
    if (entries.length === 0) return;
    const changed = this.#changedBalances(partition, entries);
    const { byReference } = this.#partition(partition);
    for (const entry of entries) {
      const stored = { ...entry, entryId: this.#entries.length + 1, partition };
      this.#entries.push(stored);
      if (this.seal !== undefined && entry.kind !== "settlement")
        this.#seals.set(stored.entryId, this.seal(sealedTextOf(stored)));
      byReference.set(entry.reference, stored);
    }
    for (const [place, minor] of changed) {
      if (place.balance.ledgerAccount.kind === "sweeping") this.#sweep(place, minor - place.balance.minor);
      place.balance = { ...place.balance, minor };
    }
  }

  movements(): KeptMovement[] {
    return this.#entries
      .filter(({ kind }) => kind !== "settlement")
      .map((entry) => {
        const { partition, entryId } = entry;
        return { partition, entryId, sealed: sealedTextOf(entry), seal: this.#seals.get(entryId) };
      });
  }

  /** Where an account's money stands. */
  funds(
    account: AccountNumber,
    currency: Currency,
  ): { readonly balanceMinor: bigint; readonly creditUsedMinor: bigint } {
    const places = this.#partitions.get(partitionOf(account))?.places;
    const minorOf = (kind: "wallet" | "credit"): bigint => inCurrency(places?.get(kind)?.get(account), currency);
    return { balanceMinor: -minorOf("wallet"), creditUsedMinor: minorOf("credit") };
  }

  find(partition: Partition, reference: string): StoredEntry | undefined {
    return this.#partitions.get(partition)?.byReference.get(reference);
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
    return filled(this.#placesOfKind.get(kind) ?? []);
  }

  /** The sending sides of what was sent and has not arrived. */
  sweepsUnderway(): LedgerBalance[] {
    const sent: LedgerBalance[] = [];
    for (const sweep of this.#missing.keys())
      for (const { balance } of this.#sweeps.get(sweep) ?? []) if (balance.minor < 0n) sent.push(balance);
    return sent;
  }

  /** Of one ledger account in one partition, those at zero left out. */
  balancesAt(partition: Partition, ledgerAccount: LedgerAccount): LedgerBalance[] {
    const ofKind = this.#partitions.get(partition)?.places.get(ledgerAccount.kind);
    return filled(ofKind?.get(nameOf(ledgerAccount)) ?? []);
  }

  verify(): { readonly entries: number; readonly faults: string[] } {
    const faults: string[] = [];
    const sums = new Map<Place, bigint>();
    for (const { entryId, partition, currency, postings } of this.#entries) {
      let sum = 0n;
      for (const { ledgerAccount, minor } of postings) {
        sum += minor;
        const place = this.#place(partition, ledgerAccount, currency);
        sums.set(place, (sums.get(place) ?? 0n) + minor);
      }
      if (sum !== 0n) faults.push(`Entry ${entryId} sums to ${sum}, not to zero.`);
    }
    for (const places of this.#placesOfKind.values())
      for (const place of places)
        if ((sums.get(place) ?? 0n) !== place.balance.minor)
          faults.push(`The balance ${textOf(place.balance)} is not what its entries say.`);
    return { entries: this.#entries.length, faults };
  }

  #partition(partition: Partition): PartitionBooks {
    const known = this.#partitions.get(partition);
    if (known !== undefined) return known;
    const made: PartitionBooks = { byReference: new Map(), places: new Map() };
    this.#partitions.set(partition, made);
    return made;
  }

  /** At zero where nothing was ever posted. */
  #place(partition: Partition, ledgerAccount: LedgerAccount, currency: Currency): Place {
    const { places } = this.#partition(partition);
    const { kind } = ledgerAccount;
    const ofKind = places.get(kind) ?? new Map<string | number, Place[]>();
    const name = nameOf(ledgerAccount);
    const there = ofKind.get(name) ?? [];
    for (const place of there) if (place.balance.currency === currency) return place;
    const place: Place = { balance: { partition, ledgerAccount, currency, minor: 0n } };
    places.set(kind, ofKind.set(name, [...there, place]));
    const all = this.#placesOfKind.get(kind);
    if (all === undefined) this.#placesOfKind.set(kind, [place]);
    else all.push(place);
    return place;
  }

  #sweep(place: Place, minor: bigint): void {
    const { ledgerAccount, currency } = place.balance;
    const sweep = `${ledgerAccountText(ledgerAccount)} ${currency}`;
    const sides = this.#sweeps.get(sweep);
    if (sides === undefined) this.#sweeps.set(sweep, [place]);
    else if (!sides.includes(place)) sides.push(place);
    const missingMinor = (this.#missing.get(sweep) ?? 0n) + minor;
    if (missingMinor === 0n) this.#missing.delete(sweep);
    else this.#missing.set(sweep, missingMinor);
  }

  #changedBalances(partition: Partition, entries: readonly LedgerEntry[]): Map<Place, bigint> {
    const changed = new Map<Place, bigint>();
    const references = new Set<string>();
    for (const { currency, reference, postings } of entries) {
      if (references.has(reference) || this.find(partition, reference) !== undefined)
        throw new StoreError("STORE_INPUT_INVALID", `${reference} is posted already.`);
      references.add(reference);
      for (const { ledgerAccount, minor } of postings) {
        const place = this.#place(partition, ledgerAccount, currency);
        changed.set(place, (changed.get(place) ?? place.balance.minor) + minor);
      }
    }
    for (const [{ balance }, minor] of changed) {
      const { kind } = balance.ledgerAccount;
      if (LIABILITIES.has(kind) ? minor > 0n : !EITHER_SIDE.has(kind) && minor < 0n)
        throw new StoreError("STORE_INPUT_INVALID", `The balance ${textOf(balance)} would be below zero.`);
    }
    return changed;
  }
}

/** What tells the ledger accounts of one kind apart. */
function nameOf(ledgerAccount: LedgerAccount): string | number {
  switch (ledgerAccount.kind) {
    case "wallet":
    case "credit":
      return ledgerAccount.account;
    case "clearing":
    case "payee":
      return ledgerAccount.payeeId;
    default:
      return ledgerAccountText(ledgerAccount);
  }
}

function inCurrency(places: readonly Place[] | undefined, currency: Currency): bigint {
  for (const { balance } of places ?? []) if (balance.currency === currency) return balance.minor;
  return 0n;
}

function filled(places: readonly Place[]): LedgerBalance[] {
  const balances: LedgerBalance[] = [];
  for (const { balance } of places) if (balance.minor !== 0n) balances.push(balance);
  return balances;
}

/** The same as the databases' rules. */
const LIABILITIES: ReadonlySet<LedgerAccount["kind"]> = new Set(["wallet", "clearing", "payee", "payouts", "fees"]);
const EITHER_SIDE: ReadonlySet<LedgerAccount["kind"]> = new Set(["sweeping", "transit", "cash"]);

const textOf = ({ partition, ledgerAccount, currency }: Omit<LedgerBalance, "minor">): string =>
  `${partition} ${ledgerAccountText(ledgerAccount)} ${currency}`;

function sealedTextOf(entry: StoredEntry): string {
  const postings = entry.postings.map(({ ledgerAccount, minor }) => ({
    ledgerAccount: ledgerAccountText(ledgerAccount),
    minor,
  }));
  return sealedText(entry.partition, { ...entry, postings: postingsText(postings) });
}
