import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import type {
  CertificateId,
  DeviceId,
  MessageId,
  PayeeCertificateId,
  PayeeId,
  RequestHash,
  TerminalId,
} from "@cairn/messages";
import type { AccountFunds, CertificateState, SettlementItem, SettlementResult, SettlementState } from "@cairn/settle";
import type { LedgerHead } from "../kept-port.ts";
import type { EntrySeal } from "../ledger-text.ts";
import type { MovementDecision, MovementInput, MovementView, OperationKind } from "../movements-port.ts";
import { NONCE_KEPT_SECONDS } from "../nonce-memory.ts";
import { mainOutcome, outcomeSeenBy, type PaymentFacts, sideOutcome } from "../outcome-views.ts";
import type {
  BatchChoice,
  EnrolmentCode,
  InboxRecord,
  IssuanceView,
  IssuerStore,
  NewAccount,
  OutcomeViewer,
  PayeeRecord,
  PreparedCertificate,
  RequestVoidRecord,
} from "../port.ts";
import type { ReconciliationLine } from "../reconciliation-port.ts";
import { recordAnswers } from "../record-answers.ts";
import { found, NEVER_LOST, StoreError } from "../store-error.ts";
import { MemoryBooks } from "./memory-books.ts";
import { MemoryCertificates, stateOf } from "./memory-certificates.ts";
import { MemoryInbox } from "./memory-inbox.ts";
import { MemoryMembers } from "./memory-members.ts";
import { MemoryMovements } from "./memory-movements.ts";

type InputOf<Name extends keyof IssuerStore> = Parameters<IssuerStore[Name]>[0];

/** The issuer's store without a disk, for simulations and tests. Each method runs to its end before another begins. */
export class MemoryIssuerStore implements IssuerStore {
  readonly #books = new MemoryBooks();
  readonly #inbox = new MemoryInbox();
  readonly #certificates = new MemoryCertificates(this.#inbox);
  readonly #members = new MemoryMembers(this.#books, (account) => this.#certificates.unresolvedConflicts(account));
  readonly #movements = new MemoryMovements(this.#books, this.#members, this.#certificates);
  readonly #voids = new Map<RequestHash, RequestVoidRecord>();
  readonly #nonces = new Map<string, number>();
  /** Where each payment is found. */
  readonly #payments = new Map<MessageId, CertificateId>();
  /** Those known from the payer alone. */
  readonly #pending = new Map<MessageId, CertificateId>();

  async close() {}

  async createAccount(input: NewAccount) {
    return this.#members.createAccount(input);
  }

  lost() {
    return NEVER_LOST;
  }
  async account(account: AccountNumber) {
    return this.#members.account(account);
  }
  async accounts() {
    return this.#members.accounts();
  }
  async setAccountStatus(account: AccountNumber, status: "active" | "frozen") {
    this.#members.setAccountStatus(account, status);
  }
  async setCredit(account: AccountNumber, credit: Parameters<IssuerStore["setCredit"]>[1]) {
    this.#members.setCredit(account, credit);
  }
  async topUp(input: InputOf<"topUp">) {
    return this.#members.topUp(input);
  }
  async closeStatements(input: InputOf<"closeStatements">) {
    return this.#members.closeStatements(input);
  }

  async createEnrolmentCode(input: EnrolmentCode) {
    return this.#members.createEnrolmentCode(input);
  }
  async forgetExpiredCodes(input: InputOf<"forgetExpiredCodes">) {
    return this.#members.forgetExpiredCodes(input);
  }
  async enrolDevice(input: InputOf<"enrolDevice">) {
    return this.#members.enrolDevice(input);
  }
  async enrolTerminal(input: InputOf<"enrolTerminal">) {
    return this.#members.enrolTerminal(input);
  }
  async device(deviceId: DeviceId) {
    return this.#members.device(deviceId);
  }
  async terminal(terminalId: TerminalId) {
    return this.#members.terminal(terminalId);
  }
  async devicesOf(account: AccountNumber) {
    return this.#members.devicesOf(account);
  }
  async terminalsOf(payeeId: PayeeId) {
    return this.#members.terminalsOf(payeeId);
  }
  async setDeviceStatus(deviceId: DeviceId, status: "active" | "frozen") {
    this.#members.setDeviceStatus(deviceId, status);
  }
  async setTerminalStatus(terminalId: TerminalId, status: "active" | "frozen") {
    this.#members.setTerminalStatus(terminalId, status);
  }
  async createPayee(payee: PayeeRecord) {
    return this.#members.createPayee(payee);
  }
  async payee(payeeId: PayeeId) {
    return this.#members.payee(payeeId);
  }
  async payees() {
    return this.#members.payees();
  }
  async recordPayeeCertificate(input: InputOf<"recordPayeeCertificate">) {
    this.#members.recordPayeeCertificate(input);
  }
  async payeeCertificate(payeeId: PayeeId, payeeCertificateId: PayeeCertificateId) {
    return this.#members.payeeCertificate(payeeId, payeeCertificateId);
  }

