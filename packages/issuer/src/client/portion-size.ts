import { MAXIMUM_RECORDS } from "@cairn/messages";

/** Grows by a quarter: soon large again, and what a bad line wastes on finding its bound is a fifth. */
const GROWTH = 1.25;

/**
 * How many records to send at once over a line that may break: half as many after each break, more again with each
 * portion that gets through. So a line that breaks every few kilobytes is still used, and a good one is not held up.
 */
export class PortionSize {
  readonly #most: number;
  #records: number;

  /** @param records To begin with. @param most Of a portion ever; at most MAXIMUM_RECORDS. */
  constructor(records: number, most: number = MAXIMUM_RECORDS) {
    this.#most = Math.min(most, MAXIMUM_RECORDS);
    this.#records = Math.min(Math.max(1, Math.floor(records)), this.#most);
  }

  /** 1 at least. */
  get records(): number {
    return this.#records;
  }

  /** There is no smaller one. */
  get isSmallest(): boolean {
    return this.#records === 1;
  }

  /** The line broke before this many were through. */
  broke(): void {
    this.#records = Math.max(1, Math.floor(this.#records / 2));
  }

  /** A portion was acknowledged. */
  passed(): void {
    this.#records = Math.min(this.#most, Math.ceil(this.#records * GROWTH));
  }
}
