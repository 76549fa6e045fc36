import {
  type Acceptance,
  type AcceptanceState,
  type AcceptanceView,
  type AcceptanceWrite,
  type Decision,
  type JournalFilter,
  type PaymentAnswer,
  type PaymentReference,
  type RefusedPayment,
  type RequestRecord,
  type StoredSetup,
  stateOf,
  type Tally,
  type TerminalJournal,
  type TimeRange,
  type UploadEntries,
} from "@cairn/collect";
import type { IssuerId, MessageId, PayeeCertificateId } from "@cairn/messages";
import type { IDBPDatabase } from "idb";
import {
  type AcceptanceRow,
  acceptanceOf,
  heldMinor,
  openTerminalDatabase,
  type RequestRow,
  requestRow,
  type TerminalSchema,
} from "./terminal-database.ts";
import { ALL_STORES, misused, TerminalRecords } from "./terminal-records.ts";
import { STRICT, settleTransaction } from "./transaction.ts";

/**
 * A terminal's journal in the browser's IndexedDB: every write one readwrite transaction with strict durability, so
 * that what was answered survives the end of the browser and of the power. Several tabs may have it open: decisions
 * run one at a time.
 */
export class IndexedDbTerminalJournal implements TerminalJournal {
  readonly #database: IDBPDatabase<TerminalSchema>;

