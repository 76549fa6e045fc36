import type { AccountNumber } from "@cairn/issue";
import { type CertificateId, type MessageId, type PayeeId, type RequestHash, requestHashOf } from "@cairn/messages";
import {
  type InboxRecord,
  type IssuerStore,
  ledgerAccountText,
  type RequestVoidRecord,
  type StoredEntry,
} from "@cairn/stores";
import { money } from "../story.ts";
import { boundsOf, isOneChain } from "./bounds.ts";
import type { AcceptedPayment, MadePayment, Truth } from "./truth.ts";
import type { Violation } from "./violation.ts";

const SETTLEMENT = "settlement:";
const REFUND = "refund:";
const RECEIVED = "received:";
/** `transfer:`, and of a transfer between partitions `transfer-in:`. */
const TRANSFER = /^transfer(?:-in)?:(.*)$/;
/** What was uploaded in time may wait so long for a worker that is down. */
const WORKERS_DELAY_SECONDS = 3_600;
/** The writes that come most often and have no business with the books: if one posts, the next look tells. */
const POSTS_NOTHING: ReadonlySet<string> = new Set<keyof IssuerStore>([
  "useNonce",
  "receive",
  "prepareCertificate",
  "recordIssued",
  "recordClosing",
]);
/** Entries read at once. */
const PAGE = 1_000;

type Credited = { readonly made: MadePayment; readonly payeeId: PayeeId | undefined; readonly takenMinor: bigint };

/**
 * Reads every posting as soon as it is written, from the store itself, and holds it against the promises: a server that
 * overwrites by key would hide a second settlement in its final state, not here.
 */
export class LedgerWatch {
  readonly #store: IssuerStore;
  readonly #truth: Truth;
  readonly #uploadDeadlineSeconds: number;
  readonly #report: (violation: Violation) => void;
  readonly #balances = new Map<string, bigint>();
  /** By partition. */
  readonly #references = new Map<number, Set<string>>();
  #looking: Promise<void> = Promise.resolve();
  #last = 0;
  /** Requests of which the server knows that they were given up. */
  readonly #voided = new Set<RequestHash>();
  readonly #touched = new Set<AccountNumber>();
  postings = 0;
  entries = 0;
  settled = 0;
  settledMinor = 0n;
  /** By payment: what was taken, less what was given back. */
  readonly #left = new Map<MessageId, { readonly payeeId: PayeeId | undefined; minor: bigint }>();
  /** By certificate: what was paid to whom. */
  readonly #credited = new Map<CertificateId, Credited[]>();
  /** By account. */
  readonly #losses = new Map<AccountNumber, bigint>();
  /** What the promises allow for the certificates of the accounts that cost anything. */
  readonly #bounds = new Map<AccountNumber, bigint>();
  /** By terminal and payment: when the server first had it, by its own clock. */
  readonly #receivedAt = new Map<string, Map<MessageId | undefined, number>>();
  lossMinor = 0n;

  constructor(store: IssuerStore, truth: Truth, uploadDeadlineSeconds: number, report: (violation: Violation) => void) {
    this.#uploadDeadlineSeconds = uploadDeadlineSeconds;
    this.#store = store;
    this.#truth = truth;
    this.#report = report;
  }

  balance(ledgerAccount: string): bigint {
    return this.#balances.get(ledgerAccount) ?? 0n;
  }

  /** The most that attackers could have cost by the promises, where they cost anything. */
  get boundMinor(): bigint {
    return [...this.#bounds.values()].reduce((sum, minor) => sum + minor, 0n);
  }

  /** Looks at what a write of the issuer's brought; undefined when nothing is to be seen. */
  written(method: string, [about]: readonly unknown[]): Promise<void> | undefined {
    if (method === "recordVoid") this.#voided.add((about as RequestVoidRecord).requestHash);
    if (method === "receive") this.#uploaded(about as readonly InboxRecord[]);
    return POSTS_NOTHING.has(method) ? undefined : this.look();
  }

  #uploaded(records: readonly InboxRecord[]): void {
    for (const { senderId, paymentId, receivedAt } of records) {
      const ofSender = this.#receivedAt.get(senderId) ?? new Map<MessageId | undefined, number>();
      if (!ofSender.has(paymentId)) this.#receivedAt.set(senderId, ofSender.set(paymentId, receivedAt));
    }
  }

