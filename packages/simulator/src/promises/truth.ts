import type { Acceptance, OutcomeAnswer, StoredSetup } from "@cairn/collect";
import type { CryptoPort } from "@cairn/cose";
import type { AccountNumber } from "@cairn/issue";
import {
  type CertificateId,
  type DeviceId,
  decodeMessage,
  type MessageId,
  type PayeeId,
  payeeCertificate,
  statusList,
  type TerminalId,
  trustList,
  userCertificate,
} from "@cairn/messages";
import type { Consent, StoredPayment } from "@cairn/pay";
import { refundReference } from "@cairn/settle";
import { money } from "../story.ts";
import type { Violation } from "./violation.ts";

/** What a payment is, by whoever made it: an honest wallet that asked its owner, or a thief. */
export type MadePayment = {
  readonly paymentId: MessageId;
  readonly account: AccountNumber;
  readonly certificateId: CertificateId;
  readonly requestId: MessageId | undefined;
  readonly amountMinor: bigint;
  /** Its place in the chain of its certificate. */
  readonly sequence: number;
  readonly spentMinor: bigint;
  readonly by: string;
  /** For people. */
  readonly position: string;
  /** Of an open payment: who alone may capture it. */
  readonly audience?: PayeeId | undefined;
};
export type AskedRequest = { readonly payeeId: PayeeId; readonly terminal: string; readonly amountMinor: bigint };
/** Of a terminal that goes by the rules. */
export type AcceptedPayment = {
  readonly terminal: string;
  readonly terminalId: TerminalId;
  readonly payeeId: PayeeId;
  readonly isOpen: boolean;
  readonly isGuaranteed: boolean;
  readonly takenMinor: bigint | undefined;
  readonly acceptedAt: number;
  readonly certificateExpiresAt: number;
};
/** `goodUntil`: when the terminal has to be online again, by its own clock, to go on accepting. */
type HeldLists = { readonly version: number; readonly issuedAt: number; readonly goodUntil: number };
/** What a cashier gives back, or tries to, at a till of this payee's. */
export type GivenBack = { readonly paymentId: MessageId; readonly amountMinor: bigint; readonly payeeId: PayeeId };
export type Transfer = { readonly from: AccountNumber; readonly to: AccountNumber; readonly amountMinor: bigint };
export type SentCall = { readonly kind: "sync" | "upload"; readonly body: Uint8Array };

type Payer = { readonly name: string; readonly owner: { readonly account: AccountNumber } };
type Payee = { readonly name: string; readonly payeeId: PayeeId; readonly terminalId: TerminalId };

/** How many calls a thief of calls remembers. */
const CALLS_KEPT = 32;

/** What really happened, known to nobody in the world: what the promises are held against. */
export class Truth {
  readonly devices = new Map<DeviceId, { readonly account: AccountNumber; readonly wallet: string }>();
  readonly terminals = new Map<TerminalId, Payee>();
  readonly requests = new Map<MessageId, AskedRequest>();
  readonly payments = new Map<MessageId, MadePayment>();
  /** By payment: what terminals took that go by the rules. */
  readonly accepted = new Map<MessageId, AcceptedPayment[]>();
  /** Accounts of which a device was copied, set back or robbed of its key: only these may be blamed. */
  readonly dishonest = new Map<AccountNumber, string>();
  /** Accounts of which a device closed a certificate falsely. */
  readonly falselyClosed = new Set<AccountNumber>();
  /** By sender and key: what people sent from account to account, or tried to; and what they were told is sent. */
  readonly transfers = new Map<string, Transfer>();
  readonly transferred = new Set<string>();
  /** Payees that are persons, and the account into which goes what they are paid. */
  readonly receivers = new Map<PayeeId, AccountNumber>();
  /** Phones that received and are gone, with what they had not brought home. */
  readonly goneReceivers = new Set<TerminalId>();
  /** Terminals that do not go by the rules. */
  readonly evilTerminals = new Set<TerminalId>();
  /** Payments that their payee gave up after it had taken them: nothing is promised for them any more. */
  readonly disowned = new Set<MessageId>();
  /** Payments under certificates that the issuer never issued: nobody is ever paid for them. */
  readonly underForged = new Set<MessageId>();
  /** By ledger reference: what cashiers gave back, or tried to. */
  readonly refunds = new Map<string, GivenBack>();
  /** Refunds of which a till was told that the money is there. */
  readonly refunded = new Set<string>();
  /** Calls that were sent, as somebody on the line would have kept them. */
  readonly calls: SentCall[] = [];
  /** By wallet and request. */
  readonly #consents = new Map<string, Map<MessageId, Consent>>();
  /** By wallet and request. */
  readonly #paymentOf = new Map<string, Map<MessageId, MessageId>>();
  /** By terminal and certificate: what it took. */
  readonly #taken = new Map<TerminalId, Map<CertificateId, bigint>>();
  /** By terminal and request. */
  readonly #paidRequests = new Map<TerminalId, Set<MessageId>>();
  readonly #lists = new Map<TerminalId, HeldLists>();
  readonly #crypto: CryptoPort;
  readonly #report: (violation: Violation) => void;
  counts = { accepted: 0, acceptedMinor: 0n, paid: 0, refused: 0 };

