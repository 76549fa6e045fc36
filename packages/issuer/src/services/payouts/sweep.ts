import type { Currency, PayeeId } from "@cairn/messages";
import { sweepArrival, sweepEntry } from "@cairn/settle";
import { type IssuerStore, partitionOfId } from "@cairn/stores";
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
      (await sweepOne({ partition, payeeId: ledgerAccount.payeeId, currency }, context))
    )
      swept++;
  await bringHome(context, isWanted);
  return swept;
}

type Place = { readonly partition: number; readonly payeeId: PayeeId; readonly currency: Currency };

function sweepOne({ partition, payeeId, currency }: Place, { store, clock }: SweepContext): Promise<boolean> {
  const clearing = { kind: "clearing", payeeId } as const;
  const counter = { kind: "sweeps", id: payeeId } as const;
  return store.move({ partition, balances: [clearing], records: [counter] }, (view) => {
    const amountMinor = -view.balance(clearing, currency);
    if (amountMinor <= 0n) return { result: false };
    const number = Number(view.record(counter) ?? "0") + 1;
    const home = partitionOfId(payeeId);
    const at = clock.nowSeconds();
    return {
      result: true,
      entries: [sweepEntry({ payeeId, currency, from: partition, home, number, amountMinor, at })],
      records: [{ ...counter, body: number.toString() }],
    };
  });
}

async function bringHome({ store, clock }: SweepContext, isWanted: (payeeId: PayeeId) => boolean): Promise<void> {
  for (const { ledgerAccount: sent, currency, minor } of await store.sweepsUnderway()) {
    if (sent.kind !== "sweeping" || !isWanted(sent.payeeId)) continue;
    const { payeeId, from } = sent;
    await store.move({ partition: partitionOfId(payeeId), balances: [sent] }, (view) => {
      const arrivedMinor = view.balance(sent, currency);
      const amountMinor = -minor - arrivedMinor;
      const at = clock.nowSeconds();
      return {
        result: undefined,
        entries: amountMinor > 0n ? [sweepArrival({ payeeId, currency, from, arrivedMinor, amountMinor, at })] : [],
      };
    });
  }
}
