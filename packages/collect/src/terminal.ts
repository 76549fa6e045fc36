import type { IssuerId, MessageId, Refusal } from "@cairn/messages";
import { accept, acceptOpen } from "./accept.ts";
import {
  type AppliedReceipts,
  type AppliedUpload,
  applyOutcomes,
  applyReceipts,
  applyUploadAnswer,
  type OutcomeAnswer,
  paymentsToAsk,
  type RecordAnswer,
  type UploadAnswer,
} from "./apply-answers.ts";
import { applyLists } from "./apply-lists.ts";
import { capture, receiptCode } from "./capture.ts";
import { type ChargeInput, charge, requestCode } from "./charge.ts";
import { type Enrolment, type EnrolmentOutcome, enrol } from "./enrol.ts";
import { exportRecords } from "./export-records.ts";
import { type HistoryEntry, history, type Standing, standing, type Totals, totals } from "./history.ts";
import { type AcceptedIssuer, acceptedIssuers } from "./issuers.ts";
import { type GuestEnrolment, type JoinOutcome, joinIssuer } from "./join.ts";
import type { JournalFilter, TimeRange } from "./journal.ts";
import type { OfferedLists } from "./judge-lists.ts";
import type { AcceptanceOutcome, CaptureOutcome, ChargeOutcome, VoidOutcome } from "./outcomes.ts";
import type { TerminalPorts } from "./ports.ts";
import { type TerminalContext, terminalContext } from "./setup.ts";
import { buildUpload, type Upload, type UploadOptions } from "./upload.ts";
import { voidRequest } from "./void-request.ts";

/**
 * What a person needs to be paid by another: requests and the payments that answer them. A wallet that receives is one of
 * these and no more, so that it does not carry gates, other issuers and reports.
 */
export type Receiver = {
  enrol(enrolment: Enrolment): Promise<EnrolmentOutcome>;
  charge(input: ChargeInput): Promise<ChargeOutcome>;
  requestCode(requestId: MessageId): Promise<string | undefined>;
  accept(codeText: string): Promise<AcceptanceOutcome>;
  receiptCode(paymentId: MessageId): Promise<string>;
  voidRequest(requestId: MessageId): Promise<VoidOutcome>;
  buildUpload(options: UploadOptions): Promise<Upload>;
  applyUploadAnswer(upload: Upload, answer: UploadAnswer): Promise<AppliedUpload>;
  paymentsToAsk(limit: number, guestIssuerId?: IssuerId): Promise<readonly MessageId[]>;
  applyOutcomes(outcomes: readonly OutcomeAnswer[]): Promise<void>;
  history(filter: JournalFilter): Promise<readonly HistoryEntry[]>;
  standing(): Promise<Standing>;
};

/** A payee's terminal. Each method is described where its step lives. All but `enrol` throw CollectError NOT_ENROLLED before it. */
export type Terminal = Receiver & {
  join(offered: GuestEnrolment): Promise<JoinOutcome>;
  issuers(): Promise<readonly AcceptedIssuer[]>;
  acceptOpen(codeText: string, options?: { readonly captureMinor?: bigint }): Promise<AcceptanceOutcome>;
  capture(paymentId: MessageId, amountMinor: bigint): Promise<CaptureOutcome>;
  exportRecords(): Promise<readonly Uint8Array[]>;
  applyLists(lists: OfferedLists): Promise<readonly Refusal[]>;
  applyReceipts(upload: Upload, records: readonly RecordAnswer[]): Promise<AppliedReceipts>;
  totals(range: TimeRange): Promise<Totals>;
};

/** Puts a receiver together from its ports. It holds nothing that is not in the journal; several may share one. */
export function openReceiver(ports: TerminalPorts): Receiver {
  return receiverOf(terminalContext(ports));
}

/** As `openReceiver`, with all that a terminal can do. */
export function openTerminal(ports: TerminalPorts): Terminal {
  const context = terminalContext(ports);
  return {
    ...receiverOf(context),
    join: (offered) => joinIssuer(context, offered),
    issuers: () => acceptedIssuers(context),
    acceptOpen: (codeText, options) => acceptOpen(context, codeText, options),
    capture: (paymentId, amountMinor) => capture(context, paymentId, amountMinor),
    exportRecords: () => exportRecords(context),
    applyLists: (lists) => applyLists(context, lists),
    applyReceipts: (upload, records) => applyReceipts(context, upload, records),
    totals: (range) => totals(context, range),
  };
}

function receiverOf(context: TerminalContext): Receiver {
  return {
    enrol: (enrolment) => enrol(context, enrolment),
    charge: (input) => charge(context, input),
    requestCode: (requestId) => requestCode(context, requestId),
    accept: (codeText) => accept(context, codeText),
    receiptCode: (paymentId) => receiptCode(context, paymentId),
    voidRequest: (requestId) => voidRequest(context, requestId),
    buildUpload: (options) => buildUpload(context, options),
    applyUploadAnswer: (upload, answer) => applyUploadAnswer(context, upload, answer),
    paymentsToAsk: (limit, guestIssuerId) => paymentsToAsk(context, limit, guestIssuerId),
    applyOutcomes: (outcomes) => applyOutcomes(context, outcomes),
    history: (filter) => history(context, filter),
    standing: () => standing(context),
  };
}
