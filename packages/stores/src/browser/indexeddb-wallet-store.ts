import type { MessageId } from "@cairn/messages";
import type {
  Decision,
  PaymentSelection,
  StoredCertificate,
  StoredPayment,
  StoredWallet,
  WalletStore,
  WalletWrite,
} from "@cairn/pay";
import type { IDBPDatabase, IDBPObjectStore, IDBPTransaction, StoreNames } from "idb";
import { STRICT, settleTransaction } from "./transaction.ts";
import { type Keyed, WalletChanges } from "./wallet-changes.ts";
import {
  type CertificateRow,
  linksOf,
  openWalletDatabase,
  type PaymentRow,
  paymentOf,
  rowOf,
  type WalletSchema,
} from "./wallet-database.ts";

const STORES = ["identity", "certificates", "payments"] as const;
type Stores = StoreNames<WalletSchema>[];
type Transaction = IDBPTransaction<WalletSchema, typeof STORES, "readwrite">;
type Payments = IDBPObjectStore<WalletSchema, Stores | typeof STORES, "payments", "readwrite">;

/**
 * A wallet in the browser's IndexedDB, every commit one readwrite transaction with strict durability: a payment that
 * was shown survives the end of the browser and of the power. Several tabs may have it open: decisions run one at a
 * time. The device's private key is not in it.
 */
export class IndexedDbWalletStore implements WalletStore {
  readonly #database: IDBPDatabase<WalletSchema>;

  constructor(database: IDBPDatabase<WalletSchema>) {
    this.#database = database;
  }

  async commit<Result>(load: PaymentSelection, decide: (wallet: StoredWallet) => Decision<Result>): Promise<Result> {
    const transaction = this.#database.transaction(STORES, "readwrite", STRICT);
    return settleTransaction(transaction, async () => {
      const identity = await transaction.objectStore("identity").get("only");
      const certificates = await certificatesOf(transaction);
      const payments = await select(transaction.objectStore("payments"), load);
      const { result, writes } = decide({ identity, certificates: certificates.map(({ value }) => value), payments });
      if (writes.length > 0) {
        const paid = await paidRequests(transaction, writes);
        const changes = new WalletChanges(identity, paid);
        for (const held of certificates) changes.certificates.set(held.value.certificateId, held);
        for (const held of await namedPayments(transaction, writes)) changes.payments.set(held.value.paymentId, held);
        for (const write of writes) changes.apply(write);
        await store(transaction, changes);
      }
      return result;
    });
  }

  async close(): Promise<void> {
    this.#database.close();
  }
}

/** Opens, and makes if need be, the wallet of a name. @throws as {@link openWalletDatabase}. */
export async function openIndexedDbWalletStore(name: string): Promise<IndexedDbWalletStore> {
  return new IndexedDbWalletStore(await openWalletDatabase(name));
}

async function certificatesOf(transaction: Transaction): Promise<Keyed<StoredCertificate>[]> {
  const certificates = transaction.objectStore("certificates");
  const [keys, rows] = await Promise.all([certificates.getAllKeys(), certificates.getAll()]);
  return Promise.all(
    rows.map(async (row, index) => ({
      key: keys[index],
      value: await certificateOf(transaction, row),
      changed: false,
    })),
  );
}

/** The counter is read from the chain's last payment, never kept beside it. */
async function certificateOf(transaction: Transaction, row: CertificateRow): Promise<StoredCertificate> {
  const payments = transaction.objectStore("payments");
  const [last, unsignedPayments] = await Promise.all([
    payments.index("chain").openCursor(linksOf(row.certificateId), "prev"),
    payments.index("unsigned").count(row.certificateId),
  ]);
  const { sequence, spentMinor, paymentId } = last?.value ?? { sequence: 0, spentMinor: 0n, paymentId: undefined };
  return { ...row, counter: { sequence, spentMinor, lastPaymentId: paymentId, unsignedPayments } };
}

async function select(payments: Payments, load: PaymentSelection): Promise<readonly StoredPayment[]> {
  return (await rowsOf(payments, load)).map(paymentOf);
}

async function rowsOf(payments: Payments, load: PaymentSelection): Promise<readonly PaymentRow[]> {
  switch (load.kind) {
    case "none":
      return [];
    case "all":
      return payments.getAll();
    case "unfinished":
      return payments.index("unfinished").getAll();
    case "unshown-open":
      return payments.index("unshownOpen").getAll();
    case "of-request":
      return payments.index("request").getAll(load.requestId);
    case "ids": {
      const byId = payments.index("id");
      const found = await Promise.all([...new Set(load.paymentIds)].map((id) => byId.get(id)));
      return found.filter((row) => row !== undefined);
    }
  }
}

/** The payments that writes name, with their keys: few, however many a wallet holds. */
async function namedPayments(
  transaction: Transaction,
  writes: readonly WalletWrite[],
): Promise<Keyed<StoredPayment>[]> {
  const ids = new Set<MessageId>();
  for (const write of writes) {
    if (write.kind === "payment") ids.add(write.payment.paymentId);
    else if ("paymentId" in write) ids.add(write.paymentId);
  }
  const byId = transaction.objectStore("payments").index("id");
  const found = await Promise.all([...ids].map((id) => Promise.all([byId.getKey(id), byId.get(id)])));
  return found.flatMap(([key, row]) => (row === undefined ? [] : [{ key, value: paymentOf(row), changed: false }]));
}

async function paidRequests(transaction: Transaction, writes: readonly WalletWrite[]): Promise<MessageId[]> {
  const asked = writes.flatMap((write) => (write.kind === "payment" ? (write.payment.requestId ?? []) : []));
  const byRequest = transaction.objectStore("payments").index("request");
  const known = await Promise.all(asked.map((id) => byRequest.count(id)));
  return asked.filter((_, index) => known[index] !== 0);
}

async function store(transaction: Transaction, changes: WalletChanges): Promise<void> {
  const { identity, identityChanged } = changes;
  if (identityChanged && identity !== undefined) await transaction.objectStore("identity").put(identity, "only");
  const certificates = transaction.objectStore("certificates");
  for (const { key, value, changed } of changes.certificates.values()) {
    const { counter: _derived, ...row } = value;
    if (changed) await certificates.put(row, key);
  }
  const payments = transaction.objectStore("payments");
  for (const { key, value, changed } of changes.payments.values()) {
    if (changed) await payments.put(rowOf(value), key);
  }
}
