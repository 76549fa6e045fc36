import type { P256PublicKey, SignatureToVerify } from "@cairn/cose";

/** What verifying costs, in parts of a signature that has a hint and is one of many (docs/decisions/0066-many-signatures-at-once.md). */
const HINTED = 1;
const ALONE = 4;
const KEY = 1;
/** How far above its even share a lane may be loaded before a key leaves it: moving one has its own price. */
const TOLERANCE = 1 / 8;

/**
 * Which signatures go to which thread. Those under one key stay together, on the thread that had the key before and has
 * it ready, as long as that thread has no more than its share of the work. So nobody who picks keys, or signs everything
 * with one, picks a thread to be late.
 */
export class VerificationLanes {
  readonly #count: number;
  /** Where each key was last. */
  readonly #laneOf = new WeakMap<P256PublicKey, number>();

  /** @param count 1 at least. */
  constructor(count: number) {
    this.#count = count;
  }

  /** @returns for each lane the positions of its signatures; each position is in one of them. */
  share(signatures: readonly Pick<SignatureToVerify, "publicKey" | "hint">[]): readonly (readonly number[])[] {
    const lanes = Array.from({ length: this.#count }, (): number[] => []);
    const loads = new Array<number>(this.#count).fill(0);
    const cost = (position: number): number => (signatures[position]?.hint === undefined ? ALONE : HINTED);
    const byKey = positionsByKey(signatures);
    let total = byKey.size * KEY;
    for (const position of signatures.keys()) total += cost(position);
    const most = (total / this.#count) * (1 + TOLERANCE);
    for (const [key, positions] of byKey) {
      const before = this.#laneOf.get(key);
      let lane = before ?? emptiest(loads);
      let isFirst = true;
      for (const position of positions) {
        const isMoved = (loads[lane] ?? 0) >= most;
        if (isMoved) lane = emptiest(loads);
        lanes[lane]?.push(position);
        loads[lane] = (loads[lane] ?? 0) + cost(position) + (isMoved || isFirst ? KEY : 0);
        isFirst = false;
      }
      if (lane !== before) this.#laneOf.set(key, lane);
    }
    return lanes;
  }
}

function positionsByKey(signatures: readonly Pick<SignatureToVerify, "publicKey">[]): Map<P256PublicKey, number[]> {
  const byKey = new Map<P256PublicKey, number[]>();
  let [lastKey, ofLast]: [P256PublicKey | undefined, number[]] = [undefined, []];
  let position = 0;
  for (const { publicKey } of signatures) {
    // Payments of one wallet come one after the other.
    if (publicKey !== lastKey) {
      lastKey = publicKey;
      ofLast = byKey.get(publicKey) ?? [];
      if (ofLast.length === 0) byKey.set(publicKey, ofLast);
    }
    ofLast.push(position++);
  }
  return byKey;
}

const emptiest = (loads: readonly number[]): number => loads.indexOf(Math.min(...loads));
