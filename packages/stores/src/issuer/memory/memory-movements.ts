import { accountsOf, movementView } from "../movement-view.ts";
import type {
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

export class MemoryMovements implements MovementsPort {
  readonly #books: MemoryBooks;
  readonly #members: MemoryMembers;
  readonly #certificates: MemoryCertificates;
  readonly #records = new Map<string, RecordKey & { readonly body: string }>();

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
      records: records.flatMap((key) => this.#records.get(keyOf(partition, key)) ?? []),
    });
    const decision = decide(view);
    this.#books.post(partition, decision.entries ?? []);
    for (const { kind, id, body } of decision.records ?? []) {
      if (body === undefined) this.#records.delete(keyOf(partition, { kind, id }));
      else this.#records.set(keyOf(partition, { kind, id }), { kind, id, body });
    }
    if (decision.repaid !== undefined) this.#members.repay(decision.repaid.account, decision.repaid.minor);
    return decision.result;
  }

  async ledgerBalances(kind: Parameters<MovementsPort["ledgerBalances"]>[0]) {
    return this.#books.balancesOf(kind);
  }

  async operationRecords(kind: OperationKind) {
    return [...this.#records.values()]
      .filter((record) => record.kind === kind)
      .sort((left, right) => (left.id < right.id ? -1 : 1))
      .map(({ id, body }) => ({ id, body }));
  }
}

const keyOf = (partition: number, { kind, id }: RecordKey): string => `${partition} ${kind} ${id}`;
