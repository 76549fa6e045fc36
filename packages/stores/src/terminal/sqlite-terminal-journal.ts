import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type {
  Acceptance,
  AcceptanceView,
  AcceptanceWrite,
  Decision,
  JournalFilter,
  PaymentAnswer,
  PaymentReference,
  RefusedPayment,
  RequestRecord,
  StoredSetup,
  TerminalJournal,
  TimeRange,
  UploadEntries,
} from "@cairn/collect";
import { type IssuerId, MAXIMUM_TIME_SECONDS, type MessageId, type PayeeCertificateId } from "@cairn/messages";
import { openSharedFile } from "../shared-file.ts";
import { TerminalJournalError } from "./journal-error.ts";
import {
  acceptanceFrom,
  bytes,
  issuerId,
  messageId,
  minor,
  number,
  oneOf,
  orAbsent,
  refusedFrom,
  requestFrom,
  STATES,
  text,
} from "./terminal-rows.ts";
import { migrate } from "./terminal-schema.ts";
import { prepareStatements, type Statements } from "./terminal-statements.ts";

export const TERMINAL_JOURNAL_FILE = "terminal.sqlite";

type UploadWish = Parameters<TerminalJournal["toUpload"]>[0];

/**
 * A terminal's journal in one SQLite file: WAL, flushed to the disk with every transaction (synchronous=FULL), so that
 * what was answered survives the end of the process and of the power. Several processes may have it open: decisions
 * run inside BEGIN IMMEDIATE, one at a time.
 */
export class SqliteTerminalJournal implements TerminalJournal {
  readonly #database: DatabaseSync;
  readonly #statements: Statements;

  /** @throws TerminalJournalError JOURNAL_TOO_NEW; the database's own errors when the file cannot be used. */
  constructor(path: string) {
    this.#database = openSharedFile(path);
    try {
      this.#inTransaction(() => migrate(this.#database));
      this.#statements = prepareStatements(this.#database);
    } catch (error) {
      this.#database.close();
      throw error;
    }
  }

  async close(): Promise<void> {
    this.#database.close();
  }

