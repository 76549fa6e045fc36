import type { IssuerId, MessageId, Refusal } from "@cairn/messages";
import { applyGuestLists, applyLists } from "./apply-lists.ts";
import type { OfferedLists } from "./judge-lists.ts";
import { mergeAnswer } from "./merge-answer.ts";
import type { PaymentAnswer } from "./model.ts";
import type { TerminalContext } from "./setup.ts";
import type { Upload } from "./upload.ts";

/** What the server says of one record of an upload. */
export type RecordAnswer = {
  readonly index: number;
  readonly paymentId: MessageId | null;
  readonly state: "received" | "refused";
  readonly code: string | null;
  readonly sentence: string | null;
};
export type UploadAnswer = OfferedLists & { readonly records: readonly RecordAnswer[] };

/** What the server says of one payment. */
export type OutcomeAnswer = {
  readonly paymentId: MessageId;
  readonly state: PaymentAnswer["state"] | "unknown";
  readonly code: string | null;
  readonly sentence: string;
  readonly takenMinor: bigint;
};

export type AppliedReceipts = {
  readonly received: number;
  readonly refused: number;
  /** Records of the upload that the answer does not speak of, or not of the same payment: they stay to be uploaded. */
  readonly unanswered: number;
};
export type AppliedUpload = AppliedReceipts & {
  /** Lists or a payee certificate that were not taken. */
  readonly listRefusals: readonly Refusal[];
};

/**
 * Stores the answer to an upload: first what it says of the records, then the lists and the renewed payee certificate.
 * Applying it twice, or never, is harmless.
 * @throws CollectError NOT_ENROLLED, SETUP_CONTENDED.
 */
export async function applyUploadAnswer(
  context: TerminalContext,
  upload: Upload,
  answer: UploadAnswer,
): Promise<AppliedUpload> {
  const receipts = await applyReceipts(context, upload, answer.records);
  const { guestIssuerId } = upload;
  const listRefusals = await (guestIssuerId === undefined
    ? applyLists(context, answer)
    : applyGuestLists(context, guestIssuerId, answer));
  return { ...receipts, listRefusals };
}

/**
 * Stores what the server says of the records of an upload alone, as it does portion by portion of a long one.
 * Applying it twice, or never, is harmless.
 * @throws CollectError NOT_ENROLLED.
 */
export async function applyReceipts(
  context: TerminalContext,
  upload: Upload,
  records: readonly RecordAnswer[],
): Promise<AppliedReceipts> {
  const { now } = await context.hold();
  const payments: { paymentId: MessageId; answer: PaymentAnswer }[] = [];
  const voids: MessageId[] = [];
  const answered = new Set<number>();
  let refused = 0;
  for (const record of records) {
    const item = upload.items[record.index];
    if (item === undefined || answered.has(record.index)) continue;
    if (item.kind === "payment") {
      if (record.paymentId !== null && record.paymentId !== item.paymentId) continue;
      payments.push({ paymentId: item.paymentId, answer: answerOf({ ...record, takenMinor: 0n }, now) });
    } else {
      voids.push(item.requestId);
    }
    answered.add(record.index);
    if (record.state === "refused") refused++;
  }
  await context.journal.recordAnswers(payments, mergeAnswer);
  await context.journal.recordVoidAnswers(voids, now, upload.guestIssuerId);
  return { received: answered.size - refused, refused, unanswered: upload.items.length - answered.size };
}

/** Ids to ask the server about: acknowledged payments that are not settled or refused yet, longest unasked first. */
export function paymentsToAsk(
  context: TerminalContext,
  limit: number,
  guestIssuerId?: IssuerId,
): Promise<readonly MessageId[]> {
  return context.journal.toAsk(limit, guestIssuerId);
}

/** Stores what became of payments. A payment that the server does not know any more is uploaded again. */
export async function applyOutcomes(context: TerminalContext, outcomes: readonly OutcomeAnswer[]): Promise<void> {
  const { now } = await context.hold();
  await context.journal.recordAnswers(
    outcomes.map((outcome) => ({ paymentId: outcome.paymentId, answer: answerOf(outcome, now) })),
    mergeAnswer,
  );
}

type Answered = Pick<OutcomeAnswer, "state" | "code" | "takenMinor"> & { readonly sentence: string | null };

function answerOf(answered: Answered & { readonly state: PaymentAnswer["state"] }, answeredAt: number): PaymentAnswer;
function answerOf(answered: Answered, answeredAt: number): PaymentAnswer | undefined;
function answerOf({ state, code, sentence, takenMinor }: Answered, answeredAt: number): PaymentAnswer | undefined {
  if (state === "unknown") return undefined;
  return { state, code: code ?? undefined, sentence: sentence ?? undefined, takenMinor, answeredAt };
}
