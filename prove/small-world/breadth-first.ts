export type Step<State> = { readonly says: string; readonly state: State };
export type Space<State> = {
  readonly start: State;
  /** Two states with one key are the same state. */
  key(state: State): string;
  next(state: State): readonly Step<State>[];
  /** What is broken in the state; empty when all is well. */
  broken(state: State): readonly string[];
};
export type Explored = {
  readonly states: number;
  readonly transitions: number;
  /** Longest way from the start, in steps. */
  readonly depth: number;
  /** The shortest story that leads to a broken state, and what is broken in it. */
  readonly counterexample: { readonly story: readonly string[]; readonly broken: readonly string[] } | undefined;
};

type Visit<State> = { readonly state: State; readonly says: string; readonly from: Visit<State> | undefined };

/** Visits every state that can be reached, nearest first, so that the first broken one has the shortest story. */
export function explore<State>(space: Space<State>): Explored {
  const seen = new Set([space.key(space.start)]);
  let frontier: Visit<State>[] = [{ state: space.start, says: "", from: undefined }];
  let transitions = 0;
  let depth = 0;
  while (frontier.length > 0) {
    const following: Visit<State>[] = [];
    for (const visit of frontier) {
      const broken = space.broken(visit.state);
      if (broken.length > 0)
        return { states: seen.size, transitions, depth, counterexample: { story: storyOf(visit), broken } };
      for (const { says, state } of space.next(visit.state)) {
        transitions += 1;
        const key = space.key(state);
        if (seen.has(key)) continue;
        seen.add(key);
        following.push({ state, says, from: visit });
      }
    }
    if (following.length > 0) depth += 1;
    frontier = following;
  }
  return { states: seen.size, transitions, depth, counterexample: undefined };
}

function storyOf<State>(visit: Visit<State>): string[] {
  const story: string[] = [];
  for (let at: Visit<State> | undefined = visit; at !== undefined && at.from !== undefined; at = at.from)
    story.unshift(at.says);
  return story;
}