  /** Whether a terminal brought what it accepted only after the upload deadline: then it is not promised any more. */
  isBroughtTooLate(paymentId: MessageId, { terminalId, certificateExpiresAt }: AcceptedPayment): boolean {
    const receivedAt = this.#receivedAt.get(terminalId)?.get(paymentId);
    return receivedAt !== undefined && receivedAt > certificateExpiresAt + this.#uploadDeadlineSeconds;
  }

  /** One after the other: what two read at once would be counted twice. */
  look(): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look());
    return this.#looking;
  }

  async #look(): Promise<void> {
    for (;;) {
      const entries = await this.#store.entries({ after: this.#last, limit: PAGE });
      for (const entry of entries) {
        this.#last = entry.entryId;
        this.entries += 1;
        this.#post(entry);
        if (entry.reference.startsWith(SETTLEMENT)) await this.#settlement(entry);
        if (entry.reference.startsWith(REFUND)) this.#refund(entry);
        if (entry.reference.startsWith(RECEIVED)) this.#received(entry);
        if (entry.reference.startsWith("transfer")) this.#transfer(entry);
      }
      if (entries.length < PAGE) return this.#compareBalances();
    }
  }

  /** What is kept beside the postings is their sum. Where more was posted meanwhile, the next look compares. */
  async #compareBalances(): Promise<void> {
    for (const account of this.#touched) {
      const kept = await this.#store.account(account);
      if ((await this.#store.entries({ after: this.#last, limit: 1 })).length > 0) return;
      this.#touched.delete(account);
      if (kept !== undefined && kept.balanceMinor !== -this.balance(`wallet:${account}`))
        this.#report({ promise: 1, says: `the kept balance of account ${account} is not the sum of its postings` });
      if (kept !== undefined && kept.credit.usedMinor > kept.credit.lineMinor)
        this.#report({ promise: 1, says: `account ${account} owes more than its credit line` });
    }
  }

  #post({ reference, postings, partition }: StoredEntry): void {
    const known = this.#references.get(partition) ?? new Set();
    if (known.has(reference)) this.#report({ promise: 2, says: `${reference} is posted twice` });
    this.#references.set(partition, known.add(reference));
    let sumMinor = 0n;
    for (const { ledgerAccount, minor } of postings) {
      this.postings += 1;
      sumMinor += minor;
      const name = ledgerAccountText(ledgerAccount);
      const balanceMinor = (this.#balances.get(name) ?? 0n) + minor;
      this.#balances.set(name, balanceMinor);
      if (ledgerAccount.kind === "wallet" && balanceMinor > 0n)
        this.#report({ promise: 1, says: `${reference} takes more from ${name} than is there` });
      if (ledgerAccount.kind === "loss-reserve") this.lossMinor += minor;
    }
    if (sumMinor !== 0n)
      this.#report({ promise: 1, says: `the postings of ${reference} sum to ${money(sumMinor)}, not to zero` });
  }

  async #settlement({ reference, postings, postedAt }: StoredEntry): Promise<void> {
    const paymentId = reference.slice(SETTLEMENT.length) as MessageId;
    const made = this.#truth.payments.get(paymentId);
    if (made === undefined) return this.#report({ promise: 4, says: "a payment is settled that nobody made" });
    if (this.#truth.underForged.has(paymentId))
      return this.#report({ promise: 4, says: `${made.by} is paid from under a certificate that was never issued` });
    let takenMinor = 0n;
    let lossMinor = 0n;
    let payeeId: PayeeId | undefined;
    for (const { ledgerAccount, minor } of postings) {
      if (ledgerAccount.kind === "clearing") {
        takenMinor -= minor;
        payeeId = ledgerAccount.payeeId;
      } else if (ledgerAccount.kind === "loss-reserve") lossMinor += minor;
      else if ("account" in ledgerAccount && ledgerAccount.account !== made.account)
        this.#report({ promise: 4, says: `a payment by ${made.by} is taken from account ${ledgerAccount.account}` });
    }
    this.settled += 1;
    this.settledMinor += takenMinor;
    this.#left.set(paymentId, { payeeId, minor: takenMinor });
    const asked = made.requestId === undefined ? undefined : this.#truth.requests.get(made.requestId);
    const isAsked = made.requestId === undefined ? takenMinor <= made.amountMinor : takenMinor === made.amountMinor;
    if (!isAsked)
      this.#report({
        promise: 4,
        says: `${made.by} agreed to ${money(made.amountMinor)} and paid ${money(takenMinor)}`,
      });
    if (asked !== undefined && asked.payeeId !== payeeId)
      this.#report({ promise: 4, says: `${made.by} agreed to pay ${asked.payeeId}, and ${payeeId} was paid` });
    this.#accepted(made.paymentId, payeeId);
    if (made.requestId !== undefined && this.#voided.has(requestHashOf(made.requestId)))
      this.#report({ promise: 4, says: `${made.by} pays for a request that ${payeeId} gave up` });
    const certificate = await this.#store.certificate(made.certificateId);
    const deadline = (certificate?.expiresAt ?? 0) + this.#uploadDeadlineSeconds + WORKERS_DELAY_SECONDS;
    if (postedAt > deadline)
      this.#report({ promise: 5, says: `a payment by ${made.by} is settled after its upload deadline` });
    await this.#ceiling({ made, payeeId, takenMinor });
    if (lossMinor > 0n) await this.#loss(made, lossMinor);
    this.#touched.add(made.account);
  }

  /** Certificates under which somebody was paid. */
  creditedCertificates(): Iterable<CertificateId> {
    return this.#credited.keys();
  }

  hasSettled(paymentId: MessageId): boolean {
    return this.#left.has(paymentId);
  }

  hasPosted(partition: number, reference: string): boolean {
    return this.#references.get(partition)?.has(reference) === true;
  }

  /** What a payee gives back, it was asked to, and had: to the payer, and never more than was taken. */
  #refund({ reference, postings }: StoredEntry): void {
    const order = this.#truth.refunds.get(reference);
    const made = order && this.#truth.payments.get(order.paymentId);
    if (order === undefined || made === undefined) {
      this.#report({ promise: 1, says: `${reference} gives back what nobody wanted back` });
      return;
    }
    let backMinor = 0n;
    for (const { ledgerAccount, minor } of postings) {
      if (minor < 0n) backMinor -= minor;
      if ("account" in ledgerAccount && ledgerAccount.account !== made.account)
        this.#report({ promise: 1, says: `what ${made.by} paid is given back to account ${ledgerAccount.account}` });
    }
    const left = this.#left.get(order.paymentId);
    if (left?.payeeId !== order.payeeId) {
      this.#report({ promise: 1, says: `${order.payeeId} gives back what was paid to ${left?.payeeId ?? "nobody"}` });
      return;
    }
    left.minor -= backMinor;
    if (backMinor !== order.amountMinor)
      this.#report({ promise: 1, says: `${money(backMinor)} are given back instead of ${money(order.amountMinor)}` });
    if (left.minor < 0n)
      this.#report({ promise: 1, says: `${money(-left.minor)} more are given back than ${made.by} paid` });
    this.#touched.add(made.account);
  }

  /** What is sent leaves who sends it, and reaches who was named: no other account, and no other amount. */
  #transfer({ reference, postings }: StoredEntry): void {
    const order = this.#truth.transfers.get(TRANSFER.exec(reference)?.[1] ?? "");
    if (order === undefined) {
      this.#report({ promise: 1, says: `${reference} sends what nobody wanted to send` });
      return;
    }
    const { from, to, amountMinor } = order;
    for (const { ledgerAccount, minor } of postings)
      if (ledgerAccount.kind === "wallet") {
        const isRight = minor > 0n ? ledgerAccount.account === from : ledgerAccount.account === to;
        if (!isRight || (minor !== amountMinor && -minor !== amountMinor))
          this.#report({ promise: 1, says: `${reference} moves ${money(minor)} of account ${ledgerAccount.account}` });
      }
    for (const account of [from, to]) this.#touched.add(account);
  }

  /** What a person was paid goes into that person's account. */
  #received({ reference, postings }: StoredEntry): void {
    const payee = postings.find(({ ledgerAccount }) => ledgerAccount.kind === "payee")?.ledgerAccount;
    const owner = payee?.kind === "payee" ? this.#truth.receivers.get(payee.payeeId) : undefined;
    if (owner !== undefined) this.#touched.add(owner);
    for (const { ledgerAccount } of postings)
      if ("account" in ledgerAccount && ledgerAccount.account !== owner)
        this.#report({ promise: 1, says: `${reference} goes to ${ledgerAccount.account}, and not to who was paid` });
  }

  /** Money goes to payees that took it by the rules, or to one that is known to break them: never to who took nothing. */
  #accepted(paymentId: MessageId, payeeId: PayeeId | undefined): void {
    const { accepted, terminals, evilTerminals } = this.#truth;
    if (accepted.get(paymentId)?.some((its) => its.payeeId === payeeId) === true) return;
    for (const evil of evilTerminals) if (terminals.get(evil)?.payeeId === payeeId) return;
    this.#report({ promise: 2, says: `${payeeId} is paid for what it never accepted` });
  }

  /** What contradicts a payment that was credited is paid up to its payee's ceiling, all that the payee has of the certificate included. */
  async #ceiling(credit: Credited): Promise<void> {
    const { made, payeeId } = credit;
    const earlier = this.#credited.get(made.certificateId) ?? [];
    this.#credited.set(made.certificateId, [...earlier, credit]);
    if (payeeId === undefined || earlier.every((its) => isOneChain(its.made, made))) return;
    let sumMinor = credit.takenMinor;
    for (const its of earlier) if (its.payeeId === payeeId) sumMinor += its.takenMinor;
    const ceilingMinor = (await this.#store.payee(payeeId))?.perCertificateCapMinor ?? 0n;
    if (sumMinor > ceilingMinor)
      this.#report({
        promise: 5,
        says: `${payeeId} has ${money(sumMinor)} under one copied certificate, its ceiling is ${money(ceilingMinor)}`,
      });
  }

  /** Of an account: its certificates draw on one balance, so what was overspent with one may be missing for another. */
  async #loss({ account, by }: MadePayment, minor: bigint): Promise<void> {
    const lossMinor = (this.#losses.get(account) ?? 0n) + minor;
    this.#losses.set(account, lossMinor);
    if (!this.#truth.dishonest.has(account))
      this.#report({ promise: 5, says: `${money(minor)} are lost though every device of ${by} is honest` });
    const conflicts = (await this.#store.conflicts()).filter((conflict) => conflict.account === account);
    if (conflicts.length === 0)
      this.#report({ promise: 5, says: `${money(minor)} are lost and no proof names a device` });
    let boundMinor = 0n;
    let ceilingsMinor = 0n;
    const proven = new Set(conflicts.map(({ certificateId }) => certificateId));
    for (const certificate of await this.#store.certificatesOf(account)) {
      if (!proven.has(certificate.certificateId)) continue;
      const bounds = await boundsOf(certificate, this.#store, this.#truth);
      boundMinor += bounds.boundMinor;
      ceilingsMinor += bounds.ceilingsMinor;
    }
    this.#bounds.set(account, boundMinor < ceilingsMinor ? boundMinor : ceilingsMinor);
    if (lossMinor > boundMinor)
      this.#report({
        promise: 5,
        says: `the certificates of ${by} have cost ${money(lossMinor)}, ${money(boundMinor)} at most by who was deceived`,
      });
    if (lossMinor > ceilingsMinor)
      this.#report({
        promise: 5,
        says: `the certificates of ${by} have cost ${money(lossMinor)}, and their payees' ceilings are ${money(ceilingsMinor)}`,
      });
  }

  /** Nobody honest is blamed. */
  async lookForBlame(): Promise<void> {
    for (const { account, kind } of await this.#store.conflicts())
      if (!this.#truth.dishonest.has(account))
        this.#report({ promise: 3, says: `account ${account}, whose devices are honest, is blamed: ${kind}` });
  }
}
