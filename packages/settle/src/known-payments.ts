import type { MessageId, RequestHash } from "@cairn/messages";
import type { KnownPayment } from "./model.ts";

/** Payments of one certificate in the order of their numbers, found without a look at each. */
export class KnownPayments {
  readonly #list: KnownPayment[] = [];
  readonly #paidRequests = new Set<RequestHash>();

  /** @param payments In any order. */
  constructor(payments: Iterable<KnownPayment> = []) {
    for (const payment of payments) this.put(payment);
  }

  get list(): readonly KnownPayment[] {
    return this.#list;
  }

  find(paymentId: MessageId, sequence: number): KnownPayment | undefined {
    return this.#list[this.#positionOf(paymentId, sequence)];
  }

  /** The last one with a lower number. */
  before(sequence: number): KnownPayment | undefined {
    return this.#list[this.#firstFrom(sequence) - 1];
  }

  /** The first one with this number or a higher one. */
  from(sequence: number): KnownPayment | undefined {
    return this.#list[this.#firstFrom(sequence)];
  }

  /** Whether a payment was credited for this request. */
  isPaid(requestHash: RequestHash): boolean {
    return this.#paidRequests.size > 0 && this.#paidRequests.has(requestHash);
  }

  /** In the place of what was known by this id, if anything was. What is settled stays so. */
  put(payment: KnownPayment): void {
    const known = this.#positionOf(payment.paymentId, payment.sequence);
    if (known >= 0) this.#list[known] = payment;
    else this.#list.splice(this.#firstFrom(payment.sequence), 0, payment);
    if (payment.state === "settled" && payment.requestHash !== undefined) this.#paidRequests.add(payment.requestHash);
  }

  /** Below zero when it is not known. */
  #positionOf(paymentId: MessageId, sequence: number): number {
    for (let position = this.#firstFrom(sequence); ; position++) {
      const payment = this.#list[position];
      if (payment === undefined || payment.sequence !== sequence) return -1;
      if (payment.paymentId === paymentId) return position;
    }
  }

  #firstFrom(sequence: number): number {
    let low = 0;
    let high = this.#list.length;
    // Most payments come in the order in which they were made.
    if ((this.#list[high - 1]?.sequence ?? 0) < sequence) return high;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const payment = this.#list[middle];
      if (payment !== undefined && payment.sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