  constructor(crypto: CryptoPort, report: (violation: Violation) => void) {
    this.#crypto = crypto;
    this.#report = report;
  }

  asked(requestId: MessageId, request: AskedRequest): void {
    this.requests.set(requestId, request);
  }

  /** A person said yes to what the screen showed. */
  consented(wallet: Payer, consent: Consent): void {
    within(this.#consents, wallet.name).set(consent.requestId, consent);
  }

  /** A wallet has written a payment to its disk. */
  paymentMade(wallet: Payer, payment: StoredPayment): void {
    const { paymentId, certificateId, requestId, amountMinor, sequence, spentMinor } = payment;
    const { account } = wallet.owner;
    const by = wallet.name;
    const position = `seq ${sequence}, spent ${money(spentMinor)}`;
    const chained = { certificateId, amountMinor, sequence, spentMinor };
    this.payments.set(paymentId, { paymentId, account, requestId, ...chained, by, position });
    this.counts.paid += 1;
    if (requestId === undefined) return;
    const paymentOf = within(this.#paymentOf, by);
    if ((paymentOf.get(requestId) ?? paymentId) !== paymentId)
      this.#report({ promise: 4, says: `${by} signs two payments for one request` });
    paymentOf.set(requestId, paymentId);
    const consent = this.#consents.get(by)?.get(requestId);
    const asked = this.requests.get(requestId);
    if (consent === undefined || asked === undefined || consent.amountMinor !== amountMinor)
      this.#report({ promise: 4, says: `${wallet.name} signs a payment that its owner did not agree to` });
    else if (asked.payeeId !== consent.payeeId || asked.amountMinor !== amountMinor)
      this.#report({ promise: 4, says: `${wallet.name} pays another payee or amount than its request names` });
  }

  /** A wallet closes a certificate: falsely, if somebody else can still pay with it. */
  closingMade({ owner }: Payer): void {
    if (this.dishonest.has(owner.account)) this.falselyClosed.add(owner.account);
  }

  madeOut(paymentId: MessageId, audience: PayeeId | undefined): void {
    const made = this.payments.get(paymentId);
    if (made !== undefined) this.payments.set(paymentId, { ...made, audience });
  }

  /** A thief made one with a key that was taken. */
  forged(payment: MadePayment): void {
    this.payments.set(payment.paymentId, payment);
  }

  /** A terminal has written an acceptance to its disk. */
  acceptedBy(terminal: Payee, acceptance: Acceptance): void {
    const { paymentId, kind, risk, takenMinor, acceptedAt } = acceptance;
    const kept = this.accepted.get(paymentId) ?? [];
    if (kept.some(({ terminalId }) => terminalId === terminal.terminalId))
      this.#report({ promise: 2, says: `${terminal.name} accepts one payment twice` });
    const { expiresAt, terms } = decodeMessage(userCertificate, acceptance.certificate, this.#crypto).unverified;
    kept.push({
      terminal: terminal.name,
      terminalId: terminal.terminalId,
      payeeId: terminal.payeeId,
      isOpen: kind === "open-payment",
      isGuaranteed: risk === undefined,
      takenMinor,
      acceptedAt,
      certificateExpiresAt: expiresAt,
    });
    this.accepted.set(paymentId, kept);
    this.counts.accepted += 1;
    this.counts.acceptedMinor += takenMinor ?? 0n;
    const made = this.payments.get(paymentId);
    if (made === undefined) {
      this.#report({ promise: 4, says: `${terminal.name} accepts a payment that nobody made` });
      return;
    }
    this.#lookAtAmount(terminal, acceptance, made);
    // What it says of its own risk is not asked: no payee here has chosen to take any.
    if (acceptedAt > (this.#lists.get(terminal.terminalId)?.goodUntil ?? 0))
      this.#report({ promise: 6, says: `${terminal.name} accepts a payment although its lists are too old` });
    const taken = within(this.#taken, terminal.terminalId);
    const sumMinor = (taken.get(acceptance.certificateId) ?? 0n) + acceptance.amountMinor;
    taken.set(acceptance.certificateId, sumMinor);
    const { limitMinor } = terms;
    if (acceptance.spentMinor > limitMinor)
      this.#report({ promise: 5, says: `${terminal.name} accepts a running total beyond the certificate's limit` });
    if (sumMinor > limitMinor)
      this.#report({
        promise: 5,
        says: `${terminal.name} accepts ${money(sumMinor)} under one certificate, whose limit is ${money(limitMinor)}`,
      });
  }

  /** A gate has written what an open payment takes that it accepted before. */
  captured({ name, terminalId }: Payee, paymentId: MessageId, takenMinor: bigint): void {
    const kept = this.accepted.get(paymentId) ?? [];
    const index = kept.findIndex((its) => its.terminalId === terminalId);
    const its = kept[index];
    if (its === undefined) return;
    if (its.takenMinor !== undefined) this.#report({ promise: 2, says: `${name} fixes twice what one payment takes` });
    kept[index] = { ...its, takenMinor };
    this.counts.acceptedMinor += takenMinor;
    const made = this.payments.get(paymentId);
    if (made !== undefined) this.#lookAtMaximum(name, takenMinor, made);
  }

  #lookAtMaximum(name: string, takenMinor: bigint, made: MadePayment): void {
    if (takenMinor > made.amountMinor)
      this.#report({ promise: 4, says: `${name} takes ${money(takenMinor)} of at most ${money(made.amountMinor)}` });
  }

  #lookAtAmount({ name, payeeId, terminalId }: Payee, acceptance: Acceptance, made: MadePayment): void {
    const { requestId, takenMinor } = acceptance;
    if (made.audience !== undefined && made.audience !== payeeId)
      this.#report({ promise: 4, says: `${name} accepts a payment that ${made.by} made out to ${made.audience}` });
    if (requestId === undefined) {
      this.#lookAtMaximum(name, takenMinor ?? 0n, made);
      return;
    }
    const asked = this.requests.get(requestId);
    if (asked?.amountMinor !== takenMinor)
      this.#report({ promise: 4, says: `${name} asks ${money(asked?.amountMinor ?? 0n)} and accepts another amount` });
    const paid = this.#paidRequests.get(terminalId) ?? new Set();
    if (paid.has(requestId)) this.#report({ promise: 4, says: `${name} accepts two payments for one request` });
    this.#paidRequests.set(terminalId, paid.add(requestId));
  }

  /** When the status list was signed that a terminal holds. */
  listSignedAt(terminalId: TerminalId): number | undefined {
    return this.#lists.get(terminalId)?.issuedAt;
  }

  /** A terminal takes home lists: never older ones than it had. */
  listsTaken(
    { name, terminalId }: Payee,
    offered: Pick<StoredSetup, "trustList" | "statusList" | "payeeCertificate">,
  ): void {
    const { version } = decodeMessage(trustList, offered.trustList, this.#crypto).unverified;
    const { issuedAt } = decodeMessage(statusList, offered.statusList, this.#crypto).unverified;
    const { terms } = decodeMessage(payeeCertificate, offered.payeeCertificate, this.#crypto).unverified;
    const held = this.#lists.get(terminalId);
    if (held !== undefined && (version < held.version || issuedAt < held.issuedAt))
      this.#report({ promise: 5, says: `${name} takes an older list than the one it had` });
    this.#lists.set(terminalId, { version, issuedAt, goodUntil: issuedAt + terms.maximumOfflineSeconds });
  }

  /** What the server answered a terminal about its payments. */
  heard(terminal: Payee, outcomes: readonly OutcomeAnswer[]): void {
    for (const { paymentId, state, code } of outcomes) {
      if (state !== "refused" || this.disowned.has(paymentId) || this.underForged.has(paymentId)) continue;
      const its = this.accepted.get(paymentId)?.find(({ terminalId }) => terminalId === terminal.terminalId);
      if (its?.isGuaranteed !== true) continue;
      this.#report({ promise: 6, says: `the server refuses what ${terminal.name} accepted by the rules: ${code}` });
    }
  }

  /** A cashier gives something back: answers by which reference it goes into the books. */
  givesBack({ terminalId, payeeId }: Payee, order: Omit<GivenBack, "payeeId"> & { readonly key: string }): string {
    const { paymentId, amountMinor, key } = order;
    const reference = refundReference(paymentId, `${terminalId}:${key}`);
    this.refunds.set(reference, { paymentId, amountMinor, payeeId });
    return reference;
  }

  sent(call: SentCall): void {
    if (this.calls.length === CALLS_KEPT) this.calls.shift();
    this.calls.push(call);
  }
}

/** What is kept of one: a name put together from two would have to be made and looked up letter by letter. */
function within<Name, Key, Value>(all: Map<Name, Map<Key, Value>>, name: Name): Map<Key, Value> {
  const known = all.get(name);
  if (known !== undefined) return known;
  const made = new Map<Key, Value>();
  all.set(name, made);
  return made;
}
