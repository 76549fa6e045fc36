import type { Clock } from "./clock.ts";

/** Slewing by a time service, and rounds that were held up, stay far below this. */
const JUMP_SECONDS = 60;
/** Time for the time service, or a person, to set a clock right that was set wrong. */
const DISTRUST_MS = 3_600_000;

type Reading = { readonly nowSeconds: number; readonly monotonicMs: number };

/**
 * Notices when the machine's clock jumps, by holding it against one that nobody can set. After a jump the clock is not
 * trusted for an hour: what cannot be taken back, such as giving overdue payments back, waits until then. (A machine
 * that slept jumps as well, and rightly so; it only waits.)
 */
export class ClockWatch {
  readonly #clock: Clock;
  readonly #monotonicMs: () => number;
  readonly #begunAtMs: number;
  #last: Reading;
  /** A jump that was noticed and not told yet. */
  #untoldSeconds = 0;
  #distrustedUntilMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, monotonicMs: () => number) {
    this.#clock = clock;
    this.#monotonicMs = monotonicMs;
    this.#last = this.#read();
    this.#begunAtMs = this.#last.monotonicMs;
  }

  get isTrusted(): boolean {
    return this.#monotonicMs() >= this.#distrustedUntilMs;
  }

  /** By how many seconds the clock jumped since the last look; 0 when it did not. */
  look(): number {
    this.#notice();
    const jumpSeconds = this.#untoldSeconds;
    this.#untoldSeconds = 0;
    return jumpSeconds;
  }

  /**
   * Whether what must be known for as long as it could be used again may be forgotten by this clock: not for an hour
   * after a jump, which may be set right again, nor after the start, since nobody saw whether it had jumped before.
   */
  get mayForget(): boolean {
    this.#notice();
    return this.#monotonicMs() >= Math.max(this.#begunAtMs + DISTRUST_MS, this.#distrustedUntilMs);
  }

  #notice(): void {
    const last = this.#last;
    this.#last = this.#read();
    const passed = (this.#last.monotonicMs - last.monotonicMs) / 1_000;
    const drift = Math.round(this.#last.nowSeconds - last.nowSeconds - passed);
    if (Math.abs(drift) <= JUMP_SECONDS) return;
    this.#distrustedUntilMs = this.#last.monotonicMs + DISTRUST_MS;
    this.#untoldSeconds = drift;
  }

  #read(): Reading {
    return { nowSeconds: this.#clock.nowSeconds(), monotonicMs: this.#monotonicMs() };
  }
}
