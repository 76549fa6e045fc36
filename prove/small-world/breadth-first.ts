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

/** How a state was reached. States themselves are forgotten once they are passed: there are too many. */
type Way = { readonly says: string; readonly from: Way | undefined };

/**
 * Visits every state that can be reached, nearest first, so that the first broken one has the shortest story.
 * @param progress Told after each step away from the start: how many states so far, and how deep.
 */
export function explore<State>(
  space: Space<State>,
  progress: (states: number, depth: number) => void = () => {},
): Explored {
  const seen = new Set([space.key(space.start)]);
  let frontier: (readonly [State, Way | undefined])[] = [[space.start, undefined]];
  let transitions = 0;
  let depth = 0;
  while (frontier.length > 0) {
    const following: (readonly [State, Way | undefined])[] = [];
    for (const [at, way] of frontier) {
      const broken = space.broken(at);
      if (broken.length > 0)
        return { states: seen.size, transitions, depth, counterexample: { story: storyOf(way), broken } };
      for (const { says, state } of space.next(at)) {
        transitions += 1;
        const key = space.key(state);
        if (seen.has(key)) continue;
        seen.add(key);
        following.push([state, { says, from: way }]);
      }
    }
    if (following.length > 0) depth += 1;
    frontier = following;
    progress(seen.size, depth);
  }
  return { states: seen.size, transitions, depth, counterexample: undefined };
}

function storyOf(way: Way | undefined): string[] {
  const story: string[] = [];
  for (let at = way; at !== undefined; at = at.from) story.unshift(at.says);
  return story;
}
