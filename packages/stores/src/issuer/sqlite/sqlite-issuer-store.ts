import type { AccountNumber } from "@cairn/issue";
import type { CertificateId, DeviceId, MessageId, PayeeId, TerminalId } from "@cairn/messages";
import type { MovementDecision, MovementInput, MovementView, OperationKind } from "../movements-port.ts";
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
import { Accounts } from "./accounts.ts";
import { audit } from "./audit.ts";
import { Books, type EntryFilter } from "./books.ts";
import { Certificates } from "./certificates.ts";
import { Database } from "./database.ts";
import { Enrolment } from "./enrolment.ts";
import { Inbox } from "./inbox.ts";
import { keptPayments, keptRecords } from "./kept.ts";
import { Movements } from "./movements.ts";
import { Nonces } from "./nonces.ts";
import { Outcomes } from "./outcomes.ts";
import { Payees } from "./payees.ts";
import { reconcile } from "./reconciliation.ts";
import { Settlement } from "./settlement.ts";
import { SettlementMemory } from "./settlement-memory.ts";
import { SharedCommit } from "./shared-commit.ts";

type InputOf<Name extends keyof IssuerStore> = Parameters<IssuerStore[Name]>[0];

/**
 * The issuer's store in one SQLite file (or ":memory:"), for one process, which owns all partitions. Every method is
 * one transaction and runs to its end before another begins; `kill -9` at any moment leaves whole transactions.
 */
export class SqliteIssuerStore implements IssuerStore {
  readonly #database: Database;
  readonly #shared: SharedCommit;
  readonly #accounts: Accounts;
  readonly #enrolment: Enrolment;
  readonly #payees: Payees;
  readonly #certificates: Certificates;
  readonly #inbox: Inbox;
  readonly #settlement: Settlement;
  readonly #outcomes: Outcomes;
  readonly #books: Books;
  readonly #movements: Movements;
  readonly #nonces: Nonces;

