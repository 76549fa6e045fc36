import type { OutcomeAnswer, Receiver, Upload, UploadAnswer } from "@cairn/collect";
import { ClientError, fewerRecords, moreRecords } from "@cairn/issuer/client";
import type { MessageId, Refusal } from "@cairn/messages";

/** Most records of one call. */
const RECORDS_PER_CALL = 1_000;
/** Some 20 kB of answers: little enough for a line that breaks now and then. */
const IDS_PER_CALL = 100;
/** What a call looks like that was too much for the line. */
const LOST: ReadonlySet<string> = new Set(["ISSUER_UNREACHABLE", "ISSUER_TIMEOUT", "REQUEST_TIMEOUT"]);
/** Between two questions for outcomes: settling takes milliseconds, so the first answers come at once. */
const ASK_AGAIN_MS = 250;
/** After this long the rest is asked for at the next upload: nobody waits at a till for a review. */
const ASKING_MS = 8_000;

/** The calls of the issuer's server that this step needs. */
export type UploadCalls = {
  upload(records: readonly Uint8Array[]): Promise<UploadAnswer>;
  outcomes(paymentIds: readonly MessageId[]): Promise<{ readonly payments: readonly OutcomeAnswer[] }>;
};

export type BroughtHome = {
  readonly received: number;
  readonly refused: number;
  readonly listRefusals: readonly Refusal[];
};

export type BringHomeOptions = {
  readonly onProgress: (progress: { readonly step: "uploading" | "asking"; readonly received: number }) => void;
  readonly pause: (milliseconds: number) => Promise<void>;
  readonly nowMs: () => number;
};

/**
 * Uploads until nothing is left that the server has not acknowledged, takes fresh lists home (an empty upload does that
 * too), and asks what became of each payment. Every call may be repeated; a lost connection loses nothing, and after it
 * fewer records go at once. Browsers send no streams over HTTP/1.1, so it is one call after the other.
 * @throws whatever `calls` throws, once not even one record gets through; what was answered before is kept.
 */
export async function bringHome(
  terminal: Receiver,
  calls: UploadCalls,
  options: BringHomeOptions,
): Promise<BroughtHome> {
  let received = 0;
  let refused = 0;
  let listRefusals: readonly Refusal[] = [];
  let limit = RECORDS_PER_CALL;
  for (let isDone = false; !isDone; ) {
    const upload: Upload = await terminal.buildUpload({ limit });
    options.onProgress({ step: "uploading", received });
    const answer = await uploaded(upload.records, calls);
    limit = answer === undefined ? fewerRecords(upload.records.length) : moreRecords(limit);
    if (answer === undefined) continue;
    const applied = await terminal.applyUploadAnswer(upload, answer);
    received += applied.received;
    refused += applied.refused;
    listRefusals = applied.listRefusals;
    // A server that answers for none of the records would keep us here for ever.
    isDone = upload.items.length === 0 || applied.unanswered === upload.items.length;
  }
  options.onProgress({ step: "asking", received });
  await hearOutcomes(terminal, calls, options);
  return { received, refused, listRefusals };
}

/** Undefined: it was lost on the way, and fewer records at once may get through. */
async function uploaded(records: readonly Uint8Array[], calls: UploadCalls): Promise<UploadAnswer | undefined> {
  try {
    return await calls.upload(records);
  } catch (error) {
    if (!isLost(error) || records.length <= 1) throw error;
    // An issuer that is not there at all fails this as well.
    await twice(() => calls.upload([]));
    return undefined;
  }
}

const isLost = (error: unknown): boolean => error instanceof ClientError && LOST.has(error.code);

/** Once more over a new connection, for a call so small that only the old one can have been the reason. */
async function twice<Answer>(call: () => Promise<Answer>): Promise<Answer> {
  try {
    return await call();
  } catch (error) {
    if (isLost(error)) return call();
    throw error;
  }
}

/** What has its outcome is asked about no more, so that the others have their turn. */
async function hearOutcomes(terminal: Receiver, calls: UploadCalls, options: BringHomeOptions): Promise<void> {
  const until = options.nowMs() + ASKING_MS;
  for (;;) {
    const ids = await terminal.paymentsToAsk(IDS_PER_CALL);
    if (ids.length === 0) return;
    const { payments } = await twice(() => calls.outcomes(ids));
    await terminal.applyOutcomes(payments);
    const isStillOpen = payments.some(({ state }) => state === "received" || state === "unknown");
    const isAnyFinal = payments.some(({ state }) => state === "settled" || state === "refused");
    if (!(isStillOpen || isAnyFinal) || options.nowMs() > until) return;
    if (isStillOpen) await options.pause(ASK_AGAIN_MS);
  }
}
