/**
 * Bounds guessing of enrolment codes. What counts are wrong codes; while an attempt is looked at it might be one, so it
 * has its place until it has ended, and who finds no place free waits for one instead of being turned away: a class of
 * phones behind one address enrols at once, and many guesses at the same moment gain nothing.
 *
 * The numbers: a code has 50 bits and lives at most seven days. With 60 failures a minute overall, nobody makes more
 * than 604,800 guesses in that time. Were 1,000 codes open all the while, the chance of a single hit would be
 * 604,800 x 1,000 / 2^50, about one in two million. Ten a minute from one address leave people room for typing errors
 * and make it harder for one address to use up what the others need.
 */
export type AttemptLimits = { readonly perAddressPerMinute: number; readonly overallPerMinute: number };
export const DEFAULT_ATTEMPT_LIMITS: AttemptLimits = { perAddressPerMinute: 10, overallPerMinute: 60 };

const WINDOW_SECONDS = 60;
/** Attempts that wait for a place, from all addresses: a connection and a short call each. */
const MAXIMUM_WAITING = 1_000;

type Waiting = { readonly address: string; readonly answer: (seconds: number) => void };
type Count = { wrong: number; underWay: number };

/** Counts wrong codes within the current minute. Kept in memory: a restart forgets at most one minute's worth. */
export class AttemptLimit {
  readonly #limits: AttemptLimits;
  #windowStart = 0;
  #overall: Count = { wrong: 0, underWay: 0 };
  /** At most as many addresses as attempts that count, and those under way. */
  readonly #byAddress = new Map<string, Count>();
  /** Oldest first. */
  #waiting: Waiting[] = [];

  constructor(limits: AttemptLimits = DEFAULT_ATTEMPT_LIMITS) {
    this.#limits = limits;
  }

  /**
   * Gives 0 when the attempt may go on, which is to be ended by {@link end}; or the seconds after which another one will
   * be looked at. Waits while it is not known whether those under way leave it a place.
   */
  begin(address: string, now: number): Promise<number> {
    const answer = this.#decide(address, now);
    if (answer !== undefined) return Promise.resolve(answer);
    if (this.#waiting.length >= MAXIMUM_WAITING) return Promise.resolve(1);
    const { promise, resolve } = Promise.withResolvers<number>();
    this.#waiting.push({ address, answer: resolve });
    return promise;
  }

  /** An attempt that was begun has ended, and its code was right or not. */
  end(address: string, now: number, wasRight: boolean): void {
    this.#keepWindow(now);
    for (const count of [this.#overall, this.#countOf(address)]) {
      count.underWay--;
      if (!wasRight) count.wrong++;
    }
    this.#forget(address);
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const each of waiting) {
      const answer = this.#decide(each.address, now);
      if (answer === undefined) this.#waiting.push(each);
      else each.answer(answer);
    }
  }

  /** Undefined: that depends on those under way. */
  #decide(address: string, now: number): number | undefined {
    this.#keepWindow(now);
    const { overallPerMinute, perAddressPerMinute } = this.#limits;
    const own = this.#countOf(address);
    const bounds = [
      { count: this.#overall, most: overallPerMinute },
      { count: own, most: perAddressPerMinute },
    ];
    if (bounds.some(({ count, most }) => count.wrong >= most)) {
      this.#forget(address);
      return Math.max(1, this.#windowStart + WINDOW_SECONDS - now);
    }
    if (bounds.some(({ count, most }) => count.wrong + count.underWay >= most)) return undefined;
    for (const { count } of bounds) count.underWay++;
    return 0;
  }

  #countOf(address: string): Count {
    const known = this.#byAddress.get(address) ?? { wrong: 0, underWay: 0 };
    this.#byAddress.set(address, known);
    return known;
  }

  #forget(address: string): void {
    const { wrong, underWay } = this.#countOf(address);
    if (wrong === 0 && underWay === 0) this.#byAddress.delete(address);
  }

  /** In a new minute, or when the clock was set back, wrong codes of before are forgotten; those under way are not. */
  #keepWindow(now: number): void {
    if (now >= this.#windowStart && now < this.#windowStart + WINDOW_SECONDS) return;
    this.#windowStart = now;
    this.#overall.wrong = 0;
    for (const [address, count] of this.#byAddress) {
      count.wrong = 0;
      this.#forget(address);
    }
  }
}
