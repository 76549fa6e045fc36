import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import type { Currency, MessageId, PayeeId } from "@cairn/messages";
import { type Funding, refundEntry, refundOutReference, refundShares } from "@cairn/settle";
import { type IssuerStore, type MovementDecision, type MovementView, partitionOfId } from "@cairn/stores";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Clock } from "../clock.ts";
import { sweepAll } from "./payouts/sweep.ts";
import { ServiceError } from "./service-error.ts";

const Refunds = Type.Array(
  Type.Object({
    key: Type.String(),
    amountMinor: Type.String({ pattern: "^[1-9][0-9]{0,15}$" }),
    /** `waiting`: its room is taken, the payee's money is not there yet. */
    state: Type.Union([Type.Literal("waiting"), Type.Literal("posted")]),
    at: Type.Integer(),
  }),
);
type Refunds = Static<typeof Refunds>;

export type RefundOrder = {
  readonly paymentId: MessageId;
  readonly amountMinor: bigint;
  readonly idempotencyKey: string;
};
type RefundContext = { readonly store: IssuerStore; readonly clock: Clock };
type Refunded = { readonly repeated: boolean };

/** A settled payment with all that a refund of it must know. */
type Settled = {
  readonly account: AccountNumber;
  readonly partition: Partition;
  readonly payeeId: PayeeId;
  readonly currency: Currency;
  readonly takenMinor: bigint;
  readonly funding: Funding;
};

/**
 * Gives a settled payment back, in full or in part, never more in sum than was taken, at the payee's expense: of what
 * waits in clearing beside the payer, or else of the payee's own account. When that is empty the refund keeps its room
 * and waits: the same call later completes it.
 * @throws ServiceError PAYMENT_UNKNOWN, PAYMENT_NOT_SETTLED, REFUND_EXCEEDS_PAYMENT, PAYEE_FUNDS_INSUFFICIENT,
 *   IDEMPOTENCY_KEY_REUSED
 */
export async function refund(order: RefundOrder, context: RefundContext): Promise<Refunded> {
  const payment = await settledPayment(order.paymentId, context);
  const first = await refundHere(order, payment, context);
  if (first === "posted" || first === "repeated") return { repeated: first === "repeated" };
  if (first !== "waiting") throw new ServiceError(first);
  const home = partitionOfId(payment.payeeId);
  if (!(await sendFromHome(order, payment, context))) {
    await sweepAll(context);
    if (!(await sendFromHome(order, payment, context))) throw new ServiceError("PAYEE_FUNDS_INSUFFICIENT");
  }
  await complete(order, payment, { kind: "transit", from: home, to: payment.partition }, context);
  return { repeated: false };
}

/** What was taken, what of it was given back, and what is promised and waits for the payee's money. Minor units. */
export type RefundStanding = {
  readonly takenMinor: bigint;
  readonly refundedMinor: bigint;
  readonly waitingMinor: bigint;
};

/** @throws ServiceError PAYMENT_UNKNOWN, PAYMENT_NOT_SETTLED */
export async function refundStanding(paymentId: MessageId, context: RefundContext): Promise<RefundStanding> {
  const { partition, takenMinor } = await settledPayment(paymentId, context);
  const record = { kind: "refunds", id: paymentId } as const;
  const refunds = await context.store.move({ partition, records: [record] }, (view) => ({
    result: readRefunds(view.record(record)),
  }));
  const sumIn = (state: "posted" | "waiting"): bigint => sumOf(refunds.filter((each) => each.state === state));
  return { takenMinor, refundedMinor: sumIn("posted"), waitingMinor: sumIn("waiting") };
}

async function settledPayment(paymentId: MessageId, { store }: RefundContext): Promise<Settled> {
  const [outcome] = await store.outcomes([paymentId]);
  if (outcome === undefined) throw new ServiceError("PAYMENT_UNKNOWN");
  const { state, account, payeeId, currency, funding, takenMinor } = outcome;
  if (
    state !== "settled" ||
    account === undefined ||
    payeeId === undefined ||
    currency === undefined ||
    funding === undefined
  )
    throw new ServiceError("PAYMENT_NOT_SETTLED");
  return { account, partition: partitionOf(account), payeeId, currency, takenMinor, funding };
}

type HereAnswer = "posted" | "repeated" | "waiting" | "IDEMPOTENCY_KEY_REUSED" | "REFUND_EXCEEDS_PAYMENT";

