import type { Currency } from "@cairn/messages";
import { accountsOf, movementView } from "../movement-view.ts";
import type {
  LedgerBalance,
  MovementDecision,
  MovementInput,
  MovementsPort,
  MovementView,
  OperationKind,
  RecordKey,
} from "../movements-port.ts";
import { found } from "../store-error.ts";
import type { MemoryBooks } from "./memory-books.ts";
import type { MemoryCertificates } from "./memory-certificates.ts";
import type { MemoryMembers } from "./memory-members.ts";

type KeptRecord = RecordKey & { readonly body: string };

export class MemoryMovements implements MovementsPort {
  readonly #books: MemoryBooks;
  readonly #members: MemoryMembers;
  readonly #certificates: MemoryCertificates;
  readonly #records = new Map<OperationKind, Map<string, KeptRecord>>();

  constructor(books: MemoryBooks, members: MemoryMembers, certificates: MemoryCertificates) {
    this.#books = books;
    this.#members = members;
    this.#certificates = certificates;
  }

  async move<Result>(input: MovementInput, decide: (view: MovementView) => MovementDecision<Result>): Promise<Result> {
    const { partition, balances = [], references = [], records = [] } = input;
    const accounts = accountsOf(input).map((account) => ({
      record: found(this.#members.account(account), "ACCOUNT_UNKNOWN", account),
      certificates: this.#certificates.of(account),
    }));
    const view = movementView({
      accounts,
      balances: balances.flatMap((ledgerAccount) => this.#books.balancesAt(partition, ledgerAccount)),
      entries: references.flatMap((reference) => this.#books.find(partition, reference) ?? []),
      records: records.flatMap(({ kind, id }) => this.#ofKind(kind).get(keyOf(partition, id)) ?? []),
    });
    const decision = decide(view);
    this.#books.post(partition, decision.entries ?? []);
    for (const { kind, id, body } of decision.records ?? []) {
      if (body === undefined) this.#ofKind(kind).delete(keyOf(partition, id));
      else this.#ofKind(kind).set(keyOf(partition, id), { kind, id, body });
    }
    if (decision.repaid !== undefined) this.#members.repay(decision.repaid.account, decision.repaid.minor);
    return decision.result;
  }

  async ledgerBalances(kind: Parameters<MovementsPort["ledgerBalances"]>[0]) {
    return this.#books.balancesOf(kind);
  }

  async ledgerSums(kind: LedgerBalance["ledgerAccount"]["kind"]) {
    const byCurrency = new Map<Currency, bigint>();
    for (const { currency, minor } of this.#books.balancesOf(kind))
      byCurrency.set(currency, (byCurrency.get(currency) ?? 0n) + minor);
    return [...byCurrency].flatMap(([currency, minor]) => (minor === 0n ? [] : [{ currency, minor }]));
  }

  async sweepsUnderway() {
    return this.#books.sweepsUnderway().map(({ partition: _, ...told }) => told);
  }

  async operationRecords(kind: OperationKind) {
    return [...this.#ofKind(kind).values()]
      .sort((left, right) => (left.id < right.id ? -1 : 1))
      .map(({ id, body }) => ({ id, body }));
  }

  #ofKind(kind: OperationKind): Map<string, KeptRecord> {
    const known = this.#records.get(kind);
    if (known !== undefined) return known;
    const made = new Map<string, KeptRecord>();
    this.#records.set(kind, made);
    return made;
  }
}

const keyOf = (partition: number, id: string): string => `${partition} ${id}`;
