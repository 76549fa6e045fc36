/**
 * What waits in the inbox: consecutive numbers of records of one partition that came in together, as one row rather than
 * one for each. Numbers in between that no record has were meant for records that had come before.
 */
export type WaitingRange = {
  readonly first: number;
  readonly last: number;
  /** How many records have one of these numbers. */
  readonly records: number;
  /** Seconds since 1970: left alone until then. */
  readonly notBefore: number;
};

/** As one text for all rows; `rangesFrom` reads it. */
export const RANGES_AS_TEXT = `string_agg(
  concat_ws(' ', inbox_id, coalesce(last_id, inbox_id), coalesce(records, 1), not_before), ',' ORDER BY inbox_id)`;

/** In rising order. @param texts Each as `RANGES_AS_TEXT` writes it. */
export function rangesFrom(texts: readonly string[]): WaitingRange[] {
  return texts.map((text) => {
    const [first = Number.NaN, last = Number.NaN, records = Number.NaN, notBefore = Number.NaN] = text
      .split(" ")
      .map(Number);
    return { first, last, records, notBefore };
  });
}

/** The first ranges whose records fit a batch of so many; at least one, however large. */
export function rangesWithin(ranges: readonly WaitingRange[], limit: number): readonly WaitingRange[] {
  let records = 0;
  const beyond = ranges.findIndex((range) => {
    records += range.records;
    return records > limit;
  });
  return beyond < 0 ? ranges : ranges.slice(0, Math.max(1, beyond));
}

export type Parted = {
  /** Those of the numbers that waited. */
  readonly waited: ReadonlySet<number>;
  /** First numbers of the ranges that held them, which end. */
  readonly ended: readonly number[];
  /** What may wait in those ranges still. */
  readonly left: readonly Omit<WaitingRange, "records">[];
};

/** Takes numbers of records out of ranges. @param ranges In rising order; none overlaps another. */
export function part(ranges: readonly WaitingRange[], inboxIds: readonly number[]): Parted {
  const wanted = [...new Set(inboxIds)].sort((one, other) => one - other);
  const waited = new Set<number>();
  const ended: number[] = [];
  const left: Parted["left"][number][] = [];
  let next = 0;
  for (const { first, last, records, notBefore } of ranges) {
    while (next < wanted.length && (wanted[next] ?? 0) < first) next++;
    const begin = next;
    while (next < wanted.length && (wanted[next] ?? 0) <= last) next++;
    if (next === begin) continue;
    ended.push(first);
    const inside = wanted.slice(begin, next);
    for (const inboxId of inside) waited.add(inboxId);
    if (inside.length >= records) continue;
    let from = first;
    for (const inboxId of [...inside, last + 1]) {
      if (inboxId > from) left.push({ first: from, last: inboxId - 1, notBefore });
      from = inboxId + 1;
    }
  }
  return { waited, ended, left };
}
