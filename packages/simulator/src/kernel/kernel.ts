import { EventHeap } from "./event-heap.ts";
import { Seeded } from "./seeded.ts";

/** Milliseconds since 1970 in the world's own time. */
export type VirtualTime = number;

/** What everything that happens goes back to: an item of the plan. Chance is drawn from it, so that leaving out one item changes no other's luck. */
export class Cause {
  readonly id: number;
  readonly random: Seeded;
  /** Strikes of fate so far. */
  strikes = 0;

  constructor(id: number, seed: string) {
    this.id = id;
    this.random = new Seeded(seed, "cause", id);
  }
}

/** Something that can be killed. Code that was running before never goes on afterwards: it belongs to an earlier incarnation. */
export class Node {
  readonly name: string;
  incarnation = 0;
  isUp = true;
  /** When it is going to be killed, once that is settled: what it writes until then is not yet on the disk. */
  doomedAt: VirtualTime | undefined;
  /** How far its clock is ahead, seconds. */
  skewSeconds = 0;
  /** Told when it is killed. */
  readonly mourners = new Set<() => void>();
  /** Begins a new incarnation. */
  onRestart: () => void = () => undefined;

  constructor(name: string) {
    this.name = name;
  }
}

/** A promise that no one waits for in vain: its waiter is dead. */
export const never = <Value>(): Promise<Value> => new Promise<Value>(() => undefined);

/** What a happening answers that goes on by itself, by promises which others wait for and which see to their own faults. */
export const GOES_ON: Promise<void> = Promise.resolve();

/** So many turns of the engine's own loop are asked for at once: each by itself costs several times as much. */
const TURNS = 64;

/** Virtual time: what happens, happens in the order of its time, and of two things at one time the one that was put down first. */
export class Kernel {
  readonly #seed: string;
  readonly #heap = new EventHeap();
  readonly #onFault: (error: unknown) => void;
  now: VirtualTime;
  cause: Cause;
  events = 0;
  /** Calls of things that take real time, such as a database on a real disk: virtual time stands still meanwhile. */
  outside = 0;

  constructor(input: {
    readonly seed: string;
    readonly start: VirtualTime;
    /** What no handler should have thrown. */
    readonly onFault: (error: unknown) => void;
  }) {
    this.#seed = input.seed;
    this.#onFault = input.onFault;
    this.now = input.start;
    this.cause = new Cause(0, input.seed);
  }

  /** Lets something happen at a time, to a node as it is now: not if it has been killed in between. */
  at(
    time: VirtualTime,
    node: Node | undefined,
    run: () => undefined | Promise<void>,
    incarnation: number = node?.incarnation ?? 0,
  ): void {
    this.#heap.push({ at: Math.max(time, this.now), node, incarnation, cause: this.cause, run });
  }

  after(milliseconds: number, node: Node | undefined, run: () => undefined | Promise<void>): void {
    this.at(this.now + milliseconds, node, run);
  }

  /** Begins something of its own: chance is drawn from the new cause until it is over. */
  begin(time: VirtualTime, causeId: number, run: () => undefined | Promise<void>): void {
    const before = this.cause;
    this.cause = new Cause(causeId, this.#seed);
    this.at(time, undefined, run);
    this.cause = before;
  }

  /** Waits. Whoever is killed meanwhile waits for ever. */
  sleep(node: Node, milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      this.after(milliseconds, node, () => {
        resolve();
        return GOES_ON;
      });
    });
  }

  /** When the next thing happens. */
  get next(): VirtualTime | undefined {
    return this.#heap.next?.at;
  }

  /** Lets everything happen that happens until then, or until there is reason to stop. */
  run(until: VirtualTime, isOver: () => boolean = () => false): Promise<void> {
    return new Promise((resolve, reject) => {
      let isDone = false;
      // What is in memory goes on by microtasks alone, which all run before the engine's next turn.
      const turn = (): void => {
        if (isDone || this.outside > 0) return;
        try {
          isDone = !this.#beginNext(until, isOver);
          if (isDone) resolve();
        } catch (error) {
          isDone = true;
          reject(error);
        }
      };
      const takeTurns = (): void => {
        if (isDone) return;
        for (let count = 0; count < TURNS; count += 1) setImmediate(turn);
        setImmediate(takeTurns);
      };
      takeTurns();
    });
  }

  /** Lets things happen until one of them has begun that may go on by itself: false when there is none. */
  #beginNext(until: VirtualTime, isOver: () => boolean): boolean {
    for (let event = this.#heap.next; event !== undefined && event.at <= until; event = this.#heap.next) {
      if (isOver()) return false;
      this.#heap.pop();
      const { node } = event;
      if (node !== undefined && (node.incarnation !== event.incarnation || !node.isUp)) continue;
      this.now = event.at;
      this.cause = event.cause;
      this.events += 1;
      const work = event.run();
      if (work === undefined) continue;
      if (work !== GOES_ON) work.catch(this.#onFault);
      return true;
    }
    this.now = Math.max(this.now, until);
    return false;
  }
}
