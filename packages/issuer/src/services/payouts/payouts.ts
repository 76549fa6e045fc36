import type { Currency, PayeeId } from "@cairn/messages";
import { feeOf, payoutEntries, payoutOutcomeEntry } from "@cairn/settle";
import { partitionOfId } from "@cairn/stores";
import { ServiceError } from "../service-error.ts";
import { isIban } from "./iban.ts";
import { type PayeeTerms, type Payout, type PayoutBatch, readBatch, readPayout, readTerms } from "./records.ts";
import { type SweepContext, sweepAll } from "./sweep.ts";

/** @throws ServiceError PAYEE_UNKNOWN, IBAN_INVALID */
export async function setPayeeTerms(terms: PayeeTerms, { store }: SweepContext): Promise<void> {
  if ((await store.payee(terms.payeeId)) === undefined) throw new ServiceError("PAYEE_UNKNOWN");
  if (!isIban(terms.iban)) throw new ServiceError("IBAN_INVALID");
  const record = { kind: "payee-terms", id: terms.payeeId } as const;
  await store.move({ partition: partitionOfId(terms.payeeId) }, () => ({
    result: undefined,
    records: [{ ...record, body: JSON.stringify(terms) }],
  }));
}

/**
 * Sweeps, then orders one payout for every payee with terms and money in this currency. The same batch id again goes on
 * where it was cut off, and changes nothing once it is done.
 * @throws ServiceError NOTHING_TO_PAY; IDEMPOTENCY_KEY_REUSED for a batch of another currency.
 */
export async function createBatch(
  { batchId, currency }: { readonly batchId: string; readonly currency: Currency },
  context: SweepContext,
): Promise<PayoutView> {
  const { store, clock } = context;
  await sweepAll(context);
  const withTerms = new Set((await store.operationRecords("payee-terms")).map(({ id }) => id));
  const payees = (await store.ledgerBalances("payee")).flatMap((kept) =>
    kept.ledgerAccount.kind === "payee" && kept.currency === currency && withTerms.has(kept.ledgerAccount.payeeId)
      ? [kept.ledgerAccount.payeeId]
      : [],
  );
  const record = { kind: "payout-batch", id: batchId } as const;
  const batch = await store.move({ partition: partitionOfId(batchId), records: [record] }, (view) => {
    const written = view.record(record);
    if (written !== undefined) return { result: readBatch(written) };
    if (payees.length === 0) return { result: undefined };
    const created: PayoutBatch = {
      batchId,
      currency,
      createdAt: clock.nowSeconds(),
      exportedAt: null,
      payees: payees.toSorted(),
    };
    return { result: created, records: [{ ...record, body: JSON.stringify(created) }] };
  });
  if (batch === undefined) throw new ServiceError("NOTHING_TO_PAY");
  if (batch.currency !== currency) throw new ServiceError("IDEMPOTENCY_KEY_REUSED");
  for (const payeeId of batch.payees) await order(payeeId, batch, context);
  return batchView(batchId, context);
}

function order(payeeId: PayeeId, { batchId, currency }: PayoutBatch, { store, clock }: SweepContext): Promise<void> {
  const payout = { kind: "payout", id: `${batchId}:${payeeId}` } as const;
  const termsRecord = { kind: "payee-terms", id: payeeId } as const;
  const account = { kind: "payee", payeeId } as const;
  const input = { partition: partitionOfId(payeeId), balances: [account], records: [payout, termsRecord] };
  return store.move(input, (view) => {
    const written = view.record(termsRecord);
    const grossMinor = -view.balance(account, currency);
    if (view.record(payout) !== undefined || written === undefined || grossMinor <= 0n) return { result: undefined };
    const terms = readTerms(written);
    const feeMinor = feeOf(grossMinor, {
      basisPoints: terms.feeBasisPoints,
      fixedMinor: BigInt(terms.feeFixedMinor),
      minimumMinor: BigInt(terms.feeMinimumMinor),
      maximumMinor: terms.feeMaximumMinor === null ? undefined : BigInt(terms.feeMaximumMinor),
    });
    const netMinor = grossMinor - feeMinor;
    // What the fee would eat up whole waits for more.
    if (netMinor === 0n) return { result: undefined };
    const ordered: Payout = {
      batchId,
      payeeId,
      currency,
      holder: terms.holder,
      iban: terms.iban,
      grossMinor: grossMinor.toString(),
      feeMinor: feeMinor.toString(),
      netMinor: netMinor.toString(),
      state: "ordered",
      reason: null,
      decidedAt: null,
    };
    return {
      result: undefined,
      entries: payoutEntries({ batchId, payeeId, currency, netMinor, feeMinor, at: clock.nowSeconds() }),
      records: [{ ...payout, body: JSON.stringify(ordered) }],
    };
  });
}

