/**
 * Bounds guessing of enrolment codes. An attempt counts from its beginning, and no longer once it has succeeded: many
 * attempts at the same moment gain nothing.
 *
 * The numbers: a code has 50 bits and lives at most seven days. With 60 failures a minute overall, nobody makes more
 * than 604,800 guesses in that time. Were 1,000 codes open all the while, the chance of a single hit would be
 * 604,800 x 1,000 / 2^50, about one in two million. Ten a minute from one address leave people room for typing errors
 * and make it harder for one address to use up what the others need.
 */
export type AttemptLimits = { readonly perAddressPerMinute: number; readonly overallPerMinute: number };
export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = { perAddressPerMinute: 10, overallPerMinute: 60 };

const WINDOW_SECONDS = 60;

/** Counts within the current minute. Kept in memory: a restart forgets at most one minute's worth. */
export class AttemptLimit {
  readonly #limits: AttemptLimits;
  #windowStart = 0;
  #overall = 0;
  /** At most `overallPerMinute` addresses, as every entry is an attempt that counted. */
  #byAddress = new Map<string, number>();

  constructor(limits: AttemptLimits = DEFAULT_ATTEMPT_LIMITS) {
    this.#limits = limits;
  }

  /** Counts an attempt and gives 0, or gives the seconds after which another one will be looked at. */
  begin(address: string, now: number): number {
    if (!this.#isOfThisWindow(now)) this.#startWindow(now);
    const fromAddress = this.#byAddress.get(address) ?? 0;
    if (this.#overall >= this.#limits.overallPerMinute || fromAddress >= this.#limits.perAddressPerMinute)
      return Math.max(1, this.#windowStart + WINDOW_SECONDS - now);
    this.#overall++;
    this.#byAddress.set(address, fromAddress + 1);
    return 0;
  }

  /** The attempt that was begun then was no guess. */
  succeeded(address: string, begunAt: number): void {
    const fromAddress = this.#byAddress.get(address) ?? 0;
    // Nothing to take back when a new minute has begun in between: what counts in it are other attempts.
    if (fromAddress === 0 || !this.#isOfThisWindow(begunAt)) return;
    this.#overall--;
    this.#byAddress.set(address, fromAddress - 1);
  }

  #isOfThisWindow(at: number): boolean {
    return at >= this.#windowStart && at < this.#windowStart + WINDOW_SECONDS;
  }

  #startWindow(now: number): void {
    this.#windowStart = now;
    this.#overall = 0;
    this.#byAddress = new Map();
  }
}