  async marks() {
    const row = present(this.#statements.marks.get());
    return { setupRevision: number(row, "revision"), issuerTime: number(row, "issuer_time") };
  }

  async setup() {
    return this.#inTransaction(() => this.#setup());
  }

  #setup() {
    const row = this.#statements.setup.get();
    if (row === undefined) return undefined;
    const setup: StoredSetup = {
      rootKey: bytes(row, "root_key"),
      trustList: bytes(row, "trust_list"),
      statusList: bytes(row, "status_list"),
      payeeCertificate: bytes(row, "payee_certificate"),
      issuerId: orAbsent(row, "issuer_id", issuerId),
      guests: this.#statements.guests.all().map((guest) => ({
        issuerId: issuerId(guest, "issuer_id"),
        url: text(guest, "url"),
        statusList: bytes(guest, "status_list"),
      })),
    };
    return { revision: number(row, "revision"), setup };
  }

  async replaceSetup(
    setup: StoredSetup & { readonly payeeCertificateId: PayeeCertificateId },
    expectedRevision: number,
  ): Promise<boolean> {
    const { rootKey, trustList, statusList, payeeCertificate, payeeCertificateId, guests } = setup;
    const own = [rootKey, trustList, statusList, payeeCertificate, setup.issuerId ?? null] as const;
    return this.#inTransaction(() => {
      if (number(present(this.#statements.marks.get()), "revision") !== expectedRevision) return false;
      this.#statements.replaceSetup.run(expectedRevision + 1, ...own);
      this.#statements.forgetGuests.run();
      for (const guest of guests) this.#statements.addGuest.run(guest.issuerId, guest.url, guest.statusList);
      this.#statements.keepPayeeCertificate.run(payeeCertificateId, payeeCertificate);
      return true;
    });
  }

  async payeeCertificate(id: PayeeCertificateId) {
    const row = this.#statements.payeeCertificate.get(id);
    return row && bytes(row, "payee_certificate");
  }

  async recordRequest(
    added: Pick<RequestRecord, "requestId" | "requestHash" | "request" | "payeeCertificateId" | "issuedAt">,
  ): Promise<void> {
    const { requestId, requestHash, request, payeeCertificateId, issuedAt } = added;
    this.#inTransaction(() =>
      this.#statements.addRequest.run(requestId, requestHash, request, payeeCertificateId, issuedAt),
    );
  }

  async request(requestId: MessageId) {
    return this.#request(requestId);
  }

  async decideVoid<Result>(
    requestId: MessageId,
    decide: (request: RequestRecord | undefined) => Decision<Result, { readonly voidedAt: number }>,
  ): Promise<Result> {
    return this.#inTransaction(() => {
      const { result, write } = decide(this.#request(requestId));
      if (write !== undefined) this.#statements.voidRequest.run(write.voidedAt, requestId);
      return result;
    });
  }

  async keepVoid(requestId: MessageId, requestVoid: Uint8Array): Promise<Uint8Array> {
    return this.#inTransaction(() =>
      bytes(present(this.#statements.keepVoid.get(requestVoid, requestId)), "request_void"),
    );
  }

  async decideAcceptance<Result>(
    about: PaymentReference,
    decide: (view: AcceptanceView) => Decision<Result, AcceptanceWrite>,
  ): Promise<Result> {
    return this.#inTransaction(() => {
      const { result, write } = decide(this.#view(about));
      if (write !== undefined) this.#write(write);
      return result;
    });
  }

  async acceptance(paymentId: MessageId) {
    return this.#acceptance(paymentId);
  }

  async decideCapture<Result>(
    paymentId: MessageId,
    decide: (acceptance: Acceptance | undefined) => Decision<Result, { readonly takenMinor: bigint }>,
  ): Promise<Result> {
    return this.#inTransaction(() => {
      const { result, write } = decide(this.#acceptance(paymentId));
      if (write !== undefined) expectOne(this.#statements.capture.run(write.takenMinor, paymentId).changes);
      return result;
    });
  }

  async keepCapture(paymentId: MessageId, capture: Uint8Array): Promise<Uint8Array> {
    return this.#inTransaction(() => bytes(present(this.#statements.keepCapture.get(capture, paymentId)), "capture"));
  }

  async toUpload({ limit, which, guestIssuerId }: UploadWish): Promise<UploadEntries> {
    const payments = this.#statements[which].all(guestIssuerId ?? null, limit).map((row) => ({
      acceptance: acceptanceFrom(row),
      payeeCertificate: bytes(row, "payee_certificate"),
      request: orAbsent(row, "request", bytes),
    }));
    const { voids, guestVoids } = this.#statements;
    const room = limit - payments.length;
    const due = guestIssuerId === undefined ? voids.all(room) : guestVoids.all(guestIssuerId, room);
    return { payments, voids: due.map(requestFrom) };
  }

  async toAsk(limit: number, guestIssuerId?: IssuerId): Promise<readonly MessageId[]> {
    return this.#statements.toAsk.all(guestIssuerId ?? null, limit).map((row) => messageId(row, "payment_id"));
  }

  async recordAnswers(
    answers: readonly { readonly paymentId: MessageId; readonly answer: PaymentAnswer | undefined }[],
    merge: (held: PaymentAnswer | undefined, offered: PaymentAnswer | undefined) => PaymentAnswer | undefined,
  ): Promise<void> {
    this.#inTransaction(() => {
      for (const { paymentId, answer } of answers) {
        const acceptance = this.#acceptance(paymentId);
        if (acceptance !== undefined) this.#writeAnswer(paymentId, merge(acceptance.answer, answer));
      }
    });
  }

  async recordVoidAnswers(
    requestIds: readonly MessageId[],
    answeredAt: number,
    guestIssuerId?: IssuerId,
  ): Promise<void> {
    const { answerVoid, tellGuest } = this.#statements;
    this.#inTransaction(() => {
      for (const requestId of requestIds) {
        if (guestIssuerId === undefined) answerVoid.run(answeredAt, requestId);
        else tellGuest.run(guestIssuerId, answeredAt, requestId);
      }
    });
  }

  async stored() {
    return this.#stored();
  }

  async refusedCounts() {
    const row = present(this.#statements.marks.get());
    return { kept: number(row, "kept"), notKept: number(row, "refused_not_kept") };
  }

  async acceptances(filter: JournalFilter): Promise<readonly Acceptance[]> {
    return this.#statements.acceptances.all(...boundsOf(filter), filter.limit).map(acceptanceFrom);
  }

  async requests(filter: JournalFilter): Promise<readonly RequestRecord[]> {
    return this.#statements.requests.all(...boundsOf(filter), filter.limit).map(requestFrom);
  }

  async refusedPayments(filter: JournalFilter): Promise<readonly RefusedPayment[]> {
    return this.#statements.refused.all(...boundsOf(filter), filter.limit).map(refusedFrom);
  }

  async tally(range: TimeRange) {
    return this.#statements.tally.all(...boundsOf(range)).map((row) => ({
      state: oneOf(row, "state", STATES),
      count: number(row, "count"),
      totalMinor: minor(row, "total"),
    }));
  }

  #request(requestId: MessageId): RequestRecord | undefined {
    const row = this.#statements.request.get(requestId);
    return row && requestFrom(row);
  }

  #acceptance(paymentId: MessageId): Acceptance | undefined {
    const row = this.#statements.acceptance.get(paymentId);
    return row && acceptanceFrom(row);
  }

  #stored() {
    const row = present(this.#statements.stored.get());
    return { count: number(row, "count"), totalMinor: minor(row, "total") };
  }

  #view({ paymentId, certificateId, requestHash }: PaymentReference): AcceptanceView {
    const request = requestHash === undefined ? undefined : this.#statements.requestByHash.get(requestHash);
    const newest = this.#statements.newest.get(certificateId);
    const refused = present(this.#statements.refusedCounts.get(certificateId, paymentId));
    return {
      earlier: this.#acceptance(paymentId),
      request: request && requestFrom(request),
      newest: newest && {
        sequence: number(newest, "sequence"),
        spentMinor: minor(newest, "spent_minor"),
        amountMinor: minor(newest, "amount_minor"),
      },
      acceptedOfCertificateMinor: minor(present(this.#statements.ofCertificate.get(certificateId)), "total"),
      stored: this.#stored(),
      refused: {
        isKept: number(refused, "this_one") > 0,
        kept: number(refused, "kept"),
        keptOfCertificate: number(refused, "of_certificate"),
      },
    };
  }

  #write(write: AcceptanceWrite): void {
    this.#statements.raiseIssuerTime.run(write.issuerTime, write.issuerTime);
    if (write.kind === "accept") this.#accept(write.acceptance);
    if (write.kind === "keep-refused") this.#keepRefused(write.refused);
    if (write.kind === "count-refused") this.#statements.countRefused.run();
  }

  #accept(accepted: Acceptance): void {
    const { paymentId, kind, certificateId, sequence, spentMinor, amountMinor, certificate, payment } = accepted;
    const { payeeCertificateId, requestId, acceptedAt, risk, takenMinor } = accepted;
    const position = [certificateId, sequence, spentMinor, amountMinor] as const;
    const context = [payeeCertificateId, requestId ?? null, acceptedAt, risk ?? null, takenMinor ?? null] as const;
    const guest = accepted.guestIssuerId ?? null;
    this.#statements.accept.run(paymentId, kind, ...position, certificate, payment, ...context, guest);
    if (requestId !== undefined) expectOne(this.#statements.payRequest.run(paymentId, requestId).changes);
  }

  #keepRefused(refused: RefusedPayment): void {
    const { paymentId, kind, certificateId, amountMinor, certificate, payment, code, refusedAt } = refused;
    const { keepRefused } = this.#statements;
    keepRefused.run(paymentId, kind, certificateId, amountMinor, certificate, payment, code, refusedAt);
  }

  #writeAnswer(paymentId: MessageId, answer: PaymentAnswer | undefined): void {
    const { state = null, code = null, sentence = null, takenMinor = null, answeredAt = null } = answer ?? {};
    this.#statements.answer.run(state, code, sentence, takenMinor, answeredAt, paymentId);
  }

  /** Takes the write lock first, so that what is looked at cannot move before it is written. */
  #inTransaction<Result>(work: () => Result): Result {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }
}

/** Opens, and makes if need be, the journal in a terminal's folder. */
export function openSqliteTerminalJournal(folder: string): SqliteTerminalJournal {
  return new SqliteTerminalJournal(join(folder, TERMINAL_JOURNAL_FILE));
}

const boundsOf = ({ from = 0, until = MAXIMUM_TIME_SECONDS + 1 }: TimeRange) => [from, until] as const;

function present<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new TerminalJournalError("JOURNAL_MISUSED", "The journal has no such record.");
  return row;
}

function expectOne(changes: number | bigint): void {
  if (BigInt(changes) !== 1n) throw new TerminalJournalError("JOURNAL_MISUSED", "The journal has no such open record.");
}
