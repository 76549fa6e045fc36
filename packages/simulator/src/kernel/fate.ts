import type { FaultKind } from "../faults.ts";
import type { Kernel, Node } from "./kernel.ts";

/** How long killed programs stay away, milliseconds. */
const SHORTEST_DOWN_MS = 2_000;
const LONGEST_DOWN_MS = 90_000;
/** Between the write that a crash strikes and the crash: what was never made durable may be on its way by then. */
const LONGEST_DOOM_MS = 3_000;
/** Of the records of an unfinished write, each is on the disk after the crash with this probability. */
const SURVIVES = 0.75;

/** `c.s`: the strike number s of what goes back to plan item c. */
export type StrikeId = `${number}.${number}`;
export type Strike = { readonly id: StrikeId; readonly kind: FaultKind };

/**
 * Decides what goes wrong. Every strike has a name, so that a run can be repeated without some of them: that is how a
 * long story becomes a short one.
 */
export class Fate {
  readonly #kernel: Kernel;
  readonly #kinds: ReadonlySet<FaultKind>;
  readonly #allowed: ReadonlySet<string> | undefined;
  readonly #tell: (says: () => string) => void;
  readonly struck: Strike[] = [];
  /** No more faults: from here on everything must come right again. */
  isOver = false;

  constructor(input: {
    readonly kernel: Kernel;
    readonly kinds: ReadonlySet<FaultKind>;
    /** Undefined: all. */
    readonly allowed: ReadonlySet<string> | undefined;
    readonly tell: (says: () => string) => void;
  }) {
    this.#kernel = input.kernel;
    this.#kinds = input.kinds;
    this.#allowed = input.allowed;
    this.#tell = input.tell;
  }

  has(kind: FaultKind): boolean {
    return this.#kinds.has(kind) && !this.isOver;
  }

  strikes(kind: FaultKind, probability: number): boolean {
    if (this.isOver || !this.#kinds.has(kind)) return false;
    const { cause } = this.#kernel;
    if (!cause.random.chance(probability)) return false;
    const id: StrikeId = `${cause.id}.${cause.strikes++}`;
    if (this.#allowed !== undefined && !this.#allowed.has(id)) return false;
    this.struck.push({ id, kind });
    return true;
  }

  /** Settles that the node is going to be killed within moments. */
  doom(node: Node): void {
    if (node.doomedAt !== undefined) return;
    const { cause, now } = this.#kernel;
    node.doomedAt = now + cause.random.below(LONGEST_DOOM_MS);
    this.#kernel.at(node.doomedAt, node, () => this.kill(node));
  }

  /** Kills it. It comes back after a while, with what is on its disk. */
  kill(node: Node): undefined {
    if (!node.isUp) return;
    node.isUp = false;
    node.incarnation += 1;
    node.doomedAt = undefined;
    this.#tell(() => `${node.name} is killed`);
    for (const told of [...node.mourners]) told();
    node.mourners.clear();
    const downMs = this.#kernel.cause.random.between(SHORTEST_DOWN_MS, LONGEST_DOWN_MS);
    this.#kernel.after(downMs, undefined, () => {
      node.isUp = true;
      this.#tell(() => `${node.name} is back, with what its disk holds`);
      node.onRestart();
      return undefined;
    });
  }

  /** Whether a write of so many records, unfinished at a crash, is there afterwards: all of it and its last mark, or nothing counts. */
  survives(records: number): boolean {
    const { random } = this.#kernel.cause;
    let whole = true;
    for (let record = 0; record <= records; record += 1) whole = random.chance(SURVIVES) && whole;
    return whole;
  }
}
