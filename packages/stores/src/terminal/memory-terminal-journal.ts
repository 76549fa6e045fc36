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
  type Stored,
  type StoredSetup,
  stateOf,
  type Tally,
  type TerminalJournal,
  type TimeRange,
  type UploadEntries,
} from "@cairn/collect";
import type {
  CertificateId,
  ChainPosition,
  IssuerId,
  MessageId,
  PayeeCertificateId,
  RequestHash,
} from "@cairn/messages";
import { TerminalJournalError } from "./journal-error.ts";

type RequestRow = Omit<RequestRecord, "payeeCertificate">;
type UploadWish = Parameters<TerminalJournal["toUpload"]>[0];
type OfCertificate = { newest: ChainPosition; acceptedMinor: bigint };

/**
 * A terminal's journal in memory: for simulators and tests, and for terminals that forget on purpose. Each method does
 * its work in one synchronous stretch, which is its lock.
 */
export class MemoryTerminalJournal implements TerminalJournal {
  #setup: { revision: number; setup: StoredSetup } | undefined;
  #issuerTime = 0;
  readonly #payeeCertificates = new Map<PayeeCertificateId, Uint8Array>();
  readonly #requests = new Map<MessageId, RequestRow>();
  /** Given up, in the order of giving up. */
  readonly #voided = new Set<MessageId>();
  readonly #requestIds = new Map<RequestHash, MessageId>();
  readonly #acceptances = new Map<MessageId, Acceptance>();
  /** In the order of acceptance; settled is the server's last word. */
  readonly #perhapsUnsettled = new Set<MessageId>();
  readonly #ofCertificate = new Map<CertificateId, OfCertificate>();
  readonly #refused = new Map<MessageId, RefusedPayment>();
  readonly #refusedOfCertificate = new Map<CertificateId, number>();
  /** Which guest issuers have heard of a void. */
  readonly #guestsTold = new Map<MessageId, Set<IssuerId>>();
  #refusedNotKept = 0;
  #stored: Stored = { count: 0, totalMinor: 0n };

  async close(): Promise<void> {}

