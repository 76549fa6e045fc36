import type { AccountNumber, Partition } from "@cairn/issue";
import type { CertificateId, DeviceId, MessageId, PayeeCertificateId, PayeeId, TerminalId } from "@cairn/messages";
import type { LedgerHead } from "../kept-port.ts";
import type { EntrySeal } from "../ledger-text.ts";
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
import { NEVER_LOST } from "../store-error.ts";
import { Accounts } from "./accounts.ts";
import { audit } from "./audit.ts";
import { Books, type EntryFilter } from "./books.ts";
import { Certificates } from "./certificates.ts";
import { Database, type PostgresOptions } from "./database.ts";
import { Enrolment } from "./enrolment.ts";
import { Inbox } from "./inbox.ts";
import { Kept } from "./kept.ts";
import { Leases } from "./leases.ts";
import { Movements } from "./movements.ts";
import { Nonces } from "./nonces.ts";
import { Outcomes } from "./outcomes.ts";
import { Payees } from "./payees.ts";
import { reconcile } from "./reconciliation.ts";
import { Settlement } from "./settlement.ts";

type InputOf<Name extends keyof IssuerStore> = Parameters<IssuerStore[Name]>[0];

/**
 * The issuer's store in a PostgreSQL database, for any number of processes at once. Each write is one transaction in one
 * partition, on the disk when it resolves; a partition is settled by one worker at a time (leases.ts). A server that
 * restarts is waited for; a COMMIT whose reply is lost is looked up.
 */
export class PostgresIssuerStore implements IssuerStore {
  readonly #database: Database;
  /** One connection for taking batches: they would wait behind everything that is being settled, and settling for them. */
  readonly #taking: Database;
  readonly #leases: Leases;
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
  readonly #kept: Kept;

  constructor(database: Database, options: PostgresOptions) {
    this.#database = database;
    this.#taking = new Database({ ...options, maximumConnections: 1 });
    this.#leases = new Leases(this.#taking, options.leaseSeconds ?? 30);
    this.#books = new Books(database);
    this.#accounts = new Accounts(database, this.#books);
    this.#enrolment = new Enrolment(database);
    this.#payees = new Payees(database);
    this.#certificates = new Certificates(database);
    this.#inbox = new Inbox(database, this.#leases, options.distribution === "citus");
    this.#settlement = new Settlement({ database, books: this.#books, inbox: this.#inbox, leases: this.#leases });
    this.#outcomes = new Outcomes(database);
    this.#movements = new Movements(database, this.#books);
    this.#nonces = new Nonces(database);
    this.#kept = new Kept(database);
  }

  async close() {
    // Whoever cannot be reached now will see the leases run out.
    await this.#leases.giveAllBack().catch(() => undefined);
    await this.#taking.close();
    await this.#database.close();
  }

  lost() {
    return NEVER_LOST;
  }

  createAccount(input: NewAccount) {
    return this.#accounts.create(input);
  }
  account(account: AccountNumber) {
    return this.#accounts.find(account);
  }
  accounts() {
    return this.#accounts.all();
  }
  setAccountStatus(account: AccountNumber, status: "active" | "frozen") {
    return this.#accounts.setStatus(account, status);
  }
  setCredit(account: AccountNumber, credit: Parameters<IssuerStore["setCredit"]>[1]) {
    return this.#accounts.setCredit(account, credit);
  }
  topUp(input: InputOf<"topUp">) {
    return this.#accounts.topUp(input);
  }
  closeStatements(input: InputOf<"closeStatements">) {
    return this.#accounts.closeStatements(input);
  }

  createEnrolmentCode(input: EnrolmentCode) {
    return this.#enrolment.createCode(input);
  }
  forgetExpiredCodes(input: InputOf<"forgetExpiredCodes">) {
    return this.#enrolment.forgetExpiredCodes(input);
  }
  enrolDevice(input: InputOf<"enrolDevice">) {
    return this.#enrolment.enrolDevice(input);
  }
  enrolTerminal(input: InputOf<"enrolTerminal">) {
    return this.#enrolment.enrolTerminal(input);
  }
  device(deviceId: DeviceId) {
    return this.#enrolment.device(deviceId);
  }
  terminal(terminalId: TerminalId) {
    return this.#enrolment.terminal(terminalId);
  }
  devicesOf(account: AccountNumber) {
    return this.#enrolment.devicesOf(account);
  }
  terminalsOf(payeeId: PayeeId) {
    return this.#enrolment.terminalsOf(payeeId);
  }
  setDeviceStatus(deviceId: DeviceId, status: "active" | "frozen") {
    return this.#enrolment.setDeviceStatus(deviceId, status);
  }
  setTerminalStatus(terminalId: TerminalId, status: "active" | "frozen") {
    return this.#enrolment.setTerminalStatus(terminalId, status);
  }
  createPayee(payee: PayeeRecord) {
    return this.#payees.create(payee);
  }
  payee(payeeId: PayeeId) {
    return this.#payees.find(payeeId);
  }
  payees() {
    return this.#payees.all();
  }
  recordPayeeCertificate(input: InputOf<"recordPayeeCertificate">) {
    return this.#enrolment.recordPayeeCertificate(input);
  }
  payeeCertificate(payeeId: PayeeId, payeeCertificateId: PayeeCertificateId) {
    return this.#enrolment.payeeCertificate(payeeId, payeeCertificateId);
  }

