import type { IssuerStore } from "@cairn/stores";
import type { Clock } from "../ports.ts";
import { ServiceError } from "./service-error.ts";

/** About a gigabyte of records: two minutes of settlement at ten thousand a second. */
export const DEFAULT_INBOX_LIMIT = 1_000_000;
/** When a full inbox has been worked off by enough to try again. */
const RETRY_SECONDS = 30;

/**
 * Back-pressure on whoever brings records: beyond so many that wait nothing more is taken, before anything of the call
 * is kept. Devices keep their records until they are received, so nothing is lost. Counted at most once a second.
 */
export class InboxLimit {
  readonly #store: Pick<IssuerStore, "waitingRecords">;
  readonly #clock: Clock;
  readonly #limit: number;
  #waiting = 0;
  #countedAt = Number.NEGATIVE_INFINITY;

  constructor(input: {
    readonly store: Pick<IssuerStore, "waitingRecords">;
    readonly clock: Clock;
    readonly limit?: number | undefined;
  }) {
    this.#store = input.store;
    this.#clock = input.clock;
    this.#limit = input.limit ?? DEFAULT_INBOX_LIMIT;
  }

  /** @throws ServiceError INBOX_FULL */
  async admit(records: number): Promise<void> {
    if (records === 0) return;
    const now = this.#clock.nowSeconds();
    if (now !== this.#countedAt) {
      this.#countedAt = now;
      this.#waiting = await this.#store.waitingRecords();
    }
    if (this.#waiting + records > this.#limit) throw new ServiceError("INBOX_FULL", `${RETRY_SECONDS} s`);
    this.#waiting += records;
  }
}