  async marks() {
    return { setupRevision: this.#setup?.revision ?? 0, issuerTime: this.#issuerTime };
  }

  async setup() {
    return this.#setup;
  }

  async replaceSetup(
    { payeeCertificateId, ...setup }: StoredSetup & { readonly payeeCertificateId: PayeeCertificateId },
    expectedRevision: number,
  ): Promise<boolean> {
    if ((this.#setup?.revision ?? 0) !== expectedRevision) return false;
    this.#setup = { revision: expectedRevision + 1, setup };
    if (!this.#payeeCertificates.has(payeeCertificateId)) {
      this.#payeeCertificates.set(payeeCertificateId, setup.payeeCertificate);
    }
    return true;
  }

  async payeeCertificate(id: PayeeCertificateId) {
    return this.#payeeCertificates.get(id);
  }

  async recordRequest(
    request: Pick<RequestRecord, "requestId" | "requestHash" | "request" | "payeeCertificateId" | "issuedAt">,
  ): Promise<void> {
    if (this.#requestIds.has(request.requestHash)) throw misused("the same request twice");
    this.#certificateOf(request.payeeCertificateId);
    const unanswered = { paidBy: undefined, voidedAt: undefined, requestVoid: undefined, voidAnsweredAt: undefined };
    this.#requests.set(request.requestId, { ...request, ...unanswered });
    this.#requestIds.set(request.requestHash, request.requestId);
  }

  async request(requestId: MessageId) {
    return this.#request(requestId);
  }

  async decideVoid<Result>(
    requestId: MessageId,
    decide: (request: RequestRecord | undefined) => Decision<Result, { readonly voidedAt: number }>,
  ): Promise<Result> {
    const { result, write } = decide(this.#request(requestId));
    if (write !== undefined) {
      if (this.#requests.get(requestId)?.paidBy !== undefined) throw misused("a void of a paid request");
      this.#changeRequest(requestId, { voidedAt: write.voidedAt });
      this.#voided.add(requestId);
    }
    return result;
  }

  async keepVoid(requestId: MessageId, requestVoid: Uint8Array): Promise<Uint8Array> {
    const kept = this.#requests.get(requestId)?.requestVoid ?? requestVoid;
    this.#changeRequest(requestId, { requestVoid: kept });
    return kept;
  }

  async decideAcceptance<Result>(
    about: PaymentReference,
    decide: (view: AcceptanceView) => Decision<Result, AcceptanceWrite>,
  ): Promise<Result> {
    const { result, write } = decide(this.#view(about));
    if (write !== undefined) this.#write(write);
    return result;
  }

  async acceptance(paymentId: MessageId) {
    return this.#acceptances.get(paymentId);
  }

  async decideCapture<Result>(
    paymentId: MessageId,
    decide: (acceptance: Acceptance | undefined) => Decision<Result, { readonly takenMinor: bigint }>,
  ): Promise<Result> {
    const { result, write } = decide(this.#acceptances.get(paymentId));
    if (write !== undefined) {
      if (this.#acceptances.get(paymentId)?.takenMinor !== undefined) throw misused("a second capture");
      this.#changeAcceptance(paymentId, { takenMinor: write.takenMinor });
    }
    return result;
  }

  async keepCapture(paymentId: MessageId, capture: Uint8Array): Promise<Uint8Array> {
    const kept = this.#acceptances.get(paymentId)?.capture ?? capture;
    this.#changeAcceptance(paymentId, { capture: kept });
    return kept;
  }

  async toUpload({ limit, which, guestIssuerId }: UploadWish): Promise<UploadEntries> {
    const payments: UploadEntries["payments"][number][] = [];
    for (const acceptance of this.#unsettled()) {
      if (payments.length === limit) break;
      const { answer, takenMinor, payeeCertificateId, requestId } = acceptance;
      const isDue = answer === undefined || (which === "unsettled" && answer.state !== "settled");
      if (!isDue || takenMinor === undefined || acceptance.guestIssuerId !== guestIssuerId) continue;
      const request = requestId === undefined ? undefined : this.#requests.get(requestId)?.request;
      payments.push({ acceptance, payeeCertificate: this.#certificateOf(payeeCertificateId), request });
    }
    const voids: RequestRecord[] = [];
    for (const requestId of this.#voided) {
      if (payments.length + voids.length === limit) break;
      const isTold =
        guestIssuerId === undefined
          ? this.#requests.get(requestId)?.voidAnsweredAt !== undefined
          : this.#guestsTold.get(requestId)?.has(guestIssuerId) === true;
      const request = isTold ? undefined : this.#request(requestId);
      if (request !== undefined) voids.push(request);
    }
    return { payments, voids };
  }

  async toAsk(limit: number, guestIssuerId?: IssuerId): Promise<readonly MessageId[]> {
    return [...this.#unsettled()]
      .filter((acceptance) => acceptance.guestIssuerId === guestIssuerId)
      .flatMap(({ paymentId, answer }) =>
        answer === undefined || answer.state === "settled" || answer.state === "refused"
          ? []
          : [{ paymentId, answeredAt: answer.answeredAt }],
      )
      .sort((left, right) => left.answeredAt - right.answeredAt)
      .slice(0, limit)
      .map(({ paymentId }) => paymentId);
  }

  async recordAnswers(
    answers: readonly { readonly paymentId: MessageId; readonly answer: PaymentAnswer | undefined }[],
    merge: (held: PaymentAnswer | undefined, offered: PaymentAnswer | undefined) => PaymentAnswer | undefined,
  ): Promise<void> {
    for (const { paymentId, answer } of answers) {
      const acceptance = this.#acceptances.get(paymentId);
      if (acceptance !== undefined) this.#changeAcceptance(paymentId, { answer: merge(acceptance.answer, answer) });
    }
  }

  async recordVoidAnswers(
    requestIds: readonly MessageId[],
    answeredAt: number,
    guestIssuerId?: IssuerId,
  ): Promise<void> {
    for (const requestId of requestIds) {
      if (!this.#requests.has(requestId)) continue;
      if (guestIssuerId !== undefined)
        this.#guestsTold.set(requestId, (this.#guestsTold.get(requestId) ?? new Set()).add(guestIssuerId));
      else this.#changeRequest(requestId, { voidAnsweredAt: answeredAt });
    }
  }

  /** Settled is for good: what is old is not looked at again and again. */
  *#unsettled(): Iterable<Acceptance> {
    for (const paymentId of this.#perhapsUnsettled) {
      const acceptance = this.#acceptances.get(paymentId);
      if (acceptance === undefined || acceptance.answer?.state === "settled") this.#perhapsUnsettled.delete(paymentId);
      else yield acceptance;
    }
  }

  async stored() {
    return this.#stored;
  }

  async refusedCounts() {
    return { kept: this.#refused.size, notKept: this.#refusedNotKept };
  }

  async acceptances(filter: JournalFilter) {
    return newestFirst([...this.#acceptances.values()], ({ acceptedAt }) => acceptedAt, filter);
  }

  async requests(filter: JournalFilter): Promise<readonly RequestRecord[]> {
    const rows = newestFirst([...this.#requests.values()], ({ issuedAt }) => issuedAt, filter);
    return rows.map((row) => ({ ...row, payeeCertificate: this.#certificateOf(row.payeeCertificateId) }));
  }

  async refusedPayments(filter: JournalFilter) {
    return newestFirst([...this.#refused.values()], ({ refusedAt }) => refusedAt, filter);
  }

  async tally(range: TimeRange): Promise<readonly Tally[]> {
    const tallies = new Map<AcceptanceState, Tally>();
    for (const acceptance of this.#acceptances.values()) {
      if (!isWithin(acceptance.acceptedAt, range)) continue;
      const state = stateOf(acceptance);
      const { count, totalMinor } = tallies.get(state) ?? { count: 0, totalMinor: 0n };
      tallies.set(state, { state, count: count + 1, totalMinor: totalMinor + countedMinor(acceptance) });
    }
    return [...tallies.values()].sort((left, right) => (left.state < right.state ? -1 : 1));
  }

  #request(requestId: MessageId): RequestRecord | undefined {
    const row = this.#requests.get(requestId);
    return row && { ...row, payeeCertificate: this.#certificateOf(row.payeeCertificateId) };
  }

  #certificateOf(id: PayeeCertificateId): Uint8Array {
    const bytes = this.#payeeCertificates.get(id);
    if (bytes === undefined) throw misused(`no payee certificate ${id}`);
    return bytes;
  }

  #view({ paymentId, certificateId, requestHash }: PaymentReference): AcceptanceView {
    const requestId = requestHash === undefined ? undefined : this.#requestIds.get(requestHash);
    const ofCertificate = this.#ofCertificate.get(certificateId);
    return {
      earlier: this.#acceptances.get(paymentId),
      request: requestId === undefined ? undefined : this.#request(requestId),
      newest: ofCertificate?.newest,
      acceptedOfCertificateMinor: ofCertificate?.acceptedMinor ?? 0n,
      stored: this.#stored,
      refused: {
        isKept: this.#refused.has(paymentId),
        kept: this.#refused.size,
        keptOfCertificate: this.#refusedOfCertificate.get(certificateId) ?? 0,
      },
    };
  }

  #write(write: AcceptanceWrite): void {
    if (write.kind === "accept") this.#accept(write.acceptance);
    this.#issuerTime = Math.max(this.#issuerTime, write.issuerTime);
    if (write.kind === "count-refused") this.#refusedNotKept++;
    if (write.kind === "keep-refused") {
      const { paymentId, certificateId } = write.refused;
      this.#refused.set(paymentId, write.refused);
      this.#refusedOfCertificate.set(certificateId, (this.#refusedOfCertificate.get(certificateId) ?? 0) + 1);
    }
  }

  #accept(acceptance: Acceptance): void {
    const { paymentId, certificateId, requestId } = acceptance;
    if (this.#acceptances.has(paymentId)) throw misused("the same payment twice");
    this.#certificateOf(acceptance.payeeCertificateId);
    if (requestId !== undefined) {
      const request = this.#requests.get(requestId);
      if (request?.paidBy !== undefined) throw misused("a request paid twice");
      if (request?.voidedAt !== undefined) throw misused("a payment of a voided request");
      this.#changeRequest(requestId, { paidBy: paymentId });
    }
    this.#acceptances.set(paymentId, acceptance);
    this.#perhapsUnsettled.add(paymentId);
    const before = this.#ofCertificate.get(certificateId);
    const isNewest = before === undefined || before.newest.sequence < acceptance.sequence;
    this.#ofCertificate.set(certificateId, {
      newest: isNewest ? acceptance : before.newest,
      acceptedMinor: (before?.acceptedMinor ?? 0n) + heldMinor(acceptance),
    });
    this.#addStored(acceptance, 1);
  }

  #changeAcceptance(paymentId: MessageId, change: Partial<Acceptance>): void {
    const before = this.#acceptances.get(paymentId);
    if (before === undefined) throw misused("no such acceptance");
    const after = { ...before, ...change };
    this.#addStored(before, -1);
    this.#addStored(after, 1);
    this.#acceptances.set(paymentId, after);
    const ofCertificate = this.#ofCertificate.get(after.certificateId);
    if (ofCertificate !== undefined) ofCertificate.acceptedMinor += heldMinor(after) - heldMinor(before);
  }

  #changeRequest(requestId: MessageId, change: Partial<RequestRow>): void {
    const before = this.#requests.get(requestId);
    if (before === undefined) throw misused("no such request");
    this.#requests.set(requestId, { ...before, ...change });
  }

  #addStored(acceptance: Acceptance, sign: 1 | -1): void {
    if (acceptance.answer !== undefined) return;
    const { count, totalMinor } = this.#stored;
    this.#stored = { count: count + sign, totalMinor: totalMinor + BigInt(sign) * heldMinor(acceptance) };
  }
}

/** What counts against the ceilings: the maximum while nothing is captured. */
const heldMinor = ({ takenMinor, amountMinor }: Acceptance): bigint => takenMinor ?? amountMinor;

const countedMinor = (acceptance: Acceptance): bigint =>
  acceptance.answer?.state === "settled" ? acceptance.answer.takenMinor : heldMinor(acceptance);

const isWithin = (at: number, { from = 0, until = Number.POSITIVE_INFINITY }: TimeRange): boolean =>
  from <= at && at < until;

/** Rows come in the order of their making: of two with the same time the later made is the newer. */
function newestFirst<Row>(rows: Row[], timeOf: (row: Row) => number, filter: JournalFilter): Row[] {
  return rows
    .filter((row) => isWithin(timeOf(row), filter))
    .reverse()
    .sort((left, right) => timeOf(right) - timeOf(left))
    .slice(0, filter.limit);
}

function misused(why: string): TerminalJournalError {
  return new TerminalJournalError("JOURNAL_MISUSED", `The journal was asked to write ${why}.`);
}
