import { type PayeeCertificate, type PaymentRequest, paymentRequest, restoreVerified } from "@cairn/messages";
import type { JournalFilter, Tally, TimeRange } from "./journal.ts";
import {
  type Acceptance,
  type AcceptanceState,
  isGuaranteed,
  type RefusedPayment,
  type RequestRecord,
  type Stored,
  stateOf,
} from "./model.ts";
import { refuseHeldStatusList, type TerminalContext } from "./setup.ts";

/** One line of what happened at this terminal. `at` in seconds since 1970. */
export type HistoryEntry =
  | {
      readonly kind: "payment";
      readonly at: number;
      readonly state: AcceptanceState;
      readonly guaranteed: boolean;
      readonly acceptance: Acceptance;
      /** Of the request; undefined for open payments and requests without one. */
      readonly orderReference: string | undefined;
    }
  | {
      /** A request that is not paid; paid ones are payments. */
      readonly kind: "request";
      readonly at: number;
      readonly state: "open" | "expired" | "voided";
      readonly requestId: RequestRecord["requestId"];
      readonly request: PaymentRequest;
    }
  | { readonly kind: "refused"; readonly at: number; readonly refused: RefusedPayment };

/** Newest first. Refused payments are those that are kept as evidence. @throws CollectError NOT_ENROLLED */
export async function history(context: TerminalContext, filter: JournalFilter): Promise<readonly HistoryEntry[]> {
  const { journal } = context;
  const { now } = await context.hold();
  const [accepted, requests, refused] = await Promise.all([
    journal.acceptances(filter),
    journal.requests(filter),
    journal.refusedPayments(filter),
  ]);
  const entries: HistoryEntry[] = refused.map((payment) => ({
    kind: "refused",
    at: payment.refusedAt,
    refused: payment,
  }));
  for (const acceptance of accepted) entries.push(await paymentEntry(context, acceptance));
  for (const record of requests) {
    if (record.paidBy === undefined) entries.push(requestEntry(context, record, now));
  }
  return entries.sort((left, right) => right.at - left.at).slice(0, filter.limit);
}

async function paymentEntry(context: TerminalContext, acceptance: Acceptance): Promise<HistoryEntry> {
  const record = acceptance.requestId && (await context.journal.request(acceptance.requestId));
  return {
    kind: "payment",
    at: acceptance.acceptedAt,
    state: stateOf(acceptance),
    guaranteed: isGuaranteed(acceptance),
    acceptance,
    orderReference: record ? requestOf(context, record).orderReference : undefined,
  };
}

function requestEntry(context: TerminalContext, record: RequestRecord, now: number): HistoryEntry {
  const request = requestOf(context, record);
  const unanswered = request.expiresAt < now ? "expired" : "open";
  const state = record.voidedAt === undefined ? unanswered : "voided";
  return { kind: "request", at: record.issuedAt, state, requestId: record.requestId, request };
}

function requestOf({ crypto }: TerminalContext, record: RequestRecord): PaymentRequest {
  return restoreVerified(paymentRequest, record.request, crypto).content;
}

export type Totals = {
  readonly currency: PayeeCertificate["terms"]["currency"];
  /** By state; states without a payment are left out. */
  readonly byState: readonly Tally[];
  readonly count: number;
  readonly totalMinor: bigint;
};

/** The end of the day, or of any other time: what was accepted from `from` until before `until`, by state. */
export async function totals(context: TerminalContext, range: TimeRange): Promise<Totals> {
  const { setup } = await context.hold();
  const byState = await context.journal.tally(range);
  return {
    currency: setup.payeeCertificate.content.terms.currency,
    byState,
    count: byState.reduce((count, tally) => count + tally.count, 0),
    totalMinor: byState.reduce((totalMinor, tally) => totalMinor + tally.totalMinor, 0n),
  };
}

/** How the terminal stands: who it collects for, what it may still store, how fresh its lists are. */
export type Standing = {
  readonly payee: PayeeCertificate;
  /** The terminal's time, seconds since 1970. */
  readonly now: number;
  readonly stored: Stored;
  /** What may still be accepted before an upload, minor units. */
  readonly storableMinor: bigint;
  readonly trustListExpiresAt: number;
  readonly statusListAgeSeconds: number;
  /** Sales are not guaranteed, and refused unless the policy takes the risk. */
  readonly isStatusListStale: boolean;
  readonly refused: { readonly kept: number; readonly notKept: number };
};

/** @throws CollectError NOT_ENROLLED */
export async function standing(context: TerminalContext): Promise<Standing> {
  const { setup, now } = await context.hold();
  const { journal } = context;
  const payee = setup.payeeCertificate.content;
  const list = setup.statusList.content;
  const [stored, refused] = await Promise.all([journal.stored(), journal.refusedCounts()]);
  const leftMinor = payee.terms.storedTotalCapMinor - stored.totalMinor;
  return {
    payee,
    now,
    stored,
    storableMinor: leftMinor > 0n ? leftMinor : 0n,
    trustListExpiresAt: setup.anchors.list.content.expiresAt,
    statusListAgeSeconds: now - list.issuedAt,
    isStatusListStale: refuseHeldStatusList(list, payee.terms, now) !== undefined,
    refused,
  };
}