  prepareCertificate<Result>(
    account: AccountNumber,
    deviceId: DeviceId,
    decide: (view: IssuanceView) => { result: Result; prepared?: PreparedCertificate | undefined },
  ) {
    return this.#certificates.prepare(account, deviceId, decide);
  }
  recordIssued(certificateId: CertificateId, bytes: Uint8Array) {
    return this.#certificates.recordIssued(certificateId, bytes);
  }
  certificate(certificateId: CertificateId) {
    return this.#certificates.find(certificateId);
  }
  certificatesOf(account: AccountNumber) {
    return this.#certificates.of(account);
  }
  certificateMessages(partition: Partition, certificateIds: readonly CertificateId[]) {
    return this.#certificates.messagesOf(partition, certificateIds);
  }
  recordClosing(certificateId: CertificateId, closing: Parameters<IssuerStore["recordClosing"]>[1]) {
    return this.#certificates.recordClosing(certificateId, closing);
  }
  revokeCertificate(certificateId: CertificateId, at: number, reason: string) {
    return this.#certificates.revoke(certificateId, at, reason);
  }
  restoreCertificate(certificateId: CertificateId, at: number) {
    return this.#certificates.restore(certificateId, at);
  }
  revokedIndices(filter?: { readonly expiresFrom: number }) {
    return this.#certificates.revokedIndices(filter?.expiresFrom ?? 0);
  }

  receive(records: readonly InboxRecord[]) {
    return this.#inbox.receive(records);
  }
  takeBatch(limit: number, choice: BatchChoice = {}) {
    return this.#inbox.takeBatch(limit, choice);
  }
  postpone(input: InputOf<"postpone">) {
    return this.#inbox.postpone(input);
  }
  waitingRecords() {
    return this.#inbox.waitingRecords();
  }
  recordVoid(requestVoid: RequestVoidRecord) {
    return this.#settlement.recordVoid(requestVoid);
  }
  settle(input: InputOf<"settle">) {
    return this.#settlement.settle(input);
  }
  outcomes(paymentIds: readonly MessageId[], viewer?: OutcomeViewer) {
    return this.#outcomes.of(paymentIds, viewer);
  }
  outcomesOfCertificate(certificateId: CertificateId) {
    return this.#outcomes.ofCertificate(certificateId);
  }
  evidence(paymentId: MessageId) {
    return this.#inbox.evidence(paymentId);
  }
  releaseOverdue(input: InputOf<"releaseOverdue">) {
    return this.#settlement.releaseOverdue(input);
  }
  conflicts() {
    return this.#certificates.conflicts();
  }
  resolveConflicts(account: AccountNumber, at: number) {
    return this.#certificates.resolveConflicts(account, at);
  }
  heldPayments() {
    return this.#outcomes.held();
  }

  entries(filter: EntryFilter) {
    return this.#books.entries(filter);
  }
  trialBalance() {
    return this.#books.trialBalance();
  }
  verifyBooks() {
    return audit(this.#database);
  }
  keptRecords(after?: string) {
    return this.#kept.records(after);
  }
  keptPayments(after?: string) {
    return this.#kept.payments(after);
  }
  keptCertificates(after?: string) {
    return this.#kept.certificates(after);
  }
  keptClosings(after?: string) {
    return this.#kept.closings(after);
  }
  keptVoids(after?: string) {
    return this.#kept.voids(after);
  }
  keptMovements(after?: string) {
    return this.#kept.movements(after);
  }
  ledgerHeads() {
    return this.#kept.heads();
  }
  missingHeads(heads: readonly LedgerHead[]) {
    return this.#kept.missingHeads(heads);
  }
  sealEntriesWith(seal: EntrySeal) {
    this.#books.seal = seal;
  }
  recordsNaming(paymentIds: readonly MessageId[]) {
    return this.#kept.recordsNaming(paymentIds);
  }

  move<Result>(input: MovementInput, decide: (view: MovementView) => MovementDecision<Result>) {
    return this.#movements.move(input, decide);
  }
  ledgerBalances(kind: Parameters<IssuerStore["ledgerBalances"]>[0]) {
    return this.#movements.balancesOf(kind);
  }
  ledgerSums(kind: Parameters<IssuerStore["ledgerSums"]>[0]) {
    return this.#movements.sumsOf(kind);
  }
  sweepsUnderway() {
    return this.#movements.sweepsUnderway();
  }
  operationRecords(kind: OperationKind) {
    return this.#movements.records(kind);
  }

  reconcile(period: InputOf<"reconcile">) {
    return reconcile(this.#database, period);
  }

  useNonce(nonce: string, expiresAt: number, now: number, mayForget?: boolean) {
    return this.#nonces.use(nonce, expiresAt, now, mayForget);
  }
}

/**
 * Connects, and makes or migrates the tables when they are not what this program knows.
 * @throws StoreError STORE_UNAVAILABLE, STORE_TOO_NEW, STORE_TOO_OLD, STORE_INPUT_INVALID (a schema's name)
 */
export async function openPostgresIssuerStore(options: PostgresOptions): Promise<PostgresIssuerStore> {
  const database = new Database(options);
  try {
    await database.get("SELECT 1 AS there");
  } catch (error) {
    await database.close();
    throw error;
  }
  return new PostgresIssuerStore(database, options);
}
