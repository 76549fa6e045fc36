import type { OutcomeAnswer, Receiver, Upload, UploadAnswer } from "@cairn/collect";
import type { MessageId, Refusal } from "@cairn/messages";

/** Most records of one call. */
const RECORDS_PER_CALL = 1_000;
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
 * too), and asks what became of each payment. Every call may be repeated; a lost connection loses nothing.
 * @throws whatever `calls` throws; what was answered before is kept.
 */
export async function bringHome(
  terminal: Receiver,
  calls: UploadCalls,
  options: BringHomeOptions,
): Promise<BroughtHome> {
  let received = 0;
  let refused = 0;
  let listRefusals: readonly Refusal[] = [];
  for (let isDone = false; !isDone; ) {
    const upload: Upload = await terminal.buildUpload({ limit: RECORDS_PER_CALL });
    options.onProgress({ step: "uploading", received });
    const applied = await terminal.applyUploadAnswer(upload, await calls.upload(upload.records));
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

async function hearOutcomes(terminal: Receiver, calls: UploadCalls, options: BringHomeOptions): Promise<void> {
  const until = options.nowMs() + ASKING_MS;
  for (;;) {
    const ids = await terminal.paymentsToAsk(RECORDS_PER_CALL);
    if (ids.length === 0) return;
    const { payments } = await calls.outcomes(ids);
    await terminal.applyOutcomes(payments);
    const isStillOpen = payments.some(({ state }) => state === "received" || state === "unknown");
    if (!isStillOpen || options.nowMs() > until) return;
    await options.pause(ASK_AGAIN_MS);
  }
}
