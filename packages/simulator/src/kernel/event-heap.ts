import type { Cause, Node, VirtualTime } from "./kernel.ts";

export type KernelEvent = {
  readonly at: VirtualTime;
  readonly node: Node | undefined;
  readonly incarnation: number;
  readonly cause: Cause;
  readonly run: () => undefined | Promise<void>;
};
type Kept = KernelEvent & { readonly order: number };

/** Events by time, and of one time in the order in which they came. */
export class EventHeap {
  readonly #kept: Kept[] = [];
  #order = 0;

  get next(): KernelEvent | undefined {
    return this.#kept[0];
  }

  get size(): number {
    return this.#kept.length;
  }

  push(event: KernelEvent): void {
    const kept = this.#kept;
    const { at, node, incarnation, cause, run } = event;
    const added: Kept = { at, node, incarnation, cause, run, order: this.#order++ };
    let place = kept.length;
    kept.push(added);
    while (place > 0) {
      const above = (place - 1) >>> 1;
      const parent = kept[above];
      if (parent === undefined || !isBefore(added, parent)) break;
      kept[place] = parent;
      place = above;
    }
    kept[place] = added;
  }

  pop(): void {
    const kept = this.#kept;
    const last = kept.pop();
    const length = kept.length;
    if (last === undefined || length === 0) return;
    let place = 0;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= length) break;
      const right = kept[below + 1];
      let child = kept[below] as Kept;
      if (right !== undefined && isBefore(right, child)) {
        child = right;
        below += 1;
      }
      if (!isBefore(child, last)) break;
      kept[place] = child;
      place = below;
    }
    kept[place] = last;
  }
}

const isBefore = (left: Kept, right: Kept): boolean =>
  left.at < right.at || (left.at === right.at && left.order < right.order);
