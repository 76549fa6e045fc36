import { ServiceError } from "./service-error.ts";

export type SeatLimits = { readonly perCaller: number; readonly overall: number };

/** Bounds answers that go on: each looks into the store again and again, for one signed call. */
export class ListeningSeats {
  readonly #limits: SeatLimits;
  readonly #byCaller = new Map<string, number>();
  #overall = 0;

  constructor(limits: SeatLimits) {
    this.#limits = limits;
  }

  /** Gives what leaves the seat, any number of times. @throws ServiceError PUSH_FULL */
  take(callerId: string): () => void {
    const taken = this.#byCaller.get(callerId) ?? 0;
    if (taken >= this.#limits.perCaller || this.#overall >= this.#limits.overall) throw new ServiceError("PUSH_FULL");
    this.#byCaller.set(callerId, taken + 1);
    this.#overall++;
    let isTaken = true;
    return () => {
      if (!isTaken) return;
      isTaken = false;
      this.#overall--;
      const left = (this.#byCaller.get(callerId) ?? 1) - 1;
      if (left === 0) this.#byCaller.delete(callerId);
      else this.#byCaller.set(callerId, left);
    };
  }
}
