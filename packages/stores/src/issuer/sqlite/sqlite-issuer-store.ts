import type { AccountNumber, Partition } from "@cairn/issue";
import type { CertificateId, DeviceId, MessageId, PayeeCertificateId, PayeeId, TerminalId } from "@cairn/messages";
import type { LedgerHead } from "../kept-port.ts";
import type { EntrySeal } from "../ledger-text.ts";
import type { MovementDecision, MovementInput, MovementView, OperationKind } from "../movements-port.ts";
import type {
  BatchChoice,
  BooksReading,
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
import { Accounts } from "./accounts.ts";
import { audit } from "./audit.ts";
import { Books, type EntryFilter } from "./books.ts";
import { Certificates } from "./certificates.ts";
import { Database, type DatabaseOptions } from "./database.ts";
import { Enrolment } from "./enrolment.ts";
import { Inbox } from "./inbox.ts";
import { Kept } from "./kept.ts";
import { Movements } from "./movements.ts";
import { Nonces } from "./nonces.ts";
import { Outcomes } from "./outcomes.ts";
import { Payees } from "./payees.ts";
import { type IndexSizes, PaymentIndex } from "./payment-index/payment-index.ts";
import { reconcile } from "./reconciliation.ts";
import { Settlement } from "./settlement.ts";
import { SettlementMemory } from "./settlement-memory.ts";
import { SharedCommit } from "./shared-commit.ts";

/** `indexSizes`: smaller ones are for tests, which have few records. */
export type SqliteStoreOptions = DatabaseOptions & { readonly indexSizes?: IndexSizes };

type InputOf<Name extends keyof IssuerStore> = Parameters<IssuerStore[Name]>[0];

/**
 * The issuer's store in one SQLite file (or ":memory:"), for one process, which owns all partitions. Every method is
 * one transaction and runs to its end before another begins; what it gives is on the disk. A power cut or `kill -9` at
 * any moment leaves whole transactions.
 */
export class SqliteIssuerStore implements IssuerStore {
  readonly #database: Database;
  readonly #shared: SharedCommit;
  readonly #accounts: Accounts;
  readonly #enrolment: Enrolment;
  readonly #payees: Payees;
  readonly #certificates: Certificates;
  readonly #index: PaymentIndex;
  readonly #inbox: Inbox;
  readonly #settlement: Settlement;
  readonly #outcomes: Outcomes;
  readonly #books: Books;
  readonly #movements: Movements;
  readonly #nonces: Nonces;
  readonly #kept: Kept;

  /** @throws StoreError STORE_IN_USE, STORE_TOO_NEW, STORE_TOO_OLD, STORE_DAMAGED; the database's own errors when the file cannot be used. */
  constructor(path: string, options: SqliteStoreOptions = {}) {
    const database = new Database(path, options);
    this.#database = database;
    try {
      const memory = new SettlementMemory();
      this.#shared = new SharedCommit(database, () => memory.clear());
      this.#books = new Books(database);
      this.#accounts = new Accounts(database, this.#books);
      this.#enrolment = new Enrolment(database);
      this.#payees = new Payees(database);
      this.#certificates = new Certificates({ database, accounts: this.#accounts, enrolment: this.#enrolment, memory });
      this.#index = new PaymentIndex(database, options.indexSizes);
      this.#inbox = new Inbox(database, this.#index);
      const parts = { database, books: this.#books, certificates: this.#certificates, inbox: this.#inbox, memory };
      this.#settlement = new Settlement(parts);
      this.#outcomes = new Outcomes(database, this.#index);
      this.#movements = new Movements({
        database,
        books: this.#books,
        accounts: this.#accounts,
        certificates: this.#certificates,
      });
      this.#nonces = new Nonces(database);
      this.#kept = new Kept(database, this.#index);
    } catch (error) {
      // What is damaged is mended in the same process, or looked at by another one.
      database.close();
      throw error;
    }
  }

  async close() {
    this.#shared.flush();
    // Whoever waited for a flush that fails is told so; closing has nothing to add.
    await this.#database.durable().catch(() => undefined);
    this.#database.close();
  }

  lost() {
    return this.#database.lost();
  }

  /** Copies everything, as it is in one moment, into a new file while work goes on. @throws StoreError, see Database.backUp */
  async backUp(path: string): Promise<void> {
    await this.#database.backUp(path);
    await this.#database.durable();
  }

  async createAccount(input: NewAccount) {
    return this.#told(() => this.#accounts.create(input));
  }
  async account(account: AccountNumber) {
    return this.#told(() => this.#accounts.find(account));
  }
  async accounts() {
    return this.#told(() => this.#accounts.all());
  }
  async setAccountStatus(account: AccountNumber, status: "active" | "frozen") {
    return this.#told(() => this.#accounts.setStatus(account, status));
  }
  async setCredit(account: AccountNumber, credit: Parameters<IssuerStore["setCredit"]>[1]) {
    return this.#told(() => this.#accounts.setCredit(account, credit));
  }
  async topUp(input: InputOf<"topUp">) {
    return this.#told(() => this.#accounts.topUp(input));
  }

  async closeStatements(input: InputOf<"closeStatements">) {
    return this.#shared.run(() => this.#accounts.closeStatements(input));
  }

  async createEnrolmentCode(input: EnrolmentCode) {
    return this.#told(() => this.#enrolment.createCode(input));
  }
  async forgetExpiredCodes(input: InputOf<"forgetExpiredCodes">) {
    return this.#told(() => this.#enrolment.forgetExpiredCodes(input));
  }
  async enrolDevice(input: InputOf<"enrolDevice">) {
    return this.#told(() => this.#enrolment.enrolDevice(input));
  }
  async enrolTerminal(input: InputOf<"enrolTerminal">) {
    return this.#told(() => this.#enrolment.enrolTerminal(input));
  }
  async device(deviceId: DeviceId) {
    return this.#told(() => this.#enrolment.device(deviceId));
  }
  async terminal(terminalId: TerminalId) {
    return this.#told(() => this.#enrolment.terminal(terminalId));
  }
  async devicesOf(account: AccountNumber) {
    return this.#told(() => this.#enrolment.devicesOf(account));
  }
  async terminalsOf(payeeId: PayeeId) {
    return this.#told(() => this.#enrolment.terminalsOf(payeeId));
  }
  async setDeviceStatus(deviceId: DeviceId, status: "active" | "frozen") {
    return this.#told(() => this.#enrolment.setDeviceStatus(deviceId, status));
  }
  async setTerminalStatus(terminalId: TerminalId, status: "active" | "frozen") {
    return this.#told(() => this.#enrolment.setTerminalStatus(terminalId, status));
  }
  async createPayee(payee: PayeeRecord) {
    return this.#told(() => this.#payees.create(payee));
  }
  async payee(payeeId: PayeeId) {
    return this.#told(() => this.#payees.find(payeeId));
  }
  async payees() {
    return this.#told(() => this.#payees.all());
  }
  async recordPayeeCertificate(input: InputOf<"recordPayeeCertificate">) {
    return this.#told(() => this.#enrolment.recordPayeeCertificate(input));
  }
  async payeeCertificate(payeeId: PayeeId, payeeCertificateId: PayeeCertificateId) {
    return this.#told(() => this.#enrolment.payeeCertificate(payeeId, payeeCertificateId));
  }

  async prepareCertificate<Result>(
    account: AccountNumber,
    deviceId: DeviceId,
    decide: (view: IssuanceView) => { result: Result; prepared?: PreparedCertificate | undefined },
  ) {
    return this.#shared.run(() => this.#certificates.prepare(account, deviceId, decide));
  }
  async recordIssued(certificateId: CertificateId, bytes: Uint8Array) {
    await this.#shared.run(() => this.#certificates.recordIssued(certificateId, bytes));
  }
  async certificate(certificateId: CertificateId) {
    return this.#told(() => this.#certificates.find(certificateId));
  }
  async certificatesOf(account: AccountNumber) {
    return this.#told(() => this.#certificates.of(account));
  }
  async certificateMessages(partition: Partition, certificateIds: readonly CertificateId[]) {
    return this.#told(() => this.#certificates.messagesOf(partition, certificateIds));
  }
  async recordClosing(certificateId: CertificateId, closing: Parameters<IssuerStore["recordClosing"]>[1]) {
    return this.#told(() => this.#certificates.recordClosing(certificateId, closing));
  }
  async revokeCertificate(certificateId: CertificateId, at: number, reason: string) {
    return this.#told(() => this.#certificates.revoke(certificateId, at, reason));
  }
  async restoreCertificate(certificateId: CertificateId, at: number) {
    return this.#told(() => this.#certificates.restore(certificateId, at));
  }
  async revokedIndices(filter?: { readonly expiresFrom: number }) {
    return this.#told(() => this.#certificates.revokedIndices(filter?.expiresFrom ?? 0));
  }

  async receive(records: readonly InboxRecord[]) {
    await this.#inbox.receive(records, this.#shared);
  }
  async takeBatch(limit: number, choice: BatchChoice = {}) {
    // From memory, where a record comes when it is durable and is taken out when its answer is.
    return this.#inbox.takeBatch(limit, choice);
  }
  async postpone(input: InputOf<"postpone">) {
    this.#inbox.postpone(input);
  }
  async waitingRecords() {
    return this.#inbox.waitingRecords();
  }
  async recordVoid(requestVoid: RequestVoidRecord) {
    return this.#told(() => this.#settlement.recordVoid(requestVoid));
  }
  async settle(input: InputOf<"settle">) {
    const outcomes = await this.#shared.run(() => this.#settlement.settle(input));
    this.#inbox.done(input.partition, input.records);
    return outcomes;
  }
  async outcomes(paymentIds: readonly MessageId[], viewer?: OutcomeViewer) {
    return this.#told(() => this.#outcomes.of(paymentIds, viewer));
  }
  async outcomesOfCertificate(certificateId: CertificateId) {
    return this.#told(() => this.#outcomes.ofCertificate(certificateId));
  }
  async evidence(paymentId: MessageId) {
    return this.#told(() => this.#inbox.evidence(paymentId));
  }
  async releaseOverdue(input: InputOf<"releaseOverdue">) {
    return this.#told(() => this.#settlement.releaseOverdue(input));
  }
  async conflicts() {
    return this.#told(() => this.#certificates.conflicts());
  }
  async resolveConflicts(account: AccountNumber, at: number) {
    return this.#told(() => this.#certificates.resolveConflicts(account, at));
  }
  async heldPayments() {
    return this.#told(() => this.#outcomes.held());
  }

  async entries(filter: EntryFilter) {
    return this.#told(() => this.#books.entries(filter));
  }
  async trialBalance() {
    return this.#told(() => this.#books.trialBalance());
  }
  async verifyBooks(reading: BooksReading = {}) {
    const found = await audit(this.#database, this.#index, reading);
    await this.#database.durable();
    return found;
  }
  async keptRecords(after?: string) {
    return this.#told(() => this.#kept.records(after));
  }
  async keptPayments(after?: string) {
    return this.#told(() => this.#kept.payments(after));
  }
  async keptCertificates(after?: string) {
    return this.#told(() => this.#kept.certificates(after));
  }
  async keptClosings(after?: string) {
    return this.#told(() => this.#kept.closings(after));
  }
  async keptVoids(after?: string) {
    return this.#told(() => this.#kept.voids(after));
  }
  async keptMovements(after?: string) {
    return this.#told(() => this.#kept.movements(after));
  }
  async ledgerHeads() {
    return this.#told(() => this.#kept.heads());
  }
  async missingHeads(heads: readonly LedgerHead[]) {
    return this.#told(() => this.#kept.missingHeads(heads));
  }
  sealEntriesWith(seal: EntrySeal) {
    this.#books.seal = seal;
  }
  async recordsNaming(paymentIds: readonly MessageId[]) {
    return this.#told(() => this.#kept.recordsNaming(paymentIds));
  }

  async move<Result>(input: MovementInput, decide: (view: MovementView) => MovementDecision<Result>) {
    return this.#told(() => this.#movements.move(input, decide));
  }
  async ledgerBalances(kind: Parameters<IssuerStore["ledgerBalances"]>[0]) {
    return this.#told(() => this.#movements.balancesOf(kind));
  }
  async ledgerSums(kind: Parameters<IssuerStore["ledgerSums"]>[0]) {
    return this.#told(() => this.#movements.sumsOf(kind));
  }
  async sweepsUnderway() {
    return this.#told(() => this.#movements.sweepsUnderway());
  }
  async operationRecords(kind: OperationKind) {
    return this.#told(() => this.#movements.records(kind));
  }

  async reconcile(period: InputOf<"reconcile">) {
    return this.#told(() => reconcile(this.#database, this.#index, period));
  }

  async useNonce(nonce: string, expiresAt: number, now: number, mayForget?: boolean) {
    return this.#shared.run(() => this.#nonces.use(nonce, expiresAt, now, mayForget));
  }

  /** What is read may have been committed a moment ago: nobody learns of it before a power cut can no longer undo it. */
  async #told<Result>(work: () => Result): Promise<Result> {
    const result = work();
    await this.#database.durable();
    return result;
  }
}