  async prepareCertificate<Result>(
    account: AccountNumber,
    deviceId: DeviceId,
    decide: (view: IssuanceView) => { result: Result; prepared?: PreparedCertificate | undefined },
  ) {
    return this.#certificates.prepare(this.#members, { account, deviceId }, decide);
  }
  async recordIssued(certificateId: CertificateId, bytes: Uint8Array) {
    this.#certificates.recordIssued(certificateId, bytes);
  }
  async certificate(certificateId: CertificateId) {
    return this.#certificates.kept(certificateId)?.record;
  }
  async certificatesOf(account: AccountNumber) {
    return this.#certificates.of(account);
  }
  async certificateMessages(_partition: Partition, certificateIds: readonly CertificateId[]) {
    const kept = certificateIds.flatMap((certificateId) => this.#certificates.kept(certificateId)?.record ?? []);
    return new Map(kept.map(({ certificateId, messageId }) => [certificateId, messageId]));
  }
  async recordClosing(certificateId: CertificateId, closing: Parameters<IssuerStore["recordClosing"]>[1]) {
    return this.#certificates.recordClosing(certificateId, closing);
  }
  async revokeCertificate(certificateId: CertificateId, at: number, reason: string) {
    return this.#certificates.revoke(certificateId, at, reason);
  }
  async restoreCertificate(certificateId: CertificateId, at: number) {
    return this.#certificates.restore(certificateId, at);
  }
  async revokedIndices(filter?: { readonly expiresFrom: number }) {
    return this.#certificates.revokedIndices(filter?.expiresFrom ?? 0);
  }
  async conflicts() {
    return this.#certificates.conflicts();
  }
  async resolveConflicts(account: AccountNumber, at: number) {
    return this.#certificates.resolveConflicts(account, at);
  }

  async receive(records: readonly InboxRecord[]) {
    this.#inbox.receive(records);
  }
  async takeBatch(limit: number, choice: BatchChoice = {}) {
    return this.#inbox.takeBatch(limit, choice);
  }
  async postpone({ inboxIds, until }: InputOf<"postpone">) {
    this.#inbox.postpone(inboxIds, until);
  }
  async waitingRecords() {
    return this.#inbox.waitingRecords();
  }
  async recordVoid(requestVoid: RequestVoidRecord) {
    if (this.#voids.has(requestVoid.requestHash)) return "repeated";
    this.#voids.set(requestVoid.requestHash, requestVoid);
    return "recorded";
  }

  async settle(input: InputOf<"settle">) {
    const { partition, items, decide, at } = input;
    const result = decide(this.#state(partition, items), items);
    // First what can still fail.
    this.#books.post(partition, result.entries);
    this.#write(result, at);
    this.#inbox.markDone(partition, recordAnswers(input, result.outcomes, new Set()), at);
    return result.outcomes;
  }

  async outcomes(paymentIds: readonly MessageId[], viewer?: OutcomeViewer) {
    return [...new Set(paymentIds)].flatMap(
      (id) => outcomeSeenBy(viewer, this.#facts(id), this.#inbox.facts(id, this.#members)) ?? [],
    );
  }
  async outcomesOfCertificate(certificateId: CertificateId) {
    return this.#certificates.kept(certificateId)?.outcomes() ?? [];
  }
  async evidence(paymentId: MessageId) {
    return this.#inbox.evidence(paymentId);
  }

  async releaseOverdue({ before, at }: InputOf<"releaseOverdue">) {
    let released = 0;
    for (const [paymentId, certificateId] of this.#pending) {
      const kept = this.#certificates.kept(certificateId);
      const facts = kept?.payments.get(paymentId);
      if (kept === undefined || facts === undefined) continue;
      const { payment } = facts;
      const isVoided = payment.requestHash !== undefined && this.#voids.has(payment.requestHash);
      if (kept.record.expiresAt >= before && !isVoided) continue;
      const code = isVoided ? "REQUEST_VOIDED" : "NOT_UPLOADED_IN_TIME";
      kept.setPayment(paymentId, { ...facts, payment: { ...payment, state: "released", code }, decidedAt: at });
      kept.record = { ...kept.record, releasedMinor: kept.record.releasedMinor + payment.amountMinor };
      this.#pending.delete(paymentId);
      released++;
    }
    return released;
  }

  async heldPayments() {
    return [...this.#certificates.all()]
      .flatMap(({ payments }) => [...payments.values()])
      .flatMap((facts) => [
        ...(facts.payment.state === "held" ? [mainOutcome(facts)] : []),
        ...facts.sideClaims.filter(({ state }) => state === "held").map((sideClaim) => sideOutcome(facts, sideClaim)),
      ])
      .sort((left, right) => left.decidedAt - right.decidedAt);
  }

  async entries(filter: InputOf<"entries">) {
    return this.#books.entries(filter);
  }
  async trialBalance() {
    return this.#books.trialBalance();
  }
  async verifyBooks() {
    const { entries, faults } = this.#books.verify();
    for (const { record, payments } of this.#certificates.all()) {
      const settledMinor = [...payments.values()].reduce((sum, { payment }) => sum + payment.takenMinor, 0n);
      if (settledMinor !== record.settledMinor)
        faults.push(`What certificate ${record.certificateId} has settled is not what its payments say.`);
    }
    return { entries, faults };
  }
  async keptRecords() {
    return { kept: this.#inbox.all(), next: undefined };
  }
  async keptPayments() {
    const kept = [...this.#certificates.all()].flatMap(({ record: { certificateId }, payments }) =>
      [...payments.values()].map(({ payment, inboxId }) => ({
        ...payment,
        certificateId,
        record: this.#inbox.record(inboxId),
      })),
    );
    return { kept, next: undefined };
  }
  async keptCertificates() {
    return { kept: [...this.#certificates.all()].map(({ record }) => record), next: undefined };
  }
  async keptClosings() {
    const kept = [...this.#certificates.all()].flatMap(({ record: { certificateId, bytes }, closings }) =>
      [...closings.values()].map((closing) => ({ ...closing, certificateId, certificate: bytes })),
    );
    return { kept, next: undefined };
  }
  async keptVoids() {
    return { kept: [...this.#voids.values()], next: undefined };
  }
  async keptMovements() {
    return { kept: this.#books.movements(), next: undefined };
  }
  /** Nothing is chained where nobody can reach behind the program. */
  async ledgerHeads() {
    return [];
  }
  async missingHeads(heads: readonly LedgerHead[]) {
    return heads;
  }
  sealEntriesWith(seal: EntrySeal) {
    this.#books.seal = seal;
  }
  async recordsNaming(paymentIds: readonly MessageId[]) {
    return paymentIds.flatMap((paymentId) => this.#inbox.naming(paymentId));
  }

  async move<Result>(input: MovementInput, decide: (view: MovementView) => MovementDecision<Result>) {
    return this.#movements.move(input, decide);
  }
  async ledgerBalances(kind: Parameters<IssuerStore["ledgerBalances"]>[0]) {
    return this.#movements.ledgerBalances(kind);
  }
  async ledgerSums(kind: Parameters<IssuerStore["ledgerSums"]>[0]) {
    return this.#movements.ledgerSums(kind);
  }
  async sweepsUnderway() {
    return this.#movements.sweepsUnderway();
  }
  async operationRecords(kind: OperationKind) {
    return this.#movements.operationRecords(kind);
  }

  async reconcile({ from, to }: InputOf<"reconcile">) {
    const lines = new Map<string, ReconciliationLine>();
    for (const { paymentId, firstAt, waits } of this.#inbox.paymentsNamed()) {
      if (firstAt < from || firstAt >= to) continue;
      const facts = this.#facts(paymentId);
      const state = facts?.payment.state ?? (waits ? "received" : "rejected");
      const key = `${state} ${facts?.currency}`;
      const line = lines.get(key);
      lines.set(key, {
        state,
        currency: facts?.currency,
        payments: (line?.payments ?? 0) + 1,
        amountMinor: (line?.amountMinor ?? 0n) + (facts?.payment.amountMinor ?? 0n),
        takenMinor: (line?.takenMinor ?? 0n) + (facts?.payment.takenMinor ?? 0n),
      });
    }
    return [...lines].sort(([left], [right]) => (left < right ? -1 : 1)).map(([, line]) => line);
  }

  async useNonce(nonce: string, expiresAt: number, now: number, mayForget = true) {
    // In the order of use, which is nearly that of expiry: what lies behind one that is still good is left for later.
    for (const [old, oldExpiresAt] of this.#nonces) {
      if (!mayForget || oldExpiresAt >= now - NONCE_KEPT_SECONDS) break;
      this.#nonces.delete(old);
    }
    if (expiresAt < now || this.#nonces.has(nonce)) return false;
    this.#nonces.set(nonce, expiresAt);
    return true;
  }

  #state(partition: number, items: readonly SettlementItem[]): SettlementState {
    const certificates = new Map<CertificateId, CertificateState>();
    const funds = new Map<number, AccountFunds>();
    const voidedRequests = new Set<RequestHash>();
    for (const { certificateId, requestHash } of items) {
      if (requestHash !== undefined && this.#voids.has(requestHash)) voidedRequests.add(requestHash);
      const kept = this.#certificates.kept(certificateId);
      if (kept === undefined || certificates.has(certificateId)) continue;
      if (partitionOf(kept.record.account) !== partition)
        throw new StoreError("STORE_INPUT_INVALID", `Certificate ${certificateId} is of another partition.`);
      certificates.set(certificateId, stateOf(kept));
      const account = this.#members.account(kept.record.account);
      if (account === undefined) throw new StoreError("STORE_DAMAGED", "A certificate without an account.");
      const { lineMinor, usedMinor } = account.credit;
      const creditAvailableMinor = lineMinor > usedMinor ? lineMinor - usedMinor : 0n;
      funds.set(account.account, {
        account: account.account,
        balanceMinor: account.balanceMinor,
        creditAvailableMinor,
      });
    }
    return { certificates, funds, voidedRequests };
  }

  #write(result: SettlementResult, at: number): void {
    for (const { certificateId, payment, addedBy } of result.payments) {
      const kept = this.#certificates.kept(certificateId);
      if (kept === undefined) continue;
      const { account } = kept.record;
      const earlier = kept.payments.get(payment.paymentId);
      const inboxId = found(earlier?.inboxId ?? addedBy?.inboxId, "STORE_DAMAGED", payment.paymentId);
      const { currency } = kept;
      const sideClaims = earlier?.sideClaims ?? [];
      const facts = { certificateId, account, currency, payment, decidedAt: at, sideClaims, inboxId };
      kept.setPayment(payment.paymentId, facts);
      this.#payments.set(payment.paymentId, certificateId);
      if (payment.state === "pending") this.#pending.set(payment.paymentId, certificateId);
      else this.#pending.delete(payment.paymentId);
    }
    for (const { certificateId, paymentId, sideClaim } of result.sideClaims) {
      const kept = this.#certificates.kept(certificateId);
      const facts = kept?.payments.get(paymentId);
      if (kept === undefined || facts === undefined) continue;
      const sideClaims = [...facts.sideClaims, { ...sideClaim, decidedAt: at }];
      kept.setPayment(paymentId, { ...facts, sideClaims });
    }
    for (const { certificateId, settledMinor, releasedMinor } of result.exposures) {
      const kept = this.#certificates.kept(certificateId);
      if (kept === undefined) continue;
      kept.record = {
        ...kept.record,
        settledMinor: kept.record.settledMinor + settledMinor,
        releasedMinor: kept.record.releasedMinor + releasedMinor,
      };
    }
    for (const proof of result.conflicts) this.#certificates.recordConflict(proof);
  }

  #facts(paymentId: MessageId): PaymentFacts | undefined {
    const certificateId = this.#payments.get(paymentId);
    return certificateId === undefined ? undefined : this.#certificates.kept(certificateId)?.payments.get(paymentId);
  }
}
