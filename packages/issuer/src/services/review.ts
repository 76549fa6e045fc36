import { partitionOf } from "@cairn/issue";
import type { MessageId } from "@cairn/messages";
import { decideReview, type Review, reviewedItem } from "@cairn/settle";
import type { IssuerStore, StoredOutcome } from "@cairn/stores";
import { Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Clock } from "../clock.ts";
import type { PolicySource } from "../policy/policy-source.ts";
import { ServiceError } from "./service-error.ts";

const Kept = Type.Object({
  decision: Type.Union([Type.Literal("release"), Type.Literal("reject")]),
  reason: Type.String(),
  at: Type.Integer(),
});

export type ReviewContext = {
  readonly store: IssuerStore;
  readonly clock: Clock;
  readonly policies: PolicySource;
};

/**
 * A person's word on a held payment, with the reason, kept before anything follows from it. Final: the same again
 * completes what was cut off and changes nothing more.
 * @throws ServiceError PAYMENT_UNKNOWN, PAYMENT_NOT_HELD, REVIEW_DECIDED
 */
export async function reviewPayment(
  input: { readonly paymentId: MessageId; readonly decision: Review["decision"]; readonly reason: string },
  { store, clock, policies }: ReviewContext,
): Promise<StoredOutcome> {
  const { paymentId, decision, reason } = input;
  const before = await outcomeOf(paymentId, store);
  const { account, certificateId } = before;
  if (account === undefined || certificateId === undefined) throw new ServiceError("PAYMENT_NOT_HELD");
  const at = clock.nowSeconds();
  const partition = partitionOf(account);
  const record = { kind: "review", id: paymentId } as const;
  const kept = await store.move({ partition, records: [record] }, (view) => {
    const body = view.record(record);
    if (body !== undefined) return { result: Value.Parse(Kept, JSON.parse(body)).decision };
    if (before.state !== "held") return { result: undefined };
    return { result: decision, records: [{ ...record, body: JSON.stringify({ decision, reason, at }) }] };
  });
  if (kept === undefined) throw new ServiceError("PAYMENT_NOT_HELD");
  if (kept !== decision) throw new ServiceError("REVIEW_DECIDED");
  const review: Review = { certificateId, paymentId, decision };
  await store.settle({
    partition,
    records: [],
    items: [reviewedItem(review, at)],
    decide: (state) => decideReview(state, review, { now: at, policy: policies.at(at).policy }),
    rejected: [],
    at,
    withoutLease: true,
  });
  return outcomeOf(paymentId, store);
}

async function outcomeOf(paymentId: MessageId, store: IssuerStore): Promise<StoredOutcome> {
  const [outcome] = await store.outcomes([paymentId]);
  if (outcome === undefined) throw new ServiceError("PAYMENT_UNKNOWN");
  return outcome;
}
