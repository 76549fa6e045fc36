/** Slewing by a time service, and rounds that were held up, stay far below this. */
const JUMP_SECONDS = 60;
/** Time for the time service, or a person, to set a clock right that was set wrong. */
const DISTRUST_MS = 3_600_000;

export type ClockReading = { readonly nowSeconds: number; readonly monotonicMs: number };

/**
 * Notices when the machine's clock jumps, by holding it against one that nobody can set. After a jump the clock is not
 * trusted for an hour: what cannot be taken back, such as giving overdue payments back, waits until then. (A machine
 * that slept jumps as well, and rightly so; it only waits.)
 */
export class ClockWatch {
  #last: ClockReading | undefined;
  #distrustedUntilMs = Number.NEGATIVE_INFINITY;

  /** @returns By how many seconds the clock jumped since the last look, 0 when it did not; and whether it is trusted. */
  look(reading: ClockReading): { readonly jumpSeconds: number; readonly isTrusted: boolean } {
    const last = this.#last;
    this.#last = reading;
    const passed = last === undefined ? 0 : (reading.monotonicMs - last.monotonicMs) / 1_000;
    const drift = last === undefined ? 0 : Math.round(reading.nowSeconds - last.nowSeconds - passed);
    const jumpSeconds = Math.abs(drift) > JUMP_SECONDS ? drift : 0;
    if (jumpSeconds !== 0) this.#distrustedUntilMs = reading.monotonicMs + DISTRUST_MS;
    return { jumpSeconds, isTrusted: reading.monotonicMs >= this.#distrustedUntilMs };
  }
}
