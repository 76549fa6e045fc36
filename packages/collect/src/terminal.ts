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
import { terminalContext } from "./setup.ts";
import { buildUpload, type Upload, type UploadOptions } from "./upload.ts";
import { voidRequest } from "./void-request.ts";

/** A payee's terminal. Each method is described where its step lives. All but `enrol` throw CollectError NOT_ENROLLED before it. */
export type Terminal = {
  enrol(enrolment: Enrolment): Promise<EnrolmentOutcome>;
  join(offered: GuestEnrolment): Promise<JoinOutcome>;
  issuers(): Promise<readonly AcceptedIssuer[]>;
  charge(input: ChargeInput): Promise<ChargeOutcome>;
  requestCode(requestId: MessageId): Promise<string | undefined>;
  accept(codeText: string): Promise<AcceptanceOutcome>;
  acceptOpen(codeText: string, options?: { readonly captureMinor?: bigint }): Promise<AcceptanceOutcome>;
  capture(paymentId: MessageId, amountMinor: bigint): Promise<CaptureOutcome>;
  receiptCode(paymentId: MessageId): Promise<string>;
  voidRequest(requestId: MessageId): Promise<VoidOutcome>;
  buildUpload(options: UploadOptions): Promise<Upload>;
  exportRecords(): Promise<readonly Uint8Array[]>;
  applyUploadAnswer(upload: Upload, answer: UploadAnswer): Promise<AppliedUpload>;
  applyReceipts(upload: Upload, records: readonly RecordAnswer[]): Promise<AppliedReceipts>;
  applyLists(lists: OfferedLists): Promise<readonly Refusal[]>;
  paymentsToAsk(limit: number, guestIssuerId?: IssuerId): Promise<readonly MessageId[]>;
  applyOutcomes(outcomes: readonly OutcomeAnswer[]): Promise<void>;
  history(filter: JournalFilter): Promise<readonly HistoryEntry[]>;
  totals(range: TimeRange): Promise<Totals>;
  standing(): Promise<Standing>;
};

/** Puts a terminal together from its ports. It holds nothing that is not in the journal; several may share one. */
export function openTerminal(ports: TerminalPorts): Terminal {
  const context = terminalContext(ports);
  return {
    enrol: (enrolment) => enrol(context, enrolment),
    join: (offered) => joinIssuer(context, offered),
    issuers: () => acceptedIssuers(context),
    charge: (input) => charge(context, input),
    requestCode: (requestId) => requestCode(context, requestId),
    accept: (codeText) => accept(context, codeText),
    acceptOpen: (codeText, options) => acceptOpen(context, codeText, options),
    capture: (paymentId, amountMinor) => capture(context, paymentId, amountMinor),
    receiptCode: (paymentId) => receiptCode(context, paymentId),
    voidRequest: (requestId) => voidRequest(context, requestId),
    buildUpload: (options) => buildUpload(context, options),
    exportRecords: () => exportRecords(context),
    applyUploadAnswer: (upload, answer) => applyUploadAnswer(context, upload, answer),
    applyReceipts: (upload, records) => applyReceipts(context, upload, records),
    applyLists: (lists) => applyLists(context, lists),
    paymentsToAsk: (limit, guestIssuerId) => paymentsToAsk(context, limit, guestIssuerId),
    applyOutcomes: (outcomes) => applyOutcomes(context, outcomes),
    history: (filter) => history(context, filter),
    totals: (range) => totals(context, range),
    standing: () => standing(context),
  };
}
