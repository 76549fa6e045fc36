import type { AccountNumber } from "@cairn/issue";
import type { CertificateId, Currency, MessageId, PayeeId, TerminalId } from "@cairn/messages";
import { type KnownPayment, outcomeSentence, type SideClaim } from "@cairn/settle";
import type { OutcomeViewer, StoredOutcome } from "./port.ts";

/** A stored payment with all that an outcome says of it. */
export type PaymentFacts = {
  readonly certificateId: CertificateId;
  readonly account: AccountNumber;
  readonly currency: Currency;
  readonly payment: Omit<KnownPayment, "sideClaims">;
  readonly decidedAt: number;
  readonly sideClaims: readonly StoredSideClaim[];
};
export type StoredSideClaim = SideClaim & { readonly decidedAt: number };

/** An inbox record about a payment: whose it is, and what became of it. */
export type InboxFacts = {
  readonly paymentId: MessageId;
  readonly account: AccountNumber | undefined;
  readonly payeeId: PayeeId | undefined;
  readonly terminalId: TerminalId | undefined;
  readonly receivedAt: number;
  readonly decidedAt: number | undefined;
  /** Why it was rejected. */
  readonly rejection: { readonly code: string; readonly sentence: string } | undefined;
};

const RECEIVED_SENTENCE = "Received. It will be looked at soon.";

/** What this viewer is told of a payment: of what is settled or held first, then of what lies in the inbox. */
export function outcomeSeenBy(
  viewer: OutcomeViewer | undefined,
  facts: PaymentFacts | undefined,
  inbox: readonly InboxFacts[],
): StoredOutcome | undefined {
  const decided = facts === undefined ? undefined : decidedOutcome(viewer, facts);
  return decided ?? inboxOutcome(viewer, inbox);
}

function decidedOutcome(viewer: OutcomeViewer | undefined, facts: PaymentFacts): StoredOutcome | undefined {
  if (viewer === undefined) return mainOutcome(facts);
  if ("account" in viewer) return facts.account === viewer.account ? mainOutcome(facts) : undefined;
  const { claim } = facts.payment;
  const { sideClaims } = facts;
  if (claim?.terminalId === viewer.terminalId) return mainOutcome(facts);
  const ofTerminal = sideClaims.find((sideClaim) => sideClaim.terminalId === viewer.terminalId);
  if (ofTerminal !== undefined) return sideOutcome(facts, ofTerminal);
  if (claim?.payeeId === viewer.payeeId) return mainOutcome(facts);
  const ofPayee = sideClaims.find((sideClaim) => sideClaim.payeeId === viewer.payeeId);
  return ofPayee === undefined ? undefined : sideOutcome(facts, ofPayee);
}

export function mainOutcome({ certificateId, account, currency, payment, decidedAt }: PaymentFacts): StoredOutcome {
  const { paymentId, state, code, claim, amountMinor, takenMinor, funding } = payment;
  return {
    paymentId,
    certificateId,
    account,
    payeeId: claim?.payeeId,
    terminalId: claim?.terminalId,
    state,
    code,
    sentence: outcomeSentence(state, code),
    amountMinor,
    takenMinor,
    currency,
    funding,
    decidedAt,
  };
}

export function sideOutcome(facts: PaymentFacts, sideClaim: StoredSideClaim): StoredOutcome {
  const { payeeId, terminalId, state, code, decidedAt } = sideClaim;
  const sentence = outcomeSentence(state, code);
  const paid = { takenMinor: 0n, funding: undefined };
  return { ...mainOutcome(facts), ...paid, payeeId, terminalId, state, code, sentence, decidedAt };
}

function inboxOutcome(viewer: OutcomeViewer | undefined, inbox: readonly InboxFacts[]): StoredOutcome | undefined {
  const seen = inbox.filter((record) => mayBeSeen(viewer, record));
  const waiting = seen.find((record) => record.decidedAt === undefined);
  if (waiting !== undefined)
    return fromInbox(waiting, { state: "received", code: undefined, sentence: RECEIVED_SENTENCE });
  // To everybody else a rejected record says nothing about the payment that it names.
  const rejected = viewer === undefined ? undefined : seen.find((record) => record.rejection !== undefined);
  return rejected?.rejection === undefined
    ? undefined
    : fromInbox(rejected, { state: "refused", ...rejected.rejection });
}

function mayBeSeen(viewer: OutcomeViewer | undefined, record: InboxFacts): boolean {
  if (viewer === undefined) return true;
  return "account" in viewer ? record.account === viewer.account : record.payeeId === viewer.payeeId;
}

function fromInbox(
  { paymentId, account, payeeId, terminalId, receivedAt, decidedAt }: InboxFacts,
  answer: Pick<StoredOutcome, "state" | "code" | "sentence">,
): StoredOutcome {
  return {
    paymentId,
    certificateId: undefined,
    account,
    payeeId,
    terminalId,
    ...answer,
    amountMinor: 0n,
    takenMinor: 0n,
    currency: undefined,
    funding: undefined,
    decidedAt: decidedAt ?? receivedAt,
  };
}
