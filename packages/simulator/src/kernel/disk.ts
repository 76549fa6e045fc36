import type { Fate } from "./fate.ts";
import { type Kernel, type Node, never } from "./kernel.ts";

/** How often a crash strikes just here, where it does most harm; and how often the disk keeps its caller waiting. */
const CRASH_AT_WRITE = 0.001;
const SLOW_SYNC = 0.003;
const SLOWEST_SYNC_MS = 4_000;

export type DiskCounts = { records: number; syncs: number };

/**
 * The disk under one incarnation of a node. What is written is durable only once the sync is done; a crash before that
 * leaves a random part of it, of which a store's recovery takes back what is not whole. The fate of a write is drawn
 * when it is written, and not when the crash comes: whoever still runs in between learns nothing of it, as its answer
 * never comes. Decision: docs/decisions/0096-simulated-crashes.md.
 */
export class Disk {
  readonly #kernel: Kernel;
  readonly #fate: Fate;
  readonly #node: Node;
  readonly #incarnation: number;
  readonly #counts: DiskCounts;

  constructor(input: {
    readonly kernel: Kernel;
    readonly fate: Fate;
    readonly node: Node;
    readonly counts: DiskCounts;
  }) {
    this.#kernel = input.kernel;
    this.#fate = input.fate;
    this.#node = input.node;
    this.#incarnation = input.node.incarnation;
    this.#counts = input.counts;
  }

  /** Whose code this was has been killed. */
  get isGone(): boolean {
    return this.#node.incarnation !== this.#incarnation;
  }

  /** What becomes of a write of so many records: whether it is on the disk, and when, if ever, its writer hears of it. */
  write(records: number): { readonly isKept: boolean; readonly acknowledged: Promise<void> | undefined } {
    this.#counts.records += records;
    this.#counts.syncs += 1;
    if (this.#node.doomedAt === undefined && this.#fate.strikes("crashes", CRASH_AT_WRITE)) this.#fate.doom(this.#node);
    if (this.#node.doomedAt !== undefined) return { isKept: this.#fate.survives(records), acknowledged: never() };
    if (this.#fate.strikes("crashes", SLOW_SYNC)) {
      const waitMs = 1 + this.#kernel.cause.random.below(SLOWEST_SYNC_MS);
      return { isKept: true, acknowledged: this.#kernel.sleep(this.#node, waitMs) };
    }
    return { isKept: true, acknowledged: undefined };
  }
}