/** In the payer's partition: posts at once when the payee's clearing there suffices, otherwise takes its room. */
function refundHere(order: RefundOrder, payment: Settled, { store, clock }: RefundContext): Promise<HereAnswer> {
  const { amountMinor, idempotencyKey: key } = order;
  const { partition, payeeId, currency, takenMinor } = payment;
  const clearing = { kind: "clearing", payeeId } as const;
  const record = recordOf(order);
  const input = { partition, accounts: [payment.account], balances: [clearing], records: [record] };
  return store.move<HereAnswer>(input, (view) => {
    const refunds = readRefunds(view.record(record));
    const earlier = refunds.find((each) => each.key === key);
    if (earlier !== undefined && BigInt(earlier.amountMinor) !== amountMinor)
      return { result: "IDEMPOTENCY_KEY_REUSED" };
    // What waits may have left home already: it is completed from there.
    if (earlier !== undefined) return { result: earlier.state === "posted" ? "repeated" : "waiting" };
    if (sumOf(refunds) + amountMinor > takenMinor) return { result: "REFUND_EXCEEDS_PAYMENT" };
    const at = clock.nowSeconds();
    if (-view.balance(clearing, currency) >= amountMinor)
      return { ...posting({ order, payment, view, refunds, from: clearing, at }), result: "posted" };
    const waiting = [...refunds, { key, amountMinor: amountMinor.toString(), state: "waiting", at }];
    return { result: "waiting", records: [{ ...record, body: JSON.stringify(waiting) }] };
  });
}

/** Takes the refund out of the payee's own account, once. False: there is not enough in it. */
function sendFromHome(order: RefundOrder, payment: Settled, { store, clock }: RefundContext): Promise<boolean> {
  const { payeeId, currency, partition: to } = payment;
  const home = partitionOfId(payeeId);
  const own = { kind: "payee", payeeId } as const;
  const reference = refundOutReference(order.paymentId, order.idempotencyKey);
  return store.move({ partition: home, balances: [own], references: [reference] }, (view) => {
    if (view.entry(reference) !== undefined) return { result: true };
    if (-view.balance(own, currency) < order.amountMinor) return { result: false };
    const postings = [
      { ledgerAccount: own, minor: order.amountMinor },
      { ledgerAccount: { kind: "transit", from: home, to } as const, minor: -order.amountMinor },
    ];
    const postedAt = clock.nowSeconds();
    return { result: true, entries: [{ kind: "refund-out", reference, currency, postings, postedAt }] };
  });
}

function complete(
  order: RefundOrder,
  payment: Settled,
  from: { readonly kind: "transit"; readonly from: number; readonly to: number },
  { store, clock }: RefundContext,
): Promise<void> {
  const record = recordOf(order);
  const input = { partition: payment.partition, accounts: [payment.account], records: [record] };
  return store.move(input, (view) => {
    const refunds = readRefunds(view.record(record));
    const isPosted = refunds.some((each) => each.key === order.idempotencyKey && each.state === "posted");
    if (isPosted) return { result: undefined };
    return { ...posting({ order, payment, view, refunds, from, at: clock.nowSeconds() }), result: undefined };
  });
}

function posting(input: {
  readonly order: RefundOrder;
  readonly payment: Settled;
  readonly view: MovementView;
  readonly refunds: Refunds;
  readonly from: Parameters<typeof refundEntry>[0]["from"];
  readonly at: number;
}): Omit<MovementDecision<unknown>, "result"> {
  const { order, payment, view, refunds, from, at } = input;
  const { paymentId, amountMinor, idempotencyKey } = order;
  const { account, currency, funding } = payment;
  const creditUsedMinor = view.account(account).record.credit.usedMinor;
  const refundedMinor = sumOf(refunds.filter(({ state }) => state === "posted"));
  const shares = refundShares({ funding, refundedMinor, amountMinor, creditUsedMinor });
  const posted = { key: idempotencyKey, amountMinor: amountMinor.toString(), state: "posted", at };
  const others = refunds.filter(({ key }) => key !== idempotencyKey);
  return {
    entries: [refundEntry({ paymentId, idempotencyKey, account, currency, from, shares, at })],
    records: [{ ...recordOf(order), body: JSON.stringify([...others, posted]) }],
    repaid: { account, minor: shares.creditMinor },
  };
}

const recordOf = ({ paymentId }: RefundOrder) => ({ kind: "refunds", id: paymentId }) as const;
const readRefunds = (body: string | undefined): Refunds =>
  body === undefined ? [] : Value.Parse(Refunds, JSON.parse(body));
const sumOf = (refunds: Refunds): bigint => refunds.reduce((sum, { amountMinor }) => sum + BigInt(amountMinor), 0n);