  /** @throws StoreError STORE_IN_USE, STORE_TOO_NEW, STORE_TOO_OLD; the database's own errors when the file cannot be used. */
  constructor(path: string) {
    const database = new Database(path);
    this.#database = database;
    const memory = new SettlementMemory();
    this.#shared = new SharedCommit(database, () => memory.clear());
    this.#books = new Books(database);
    this.#accounts = new Accounts(database, this.#books);
    this.#enrolment = new Enrolment(database);
    this.#payees = new Payees(database);
    this.#certificates = new Certificates({ database, accounts: this.#accounts, enrolment: this.#enrolment, memory });
    this.#inbox = new Inbox(database);
    const parts = { database, books: this.#books, certificates: this.#certificates, inbox: this.#inbox, memory };
    this.#settlement = new Settlement(parts);
    this.#outcomes = new Outcomes(database);
    this.#movements = new Movements({
      database,
      books: this.#books,
      accounts: this.#accounts,
      certificates: this.#certificates,
    });
    this.#nonces = new Nonces(database);
  }

  async close() {
    this.#shared.flush();
    this.#database.close();
  }

  /** Copies everything, as it is in one moment, into a new file while work goes on. @throws StoreError, see Database.backUp */
  backUp(path: string): Promise<void> {
    return this.#database.backUp(path);
  }

  async createAccount(input: NewAccount) {
    return this.#accounts.create(input);
  }
  async account(account: AccountNumber) {
    return this.#accounts.find(account);
  }
  async accounts() {
    return this.#accounts.all();
  }
  async setAccountStatus(account: AccountNumber, status: "active" | "frozen") {
    this.#accounts.setStatus(account, status);
  }
  async setCredit(account: AccountNumber, credit: Parameters<IssuerStore["setCredit"]>[1]) {
    this.#accounts.setCredit(account, credit);
  }
  async topUp(input: InputOf<"topUp">) {
    return this.#accounts.topUp(input);
  }

  async closeStatements(input: InputOf<"closeStatements">) {
    return this.#shared.run(() => this.#accounts.closeStatements(input));
  }

  async createEnrolmentCode(input: EnrolmentCode) {
    this.#enrolment.createCode(input);
  }
  async enrolDevice(input: InputOf<"enrolDevice">) {
    return this.#enrolment.enrolDevice(input);
  }
  async enrolTerminal(input: InputOf<"enrolTerminal">) {
    return this.#enrolment.enrolTerminal(input);
  }
  async device(deviceId: DeviceId) {
    return this.#enrolment.device(deviceId);
  }
  async terminal(terminalId: TerminalId) {
    return this.#enrolment.terminal(terminalId);
  }
  async devicesOf(account: AccountNumber) {
    return this.#enrolment.devicesOf(account);
  }
  async setDeviceStatus(deviceId: DeviceId, status: "active" | "frozen") {
    this.#enrolment.setDeviceStatus(deviceId, status);
  }
  async setTerminalStatus(terminalId: TerminalId, status: "active" | "frozen") {
    this.#enrolment.setTerminalStatus(terminalId, status);
  }
  async createPayee(payee: PayeeRecord) {
    return this.#payees.create(payee);
  }
  async payee(payeeId: PayeeId) {
    return this.#payees.find(payeeId);
  }
  async payees() {
    return this.#payees.all();
  }
  async recordPayeeCertificate(input: InputOf<"recordPayeeCertificate">) {
    this.#enrolment.recordPayeeCertificate(input);
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
    return this.#certificates.find(certificateId);
  }
  async certificatesOf(account: AccountNumber) {
    return this.#certificates.of(account);
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

  async receive(records: readonly InboxRecord[]) {
    await this.#inbox.receive(records, this.#shared);
  }
  async takeBatch(limit: number, choice: BatchChoice = {}) {
    return this.#inbox.takeBatch(limit, choice);
  }
  async postpone(input: InputOf<"postpone">) {
    this.#inbox.postpone(input);
  }
  async waitingRecords() {
    return this.#inbox.waitingRecords();
  }
  async recordVoid(requestVoid: RequestVoidRecord) {
    return this.#settlement.recordVoid(requestVoid);
  }
  async settle(input: InputOf<"settle">) {
    const outcomes = await this.#shared.run(() => this.#settlement.settle(input));
    this.#inbox.done(input.partition, input.records);
    return outcomes;
  }
  async outcomes(paymentIds: readonly MessageId[], viewer?: OutcomeViewer) {
    return this.#outcomes.of(paymentIds, viewer);
  }
  async outcomesOfCertificate(certificateId: CertificateId) {
    return this.#outcomes.ofCertificate(certificateId);
  }
  async evidence(paymentId: MessageId) {
    return this.#inbox.evidence(paymentId);
  }
  async releaseOverdue(input: InputOf<"releaseOverdue">) {
    return this.#settlement.releaseOverdue(input);
  }
  async conflicts() {
    return this.#certificates.conflicts();
  }
  async resolveConflicts(account: AccountNumber, at: number) {
    return this.#certificates.resolveConflicts(account, at);
  }
  async heldPayments() {
    return this.#outcomes.held();
  }

  async entries(filter: EntryFilter) {
    return this.#books.entries(filter);
  }
  async trialBalance() {
    return this.#books.trialBalance();
  }
  async verifyBooks() {
    return audit(this.#database);
  }
  async keptRecords(after?: string) {
    return keptRecords(this.#database, after);
  }
  async keptPayments(after?: string) {
    return keptPayments(this.#database, after);
  }

  async move<Result>(input: MovementInput, decide: (view: MovementView) => MovementDecision<Result>) {
    return this.#movements.move(input, decide);
  }
  async ledgerBalances(kind: Parameters<IssuerStore["ledgerBalances"]>[0]) {
    return this.#movements.balancesOf(kind);
  }
  async operationRecords(kind: OperationKind) {
    return this.#movements.records(kind);
  }

  async reconcile(period: InputOf<"reconcile">) {
    return reconcile(this.#database, period);
  }

  async useNonce(nonce: string, expiresAt: number, now: number) {
    return this.#shared.run(() => this.#nonces.use(nonce, expiresAt, now));
  }
}