  constructor(database: IDBPDatabase<TerminalSchema>) {
    this.#database = database;
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  async marks() {
    const marks = await this.#database.get("marks", "only");
    return { setupRevision: marks?.setupRevision ?? 0, issuerTime: marks?.issuerTime ?? 0 };
  }

  setup() {
    return this.#inTransaction(async (records) => {
      const setup = await records.store("setup").get("only");
      return setup && { revision: (await records.marks()).setupRevision, setup };
    });
  }

  replaceSetup(
    { payeeCertificateId, ...setup }: StoredSetup & { readonly payeeCertificateId: PayeeCertificateId },
    expectedRevision: number,
  ): Promise<boolean> {
    return this.#inTransaction(async (records) => {
      if ((await records.marks()).setupRevision !== expectedRevision) return false;
      await records.changeMarks(() => ({ setupRevision: expectedRevision + 1 }));
      await records.store("setup").put(setup, "only");
      const certificates = records.store("payeeCertificates");
      if ((await certificates.count(payeeCertificateId)) === 0)
        await certificates.add(setup.payeeCertificate, payeeCertificateId);
      return true;
    });
  }

  payeeCertificate(id: PayeeCertificateId) {
    return this.#database.get("payeeCertificates", id);
  }

  recordRequest(
    request: Pick<RequestRecord, "requestId" | "requestHash" | "request" | "payeeCertificateId" | "issuedAt">,
  ): Promise<void> {
    const unanswered = { paidBy: undefined, voidedAt: undefined, requestVoid: undefined, voidAnsweredAt: undefined };
    return this.#inTransaction(async (records) => {
      await records.payeeCertificate(request.payeeCertificateId);
      await records.store("requests").add(requestRow({ ...request, ...unanswered }));
    });
  }

  request(requestId: MessageId) {
    return this.#inTransaction((records) => records.request(requestId));
  }

  decideVoid<Result>(
    requestId: MessageId,
    decide: (request: RequestRecord | undefined) => Decision<Result, { readonly voidedAt: number }>,
  ): Promise<Result> {
    return this.#inTransaction(async (records) => {
      const { result, write } = decide(await records.request(requestId));
      if (write !== undefined) {
        await records.changeRequest(requestId, ({ paidBy }) => {
          if (paidBy !== undefined) throw misused("a void of a paid request");
          return { voidedAt: write.voidedAt };
        });
      }
      return result;
    });
  }

  keepVoid(requestId: MessageId, offered: Uint8Array): Promise<Uint8Array> {
    return this.#inTransaction(async (records) => {
      const kept = await records.changeRequest(requestId, ({ requestVoid }) => ({
        requestVoid: requestVoid ?? offered,
      }));
      return kept.requestVoid ?? offered;
    });
  }

  decideAcceptance<Result>(
    about: PaymentReference,
    decide: (view: AcceptanceView) => Decision<Result, AcceptanceWrite>,
  ): Promise<Result> {
    return this.#inTransaction(async (records) => {
      const { result, write } = decide(await records.view(about));
      if (write !== undefined) await records.write(write);
      return result;
    });
  }

  acceptance(paymentId: MessageId) {
    return this.#inTransaction((records) => records.acceptance(paymentId));
  }

  decideCapture<Result>(
    paymentId: MessageId,
    decide: (acceptance: Acceptance | undefined) => Decision<Result, { readonly takenMinor: bigint }>,
  ): Promise<Result> {
    return this.#inTransaction(async (records) => {
      const { result, write } = decide(await records.acceptance(paymentId));
      if (write !== undefined) {
        const changed = await records.changeAcceptance(paymentId, ({ takenMinor }) => {
          if (takenMinor !== undefined) throw misused("a second capture");
          return write;
        });
        if (changed === undefined) throw misused("a capture of an unknown payment");
      }
      return result;
    });
  }

  keepCapture(paymentId: MessageId, offered: Uint8Array): Promise<Uint8Array> {
    return this.#inTransaction(async (records) => {
      const kept = await records.changeAcceptance(paymentId, ({ capture }) => ({ capture: capture ?? offered }));
      if (kept?.capture === undefined) throw misused("a capture of an unknown payment");
      return kept.capture;
    });
  }

  toUpload({ limit, which, guestIssuerId }: UploadWish): Promise<UploadEntries> {
    return this.#inTransaction(async (records) => {
      const isIts = (row: AcceptanceRow): boolean => row.guestIssuerId === guestIssuerId;
      const rows = await matching(await records.store("acceptances").index(which).openCursor(), isIts, limit);
      const payments = await Promise.all(
        rows.map(async (row) => ({
          acceptance: acceptanceOf(row),
          payeeCertificate: await records.payeeCertificate(row.payeeCertificateId),
          request: row.requestId && (await records.request(row.requestId))?.request,
        })),
      );
      const room = limit - payments.length;
      const requests = records.store("requests");
      const due =
        guestIssuerId === undefined
          ? await matching(await requests.index("voidDue").openCursor(), () => true, room)
          : await matching(await requests.openCursor(), (row) => isDueTo(row, guestIssuerId), room);
      return { payments, voids: await Promise.all(due.map((row) => records.requestFrom(row))) };
    });
  }

  toAsk(limit: number, guestIssuerId?: IssuerId): Promise<readonly MessageId[]> {
    return this.#inTransaction(async (records) => {
      const first = await records.store("acceptances").index("askedAt").openCursor();
      const rows = await matching(first, (row) => row.guestIssuerId === guestIssuerId, limit);
      return rows.map(({ paymentId }) => paymentId);
    });
  }

  recordAnswers(
    answers: readonly { readonly paymentId: MessageId; readonly answer: PaymentAnswer | undefined }[],
    merge: (held: PaymentAnswer | undefined, offered: PaymentAnswer | undefined) => PaymentAnswer | undefined,
  ): Promise<void> {
    return this.#inTransaction(async (records) => {
      for (const { paymentId, answer: offered } of answers)
        await records.changeAcceptance(paymentId, ({ answer }) => ({ answer: merge(answer, offered) }));
    });
  }

  recordVoidAnswers(requestIds: readonly MessageId[], answeredAt: number, guestIssuerId?: IssuerId): Promise<void> {
    return this.#inTransaction(async (records) => {
      for (const requestId of requestIds) {
        const isKnown = (await records.store("requests").index("id").count(requestId)) > 0;
        if (!isKnown) continue;
        await records.changeRequest(requestId, ({ guestsTold = [] }) =>
          guestIssuerId === undefined
            ? { voidAnsweredAt: answeredAt }
            : { guestsTold: [...new Set([...guestsTold, guestIssuerId])] },
        );
      }
    });
  }

  stored() {
    return this.#inTransaction(async (records) => (await records.marks()).stored);
  }

  refusedCounts() {
    return this.#inTransaction(async (records) => ({
      kept: await records.store("refused").count(),
      notKept: (await records.marks()).refusedNotKept,
    }));
  }

  async acceptances(filter: JournalFilter): Promise<readonly Acceptance[]> {
    return this.#inTransaction(async (records) => {
      const found = await newestFirst(
        await records.store("acceptances").index("at").openCursor(rangeOf(filter), "prev"),
        filter,
      );
      return found.map(acceptanceOf);
    });
  }

  requests(filter: JournalFilter): Promise<readonly RequestRecord[]> {
    return this.#inTransaction(async (records) => {
      const found = await newestFirst(
        await records.store("requests").index("at").openCursor(rangeOf(filter), "prev"),
        filter,
      );
      return Promise.all(found.map((row) => records.requestFrom(row)));
    });
  }

  refusedPayments(filter: JournalFilter): Promise<readonly RefusedPayment[]> {
    return this.#inTransaction(async (records) =>
      newestFirst(await records.store("refused").index("at").openCursor(rangeOf(filter), "prev"), filter),
    );
  }

  async tally(range: TimeRange): Promise<readonly Tally[]> {
    const rows = await this.#database.getAllFromIndex("acceptances", "at", rangeOf(range));
    const tallies = new Map<AcceptanceState, Tally>();
    for (const acceptance of rows) {
      const state = stateOf(acceptance);
      const { count, totalMinor } = tallies.get(state) ?? { count: 0, totalMinor: 0n };
      tallies.set(state, { state, count: count + 1, totalMinor: totalMinor + countedMinor(acceptance) });
    }
    return [...tallies.values()].sort((left, right) => (left.state < right.state ? -1 : 1));
  }

  #inTransaction<Result>(work: (records: TerminalRecords) => Promise<Result>): Promise<Result> {
    const transaction = this.#database.transaction(ALL_STORES, "readwrite", STRICT);
    return settleTransaction(transaction, () => work(new TerminalRecords(transaction)));
  }
}

