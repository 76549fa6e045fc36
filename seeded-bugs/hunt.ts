import { spawn } from "node:child_process";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { environmentWithin } from "../testing/processor-time.ts";
import { SEARCHES, type SearchName, type SeededBug } from "./bug.ts";
import type { PatchedCopy } from "./patched-copy.ts";

export type Caught = {
  readonly bug: string;
  readonly breaks: number;
  readonly caughtBy: SearchName | undefined;
  /** A search that never ended, although nobody expected that of the bug: not caught, and to be looked at. */
  readonly hung: SearchName | undefined;
  /** From the start of the first search to the failing one's end, searches before it included. */
  readonly seconds: number;
};

export type Limits = {
  /** Of processor time, for each process: a search without bug takes at most fifteen. */
  readonly processorSeconds: number;
  /** For what neither ends nor works, however busy the machine is. */
  readonly wallClockMs: number;
};
const LIMITS: Limits = { processorSeconds: 120, wallClockMs: 1_800_000 };

/**
 * Lets the searches at the bug, its own first, until one fails.
 * @param others What is tried when that finds nothing. Searches that find nothing where there is no bug.
 */
export async function hunt(
  bug: SeededBug,
  copy: PatchedCopy,
  others: readonly SearchName[] = [],
  limits: Limits = LIMITS,
): Promise<Caught> {
  const order: SearchName[] = [bug.search, ...others.filter((name) => name !== bug.search)];
  copy.plant(bug);
  const begin = performance.now();
  const ended = (caughtBy: SearchName | undefined, hung?: SearchName): Caught => ({
    bug: bug.name,
    breaks: bug.breaks,
    caughtBy,
    hung,
    seconds: Math.round((performance.now() - begin) / 10) / 100,
  });
  try {
    await mustLoad(bug, copy);
    let hung: SearchName | undefined;
    for (const name of order) {
      const end = await run(SEARCHES[name], copy, limits);
      if (end === "failed" || (end === "hung" && bug.mayHang)) return ended(name);
      if (end === "hung") hung ??= name;
    }
    return ended(undefined, hung);
  } finally {
    copy.heal(bug);
  }
}

export const searchNames = Object.keys(SEARCHES) as SearchName[];

/** Whether a search finds nothing. */
export async function passes(name: SearchName, copy: PatchedCopy): Promise<boolean> {
  return (await run(SEARCHES[name], copy, LIMITS)) === "passed";
}

/** A patch that only breaks the syntax would be caught by anything. */
async function mustLoad(bug: SeededBug, copy: PatchedCopy): Promise<void> {
  for (const { file } of bug.edits) {
    const load = ["--input-type=module", "-e", `await import(${JSON.stringify(`./${file}`)})`];
    if ((await run(load, copy, LIMITS)) !== "passed")
      throw new Error(`${bug.name}: ${file} does not load with its patch.`);
  }
}

type End = "passed" | "failed" | "hung";

function run(
  args: readonly string[],
  { folder }: PatchedCopy,
  { processorSeconds, wallClockMs }: Limits,
): Promise<End> {
  return new Promise((resolve, reject) => {
    // The runner tells tests by this variable that they run inside another test, and then reports differently.
    const { NODE_TEST_CONTEXT: _inner, ...environment } = process.env;
    const looped = join(folder, "looped.txt");
    rmSync(looped, { force: true });
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: "ignore",
      env: {
        ...environment,
        ...environmentWithin({ seconds: processorSeconds, file: looped }),
        NODE_NO_WARNINGS: "1",
        // What no bug changed is read once for all of them.
        NODE_COMPILE_CACHE: join(folder, "compiled"),
      },
    });
    let isWaiting = false;
    const patience = setTimeout(() => {
      isWaiting = true;
      child.kill("SIGKILL");
    }, wallClockMs);
    child.on("error", reject);
    child.on("close", (code) => {
      clearTimeout(patience);
      if (isWaiting || existsSync(looped)) resolve("hung");
      else resolve(code === 0 ? "passed" : "failed");
    });
  });
}