export type PayoutView = { readonly batch: PayoutBatch; readonly payouts: readonly Payout[] };

/** @throws ServiceError PAYOUT_BATCH_UNKNOWN */
export async function batchView(batchId: string, { store }: SweepContext): Promise<PayoutView> {
  const record = { kind: "payout-batch", id: batchId } as const;
  const body = await store.move({ partition: partitionOfId(batchId), records: [record] }, (view) => ({
    result: view.record(record),
  }));
  if (body === undefined) throw new ServiceError("PAYOUT_BATCH_UNKNOWN");
  const batch = readBatch(body);
  const payouts = await Promise.all(
    batch.payees.map((payeeId) => {
      const payout = { kind: "payout", id: `${batchId}:${payeeId}` } as const;
      const input = { partition: partitionOfId(payeeId), records: [payout] };
      return store.move(input, (view) => ({ result: view.record(payout) }));
    }),
  );
  return { batch, payouts: payouts.flatMap((each) => (each === undefined ? [] : [readPayout(each)])) };
}

/** Marks the batch as handed to the bank; the first time counts. */
export async function markExported(batchId: string, context: SweepContext): Promise<PayoutView> {
  const record = { kind: "payout-batch", id: batchId } as const;
  await context.store.move({ partition: partitionOfId(batchId), records: [record] }, (view) => {
    const body = view.record(record);
    const batch = body === undefined ? undefined : readBatch(body);
    if (batch === undefined || batch.exportedAt !== null) return { result: undefined };
    const exported: PayoutBatch = { ...batch, exportedAt: context.clock.nowSeconds() };
    return { result: undefined, records: [{ ...record, body: JSON.stringify(exported) }] };
  });
  return batchView(batchId, context);
}

/**
 * The bank's word on one payout, final. The same again changes nothing.
 * @throws ServiceError PAYOUT_BATCH_UNKNOWN, PAYOUT_UNKNOWN, PAYOUT_NOT_EXPORTED, PAYOUT_DECIDED
 */
export async function decidePayout(
  input: {
    readonly batchId: string;
    readonly payeeId: PayeeId;
    readonly state: "paid" | "returned";
    readonly reason: string | null;
  },
  context: SweepContext,
): Promise<Payout> {
  const { batchId, payeeId, state, reason } = input;
  const { batch } = await batchView(batchId, context);
  if (batch.exportedAt === null) throw new ServiceError("PAYOUT_NOT_EXPORTED");
  const record = { kind: "payout", id: `${batchId}:${payeeId}` } as const;
  const decided = await context.store.move({ partition: partitionOfId(payeeId), records: [record] }, (view) => {
    const body = view.record(record);
    if (body === undefined) return { result: undefined };
    const payout = readPayout(body);
    if (payout.state !== "ordered") return { result: payout };
    const at = context.clock.nowSeconds();
    const { currency } = payout;
    const minors = { netMinor: BigInt(payout.netMinor), feeMinor: BigInt(payout.feeMinor) };
    const changed: Payout = { ...payout, state, reason, decidedAt: at };
    return {
      result: changed,
      entries: [payoutOutcomeEntry({ batchId, payeeId, currency, ...minors, state, at })],
      records: [{ ...record, body: JSON.stringify(changed) }],
    };
  });
  if (decided === undefined) throw new ServiceError("PAYOUT_UNKNOWN");
  if (decided.state !== state) throw new ServiceError("PAYOUT_DECIDED");
  return decided;
}
