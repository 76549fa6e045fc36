import type { Entries } from "./entries.ts";

/** Entries of the newest records, in the order in which they came. */
export class RecentKeys {
  readonly #keys: number[] = [];
  readonly #inboxIds: number[] = [];
  /** Of a key, the place of its newest entry; of an entry, that of the one before it with the same key. */
  readonly #newest = new Map<number, number>();
  readonly #before = new Map<number, number>();

  get count(): number {
    return this.#keys.length;
  }

  add(key: number, inboxId: number): void {
    const place = this.#keys.length;
    const before = this.#newest.get(key);
    if (before !== undefined) this.#before.set(place, before);
    this.#newest.set(key, place);
    this.#keys.push(key);
    this.#inboxIds.push(inboxId);
  }

  /** Adds to `found` the records that go with the key. */
  find(key: number, found: number[]): void {
    for (let place = this.#newest.get(key); place !== undefined; place = this.#before.get(place))
      found.push(this.#inboxIds[place] ?? 0);
  }

  sorted(): Entries {
    const keys = Float64Array.from(this.#newest.keys()).sort();
    const all = new Float64Array(this.count);
    const inboxIds = new Float64Array(this.count);
    let end = 0;
    for (const key of keys) {
      const ofKey: number[] = [];
      this.find(key, ofKey);
      // The newest came first.
      for (const inboxId of ofKey.reverse()) {
        all[end] = key;
        inboxIds[end] = inboxId;
        end++;
      }
    }
    return { keys: all, inboxIds };
  }
}
