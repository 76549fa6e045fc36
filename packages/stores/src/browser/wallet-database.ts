import type { CertificateId } from "@cairn/messages";
import type { StoredClosing, StoredIdentity, StoredPayment } from "@cairn/pay";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

export type CertificateRow = {
  readonly certificateId: CertificateId;
  readonly bytes: Uint8Array;
  readonly limitMinor: bigint;
  readonly revoked: boolean;
  readonly closing: StoredClosing | undefined;
};

/**
 * A payment with what its indexes stand on. A row that lacks an index's property is not in that index, so each index
 * holds exactly the rows that are asked for by it.
 */
export type PaymentRow = StoredPayment & {
  readonly unsignedOf?: CertificateId;
  readonly unfinished?: 1;
  readonly unshownOpen?: 1;
};

export interface WalletSchema extends DBSchema {
  identity: { key: "only"; value: StoredIdentity };
  /** The keys count up: in the order in which they were received. */
  certificates: { key: number; value: CertificateRow; indexes: { id: string } };
  /** The keys count up: in the order in which they were made. */
  payments: {
    key: number;
    value: PaymentRow;
    indexes: { id: string; chain: [string, number]; request: string; unsigned: string; unfinished: 1; unshownOpen: 1 };
  };
}

/** Every change of the database's shape, oldest first: entry n leads to version n + 1. Landed ones never change. */
const MIGRATIONS: readonly ((database: IDBPDatabase<WalletSchema>) => void)[] = [
  (database) => {
    database.createObjectStore("identity");
    const certificates = database.createObjectStore("certificates", { autoIncrement: true });
    certificates.createIndex("id", "certificateId", { unique: true });
    const payments = database.createObjectStore("payments", { autoIncrement: true });
    payments.createIndex("id", "paymentId", { unique: true });
    // A sequence or a request twice is forbidden to the database too.
    payments.createIndex("chain", ["certificateId", "sequence"], { unique: true });
    payments.createIndex("request", "requestId", { unique: true });
    payments.createIndex("unsigned", "unsignedOf");
    payments.createIndex("unfinished", "unfinished");
    payments.createIndex("unshownOpen", "unshownOpen");
  },
];

/** @throws DOMException VersionError for a database of a newer version of the program; QuotaExceededError. */
export function openWalletDatabase(name: string): Promise<IDBPDatabase<WalletSchema>> {
  return openDB<WalletSchema>(name, MIGRATIONS.length, {
    upgrade(database, oldVersion) {
      for (const migration of MIGRATIONS.slice(oldVersion)) migration(database);
    },
    // A newer program in another tab waits for this one to let go.
    blocking: (_current, _blocked, event) => {
      if (event.target instanceof IDBDatabase) event.target.close();
    },
  });
}

const LAST_WORDS: readonly (string | undefined)[] = ["settled", "refused", "released"];

export function rowOf(payment: StoredPayment): PaymentRow {
  const { signed, outcome, kind, shown, certificateId } = payment;
  return {
    ...payment,
    ...(signed === undefined ? { unsignedOf: certificateId } : {}),
    ...(LAST_WORDS.includes(outcome?.state) ? {} : { unfinished: 1 }),
    ...(kind === "open-payment" && !shown ? { unshownOpen: 1 } : {}),
  };
}

export function paymentOf({ unsignedOf: _u, unfinished: _f, unshownOpen: _s, ...payment }: PaymentRow): StoredPayment {
  return payment;
}

export const linksOf = (id: CertificateId): IDBKeyRange => IDBKeyRange.bound([id, 0], [id, Number.POSITIVE_INFINITY]);
