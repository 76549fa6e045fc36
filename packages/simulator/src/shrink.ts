import type { SimulationOptions } from "./options.ts";
import { type Outcome, simulate } from "./simulate.ts";

/** A broken promise with as little around it as could be found. */
export type ShortestStory = {
  readonly outcome: Outcome;
  /** Plan items and strikes of fate without which it does not break. */
  readonly only: readonly string[];
  readonly days: number;
  /** Runs that it took to find it. */
  readonly runs: number;
};

/** No more runs than this, however long the story still is. */
const MOST_RUNS = 400;

/**
 * Leaves out ever more of what happened, as long as the same promise breaks: days, then faults, then whatever else
 * (delta debugging: Zeller and Hildebrandt, "Simplifying and Isolating Failure-Inducing Input", 2002). Chance is drawn
 * for each item of the plan by itself, so what stays happens as before.
 */
export async function shortestStory(
  options: SimulationOptions,
  broken: Outcome,
  onRun?: (left: number, runs: number) => void,
): Promise<ShortestStory> {
  const promise = broken.violation?.promise;
  let runs = 0;
  let best = broken;
  const days = Math.max(1, broken.days.length);
  const attempt = async (only: readonly string[]): Promise<boolean> => {
    if (runs >= MOST_RUNS) return false;
    runs += 1;
    const outcome = await simulate({ ...options, days, only: new Set(only), isTold: false });
    const isSame = outcome.violation?.promise === promise;
    if (isSame) best = outcome;
    onRun?.(only.length, runs);
    return isSame;
  };
  let items = await reduced(
    best.items.map(String),
    attempt,
    broken.strikes.map(({ id }) => id),
  );
  const strikes = await reduced(strikesOf(best), (kept) => attempt([...items, ...kept]), []);
  items = await reduced(items, attempt, strikes);
  const only = [...items, ...strikes];
  const outcome = await simulate({ ...options, days, only: new Set(only), isTold: true });
  return { outcome: outcome.violation === undefined ? best : outcome, only, days, runs };
}

const strikesOf = (outcome: Outcome): readonly string[] => outcome.strikes.map(({ id }) => id);

/** A small part of the list that still fails: halves first, then ever smaller pieces, each left out in turn. */
async function reduced(
  whole: readonly string[],
  fails: (kept: readonly string[]) => Promise<boolean>,
  always: readonly string[],
): Promise<readonly string[]> {
  let kept = whole;
  for (let pieces = 2; kept.length > 0; ) {
    const size = Math.ceil(kept.length / pieces);
    let isSmaller = false;
    for (let from = 0; from < kept.length; from += size) {
      const rest = [...kept.slice(0, from), ...kept.slice(from + size)];
      if (!(await fails([...rest, ...always]))) continue;
      kept = rest;
      isSmaller = true;
      from -= size;
    }
    if (size === 1) return kept;
    pieces = isSmaller ? 2 : pieces * 2;
  }
  return kept;
}
