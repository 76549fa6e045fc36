import type { SettlementOutcome } from "@cairn/settle";
import type { IssuerStore } from "./port.ts";

/** What became of an inbox record: `rejected` when it could not become a payment, `noted` when it was none. */
export type RecordAnswer = {
  readonly inboxId: number;
  readonly state: SettlementOutcome["state"] | "rejected" | "noted";
  readonly code: string | undefined;
  /** Kept for rejected records alone: a payment's sentence follows from its state and code. */
  readonly sentence: string | undefined;
};

/**
 * What is written beside the records of a batch.
 * @param ownRecords Those that became a payment of their own, which says itself how it stands: nothing is written of them.
 */
export function recordAnswers(
  input: Pick<Parameters<IssuerStore["settle"]>[0], "records" | "items" | "rejected">,
  outcomes: readonly SettlementOutcome[],
  ownRecords: ReadonlySet<number>,
): readonly RecordAnswer[] {
  const answers = new Map<number, RecordAnswer>();
  for (const { inboxId } of input.records)
    if (!ownRecords.has(inboxId))
      answers.set(inboxId, { inboxId, state: "noted", code: undefined, sentence: undefined });
  const add = (answer: RecordAnswer): void => {
    if (answers.has(answer.inboxId)) answers.set(answer.inboxId, answer);
  };
  for (const { record, code, sentence } of input.rejected)
    add({ inboxId: record.inboxId, state: "rejected", code, sentence });
  for (const [index, { inboxId }] of input.items.entries()) {
    const outcome = outcomes[index];
    if (outcome === undefined || !answers.has(inboxId)) continue;
    const { state, code, sentence } = outcome;
    // Of a certificate that is not there no payment is kept, so the record itself has to say why.
    if (code === "CERTIFICATE_UNKNOWN") add({ inboxId, state: "rejected", code, sentence });
    else add({ inboxId, state, code, sentence: undefined });
  }
  return [...answers.values()];
}