/** Opens, and makes if need be, the journal of a name. @throws as {@link openTerminalDatabase}. */
export async function openIndexedDbTerminalJournal(name: string): Promise<IndexedDbTerminalJournal> {
  return new IndexedDbTerminalJournal(await openTerminalDatabase(name));
}

const countedMinor = (acceptance: Acceptance): bigint =>
  acceptance.answer?.state === "settled" ? acceptance.answer.takenMinor : heldMinor(acceptance);

const rangeOf = ({ from = 0, until = Number.POSITIVE_INFINITY }: TimeRange): IDBKeyRange | undefined =>
  from < until ? IDBKeyRange.bound(from, until, false, true) : IDBKeyRange.only(Number.NEGATIVE_INFINITY);

type UploadWish = Parameters<TerminalJournal["toUpload"]>[0];

const isDueTo = ({ voidedAt, guestsTold = [] }: RequestRow, guestIssuerId: IssuerId): boolean =>
  voidedAt !== undefined && !guestsTold.includes(guestIssuerId);

/** In the order of the cursor. */
async function matching<Row>(first: Cursor<Row> | null, matches: (row: Row) => boolean, limit: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor = first; cursor !== null && rows.length < limit; cursor = await cursor.continue())
    if (matches(cursor.value)) rows.push(cursor.value);
  return rows;
}

type Cursor<Row> = { readonly value: Row; continue(): Promise<Cursor<Row> | null> };

async function newestFirst<Row>(first: Cursor<Row> | null, { limit }: JournalFilter): Promise<Row[]> {
  const rows: Row[] = [];
  for (let cursor = first; cursor !== null && rows.length < limit; cursor = await cursor.continue())
    rows.push(cursor.value);
  return rows;
}
