import { type ChainHash, type ChainPosition, chainHashOf, follows, type MessageId } from "@cairn/messages";

/** What is looked at of a payment to tell whether one honest device can have signed it beside the others. */
export type ChainMember = ChainPosition & { readonly paymentId: MessageId; readonly previous: ChainHash };

/** A member that one honest device cannot have signed beside the payment in question. */
export type Contradiction = { readonly member: ChainMember; readonly kind: "two-payments" | "broken-chain" };

/**
 * Whether a payment fits among payments of its certificate that are pairwise compatible: between its neighbours by
 * sequence number, and following the one right before it by its hash.
 *
 * A payment is compatible with all of them exactly when it is compatible with its two neighbours: running totals rise
 * along the chain by at least each amount, so what leaves room for a neighbour leaves room for everything behind it.
 * Hence two comparisons a payment, however long the chain.
 * @param neighbours earlier: the last one with a lower number. later: the first one with the same or a higher number.
 */
export function contradiction(
  payment: ChainMember,
  { earlier, later }: { readonly earlier: ChainMember | undefined; readonly later: ChainMember | undefined },
): Contradiction | undefined {
  if (earlier !== undefined && !follows(earlier, payment)) return { member: earlier, kind: "two-payments" };
  if (later !== undefined && !follows(payment, later)) return { member: later, kind: "two-payments" };
  if (earlier !== undefined && breaksChain(earlier, payment)) return { member: earlier, kind: "broken-chain" };
  if (later !== undefined && breaksChain(payment, later)) return { member: later, kind: "broken-chain" };
  return undefined;
}

/** Between neighbours nothing is missing, so the later one must name the earlier one and add just its own amount. */
function breaksChain(earlier: ChainMember, later: ChainMember): boolean {
  if (later.sequence !== earlier.sequence + 1) return false;
  return (
    later.previous !== chainHashOf(earlier.paymentId) || later.spentMinor !== earlier.spentMinor + later.amountMinor
  );
}
