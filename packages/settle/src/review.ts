import { type CertificateId, chainHashOf, type MessageId } from "@cairn/messages";
import { Batch, type SettlementContext } from "./batch.ts";
import { outcomeSentence } from "./codes.ts";
import type { KnownPayment, SettlementItem, SettlementResult, SettlementState } from "./model.ts";

export type Review = {
  readonly certificateId: CertificateId;
  readonly paymentId: MessageId;
  /** `release`: the payee is paid what it claimed. `reject`: nobody is. */
  readonly decision: "release" | "reject";
};

/** A person's word on a held payment. What is not held (any more) stays as it is: the outcome says how it stands. */
export function decideReview(state: SettlementState, review: Review, context: SettlementContext): SettlementResult {
  const batch = new Batch(state, context);
  const sheet = batch.sheet(review.certificateId);
  const known = sheet?.paymentNamed(review.paymentId);
  if (sheet === undefined || known === undefined) return batch.result([]);
  const { claim } = known;
  if (known.state !== "held" || claim === undefined) return batch.result([outcomeOf(known, true)]);
  const isReleased = review.decision === "release";
  const paid = { payeeId: claim.payeeId, takenMinor: claim.claimedMinor };
  const posted = isReleased ? batch.post(known, paid, sheet) : undefined;
  const changed: KnownPayment =
    posted === undefined
      ? { ...known, state: "refused", code: "REJECTED_IN_REVIEW" }
      : { ...known, state: "settled", code: undefined, takenMinor: paid.takenMinor, funding: posted.funding };
  sheet.put(changed, { known, item: undefined, entry: posted?.entry });
  return batch.result([outcomeOf(changed, false)]);
}

/** Names the payment where a batch says what it touches. Brings no word of its own: `decideReview` reads none. */
export function reviewedItem({ certificateId, paymentId }: Review, at: number): SettlementItem {
  return {
    inboxId: 0,
    paymentId,
    kind: "payment",
    certificateId,
    sequence: 0,
    spentMinor: 0n,
    amountMinor: 0n,
    previous: chainHashOf(paymentId),
    requestHash: undefined,
    receivedAt: at,
    broughtBy: "payer",
    payeeWord: undefined,
    voided: false,
    refusal: undefined,
  };
}

function outcomeOf(payment: KnownPayment, repeated: boolean): SettlementResult["outcomes"][number] {
  const { paymentId, state, code, takenMinor, funding } = payment;
  return { paymentId, state, code, sentence: outcomeSentence(state, code), takenMinor, funding, repeated };
}
