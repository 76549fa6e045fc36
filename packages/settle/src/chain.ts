import { type ChainHash, type ChainPosition, chainHashOf, follows, type MessageId } from "@cairn/messages";

/** What is looked at of a payment to tell whether one honest device can have signed it beside the others. */
export type ChainMember = ChainPosition & { readonly paymentId: MessageId; readonly previous: ChainHash };

/** A member that one honest device cannot have signed beside the payment in question. */
export type Contradiction = { readonly member: ChainMember; readonly kind: "two-payments" | "broken-chain" };

/**
 * Payments of one certificate that are pairwise compatible, in the order of their sequence numbers.
 *
 * A payment is compatible with all of them exactly when it is compatible with its two neighbours: running totals rise
 * along the chain by at least each amount, so what leaves room for a neighbour leaves room for everything behind it.
 * Hence two comparisons a payment, however long the chain.
 */
export class Chain {
  readonly #members: ChainMember[] = [];

  /** Undefined when the payment fits: between its neighbours, and following the one right before it by its hash. */
  contradiction(payment: ChainMember): Contradiction | undefined {
    const index = this.#indexFor(payment.sequence);
    const earlier = this.#members[index - 1];
    const later = this.#members[index];
    if (earlier !== undefined && !follows(earlier, payment)) return { member: earlier, kind: "two-payments" };
    if (later !== undefined && !follows(payment, later)) return { member: later, kind: "two-payments" };
    if (earlier !== undefined && breaksChain(earlier, payment)) return { member: earlier, kind: "broken-chain" };
    if (later !== undefined && breaksChain(payment, later)) return { member: later, kind: "broken-chain" };
    return undefined;
  }

  /** Only what contradicts nothing may be added. */
  add(payment: ChainMember): void {
    this.#members.splice(this.#indexFor(payment.sequence), 0, payment);
  }

  /** Where a payment of this sequence number belongs: before the first one that is not below it. */
  #indexFor(sequence: number): number {
    let low = 0;
    let high = this.#members.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const member = this.#members[middle];
      if (member !== undefined && member.sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** Between neighbours nothing is missing, so the later one must name the earlier one and add just its own amount. */
function breaksChain(earlier: ChainMember, later: ChainMember): boolean {
  if (later.sequence !== earlier.sequence + 1) return false;
  return (
    later.previous !== chainHashOf(earlier.paymentId) || later.spentMinor !== earlier.spentMinor + later.amountMinor
  );
}
