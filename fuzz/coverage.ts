import { type Profiler, Session } from "node:inspector";

/** V8 counts blocks only in functions that it compiles after this: import it before what is to be watched. */
const session = new Session();
session.connect();
session.post("Profiler.enable");
session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });

/**
 * Which parts of our sources have run, by V8's own counters: no instrumented build, and exactly the code that ships.
 * Asking costs milliseconds, so the search asks once for many inputs and looks closer only when something new ran.
 */
export class Coverage {
  /** Of each script, which characters have run: 1 for those. */
  readonly #reached = new Map<string, Uint8Array>();
  readonly #isOurs: (url: string) => boolean;
  #count = 0;

  /** @param isOurs Which scripts count, by their URL. */
  constructor(isOurs: (url: string) => boolean) {
    this.#isOurs = isOurs;
    // What ran before, such as the loading of modules, is nobody's merit.
    take();
  }

  /** Characters of our sources known to be reached. */
  get reached(): number {
    return this.#count;
  }

  /** How many characters ran since the last call and never before. They are remembered only when `remember` says so. */
  news(remember: boolean): number {
    let found = 0;
    for (const { url, functions } of take()) {
      if (!this.#isOurs(url)) continue;
      const ran = paint(functions);
      const before = this.#reachedOf(url, ran.length);
      for (let at = 0; at < ran.length; at++) {
        if (ran[at] !== 1 || before[at] === 1) continue;
        found += 1;
        if (remember) before[at] = 1;
      }
    }
    if (remember) this.#count += found;
    return found;
  }

  #reachedOf(url: string, length: number): Uint8Array {
    const known = this.#reached.get(url);
    if (known !== undefined && known.length >= length) return known;
    const grown = new Uint8Array(length);
    if (known !== undefined) grown.set(known);
    this.#reached.set(url, grown);
    return grown;
  }
}

/** An inspector session of one's own thread answers before `post` returns. */
function take(): readonly Profiler.ScriptCoverage[] {
  let taken: readonly Profiler.ScriptCoverage[] = [];
  session.post("Profiler.takePreciseCoverage", (error, answer) => {
    if (error !== null) throw error;
    taken = answer.result;
  });
  return taken;
}

/** V8 names a block only where its count differs from what is around it; inner ranges come after outer ones. */
function paint(functions: readonly Profiler.FunctionCoverage[]): Uint8Array {
  const end = functions.reduce((most, { ranges }) => Math.max(most, ranges[0]?.endOffset ?? 0), 0);
  const ran = new Uint8Array(end);
  for (const { ranges } of functions)
    for (const { startOffset, endOffset, count } of ranges) ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return ran;
}
