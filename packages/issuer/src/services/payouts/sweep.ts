import type { Partition } from "@cairn/issue";
import type { Currency, PayeeId } from "@cairn/messages";
import { sweepArrival, sweepEntry } from "@cairn/settle";
import { type IssuerStore, type MovementDecision, partitionOfId } from "@cairn/stores";
import type { Clock } from "../../clock.ts";

export type SweepContext = { readonly store: IssuerStore; readonly clock: Clock };

/**
 * Moves what clearing holds, in every partition, to the payees' own accounts. May be asked at any time and by many at
 * once: it moves what is there, and brings home what a sweep that was cut off had sent. Gives how many payees' clearing
 * accounts were emptied.
 */
export function sweepAll(context: SweepContext): Promise<number> {
  return sweepPayees(context, () => true);
}

/** As `sweepAll`, of those payees alone that `isWanted` names. */
export async function sweepPayees(context: SweepContext, isWanted: (payeeId: PayeeId) => boolean): Promise<number> {
  const clearing = await context.store.ledgerBalances("clearing");
  let swept = 0;
  for (const { partition, ledgerAccount, currency } of clearing)
    if (
      ledgerAccount.kind === "clearing" &&
      isWanted(ledgerAccount.payeeId) &&
      (await sweepOne({ partition, payeeId: ledgerAccount.payeeId, currency }, context)).isSwept
    )
      swept++;
  await bringHome(context, isWanted);
  return swept;
}

/** What a payee earned in one partition. */
export type Clearing = { readonly partition: Partition; readonly payeeId: PayeeId; readonly currency: Currency };

/** As `sweepAll`, of one clearing account, without a look at any other. */
export async function sweepClearing(clearing: Clearing, context: SweepContext): Promise<void> {
  const { sentMinor } = await sweepOne(clearing, context);
  const { partition: from, payeeId, currency } = clearing;
  if (sentMinor > 0n) await arrive({ payeeId, from, currency, sentMinor }, context);
}

type Swept = {
  readonly isSwept: boolean;
  /** All that was ever sent from there, what arrived long ago among it; at home nothing is. */
  readonly sentMinor: bigint;
};

function sweepOne({ partition, payeeId, currency }: Clearing, { store, clock }: SweepContext): Promise<Swept> {
  const clearing = { kind: "clearing", payeeId } as const;
  const sent = { kind: "sweeping", payeeId, from: partition } as const;
  const counter = { kind: "sweeps", id: payeeId } as const;
  const home = partitionOfId(payeeId);
  return store.move({ partition, balances: [clearing, sent], records: [counter] }, (view): MovementDecision<Swept> => {
    const amountMinor = -view.balance(clearing, currency);
    const sentBeforeMinor = partition === home ? 0n : -view.balance(sent, currency);
    if (amountMinor <= 0n) return { result: { isSwept: false, sentMinor: sentBeforeMinor } };
    const number = Number(view.record(counter) ?? "0") + 1;
    const at = clock.nowSeconds();
    return {
      result: { isSwept: true, sentMinor: partition === home ? 0n : sentBeforeMinor + amountMinor },
      entries: [sweepEntry({ payeeId, currency, from: partition, home, number, amountMinor, at })],
      records: [{ ...counter, body: number.toString() }],
    };
  });
}

async function bringHome(context: SweepContext, isWanted: (payeeId: PayeeId) => boolean): Promise<void> {
  for (const { ledgerAccount: sent, currency, minor } of await context.store.sweepsUnderway())
    if (sent.kind === "sweeping" && isWanted(sent.payeeId))
      await arrive({ payeeId: sent.payeeId, from: sent.from, currency, sentMinor: -minor }, context);
}

type Sent = {
  readonly payeeId: PayeeId;
  readonly from: Partition;
  readonly currency: Currency;
  /** All that was ever sent from there. */
  readonly sentMinor: bigint;
};

async function arrive({ payeeId, from, currency, sentMinor }: Sent, { store, clock }: SweepContext): Promise<void> {
  const sent = { kind: "sweeping", payeeId, from } as const;
  await store.move({ partition: partitionOfId(payeeId), balances: [sent] }, (view) => {
    const arrivedMinor = view.balance(sent, currency);
    const amountMinor = sentMinor - arrivedMinor;
    const at = clock.nowSeconds();
    return {
      result: undefined,
      entries: amountMinor > 0n ? [sweepArrival({ payeeId, currency, from, arrivedMinor, amountMinor, at })] : [],
    };
  });
}
