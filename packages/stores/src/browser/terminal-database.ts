import type { Acceptance, RefusedPayment, RequestRecord, Stored, StoredSetup } from "@cairn/collect";
import type { CertificateId, ChainPosition, IssuerId } from "@cairn/messages";
import { type DBSchema, type IDBPDatabase, openDB } from "idb";

/** What changes with nearly every step, in one small record. */
export type MarksRow = {
  readonly setupRevision: number;
  readonly issuerTime: number;
  readonly refusedNotKept: number;
  /** Kept beside the acceptances it sums up, always in the same transaction: adding up a full journal takes too long. */
  readonly stored: Stored;
};
export type CertificateSum = { readonly newest: ChainPosition; readonly acceptedMinor: bigint };

export type RequestRow = Omit<RequestRecord, "payeeCertificate"> & {
  /** Voided, and the server has not heard of it. */
  readonly voidDue?: 1;
  /** Guest issuers that have heard of the void. */
  readonly guestsTold?: readonly IssuerId[];
};
/** With what its indexes stand on: a row that lacks an index's property is not in that index. */
export type AcceptanceRow = Acceptance & {
  readonly unanswered?: 1;
  readonly unsettled?: 1;
  readonly askedAt?: number;
};

export interface TerminalSchema extends DBSchema {
  marks: { key: "only"; value: MarksRow };
  setup: { key: "only"; value: StoredSetup };
  payeeCertificates: { key: string; value: Uint8Array };
  requests: { key: number; value: RequestRow; indexes: { id: string; hash: string; at: number; voidDue: 1 } };
  acceptances: {
    key: number;
    value: AcceptanceRow;
    indexes: { id: string; at: number; unanswered: 1; unsettled: 1; askedAt: number };
  };
  certificates: { key: CertificateId; value: CertificateSum };
  refused: { key: number; value: RefusedPayment; indexes: { id: string; at: number; certificate: string } };
}

export const NO_MARKS: MarksRow = {
  setupRevision: 0,
  issuerTime: 0,
  refusedNotKept: 0,
  stored: { count: 0, totalMinor: 0n },
};

/** Every change of the database's shape, oldest first: entry n leads to version n + 1. Landed ones never change. */
const MIGRATIONS: readonly ((database: IDBPDatabase<TerminalSchema>) => void)[] = [
  (database) => {
    for (const name of ["marks", "setup", "payeeCertificates", "certificates"] as const)
      database.createObjectStore(name);
    // The keys count up, so that of two records with the same time the later made is the newer.
    const requests = database.createObjectStore("requests", { autoIncrement: true });
    requests.createIndex("id", "requestId", { unique: true });
    requests.createIndex("hash", "requestHash", { unique: true });
    requests.createIndex("at", "issuedAt");
    requests.createIndex("voidDue", "voidDue");
    const acceptances = database.createObjectStore("acceptances", { autoIncrement: true });
    acceptances.createIndex("id", "paymentId", { unique: true });
    acceptances.createIndex("at", "acceptedAt");
    acceptances.createIndex("unanswered", "unanswered");
    acceptances.createIndex("unsettled", "unsettled");
    acceptances.createIndex("askedAt", "askedAt");
    const refused = database.createObjectStore("refused", { autoIncrement: true });
    refused.createIndex("id", "paymentId", { unique: true });
    refused.createIndex("at", "refusedAt");
    refused.createIndex("certificate", "certificateId");
  },
];

/** @throws DOMException VersionError for a database of a newer version of the program; QuotaExceededError. */
export function openTerminalDatabase(name: string): Promise<IDBPDatabase<TerminalSchema>> {
  return openDB<TerminalSchema>(name, MIGRATIONS.length, {
    upgrade(database, oldVersion) {
      for (const migration of MIGRATIONS.slice(oldVersion)) migration(database);
    },
    // A newer program in another tab waits for this one to let go.
    blocking: (_current, _blocked, event) => {
      if (event.target instanceof IDBDatabase) event.target.close();
    },
  });
}

export function acceptanceRow(acceptance: Acceptance): AcceptanceRow {
  const { answer, takenMinor } = acceptance;
  const isCaptured = takenMinor !== undefined;
  const isAsked = answer !== undefined && answer.state !== "settled" && answer.state !== "refused";
  return {
    ...acceptance,
    ...(isCaptured && answer === undefined ? { unanswered: 1 } : {}),
    ...(isCaptured && answer?.state !== "settled" ? { unsettled: 1 } : {}),
    ...(isAsked ? { askedAt: answer.answeredAt } : {}),
  };
}

export function acceptanceOf({ unanswered: _a, unsettled: _s, askedAt: _t, ...acceptance }: AcceptanceRow): Acceptance {
  return acceptance;
}

export function requestRow({ voidDue: _due, ...request }: RequestRow): RequestRow {
  const isDue = request.voidedAt !== undefined && request.voidAnsweredAt === undefined;
  return { ...request, ...(isDue ? { voidDue: 1 } : {}) };
}

/** What counts against the ceilings: the maximum while nothing is captured. */
export const heldMinor = ({ takenMinor, amountMinor }: Acceptance): bigint => takenMinor ?? amountMinor;

/** What an acceptance adds to what is stored: nothing once the server has answered. */
export function storedShare(acceptance: Acceptance): Stored {
  return acceptance.answer === undefined
    ? { count: 1, totalMinor: heldMinor(acceptance) }
    : { count: 0, totalMinor: 0n };
}
