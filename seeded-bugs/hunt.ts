import { spawn } from "node:child_process";
import { SEARCHES, type SearchName, type SeededBug } from "./bug.ts";
import type { PatchedCopy } from "./patched-copy.ts";

export type Caught = {
  readonly bug: string;
  readonly breaks: number;
  readonly caughtBy: SearchName | undefined;
  /** From the start of the first search to the failing one's end, searches before it included. */
  readonly seconds: number;
};

/** A search that goes on longer has been caught in a loop, which is a catch. */
const LONGEST_MS = 120_000;

/**
 * Lets the searches at the bug, its own first, until one fails.
 * @param others What is tried when that finds nothing. Searches that find nothing where there is no bug.
 */
export async function hunt(bug: SeededBug, copy: PatchedCopy, others: readonly SearchName[] = []): Promise<Caught> {
  const order: SearchName[] = [bug.search, ...others.filter((name) => name !== bug.search)];
  copy.plant(bug);
  const begin = performance.now();
  const caught = (by: SearchName | undefined): Caught => ({
    bug: bug.name,
    breaks: bug.breaks,
    caughtBy: by,
    seconds: Math.round((performance.now() - begin) / 10) / 100,
  });
  try {
    await mustLoad(bug, copy);
    for (const name of order) if (!(await passes(name, copy))) return caught(name);
    return caught(undefined);
  } finally {
    copy.heal(bug);
  }
}

export const searchNames = Object.keys(SEARCHES) as SearchName[];

/** Whether a search finds nothing. */
export async function passes(name: SearchName, copy: PatchedCopy): Promise<boolean> {
  return (await run(SEARCHES[name], copy)) === 0;
}

/** A patch that only breaks the syntax would be caught by anything. */
async function mustLoad(bug: SeededBug, copy: PatchedCopy): Promise<void> {
  for (const { file } of bug.edits) {
    const code = await run(["--input-type=module", "-e", `await import(${JSON.stringify(`./${file}`)})`], copy);
    if (code !== 0) throw new Error(`${bug.name}: ${file} does not load with its patch.`);
  }
}

function run(args: readonly string[], { folder }: PatchedCopy): Promise<number | null> {
  return new Promise((resolve, reject) => {
    // The runner tells tests by this variable that they run inside another test, and then reports differently.
    const { NODE_TEST_CONTEXT: _inner, ...environment } = process.env;
    const child = spawn(process.execPath, args, {
      cwd: folder,
      stdio: "ignore",
      env: { ...environment, NODE_NO_WARNINGS: "1" },
      timeout: LONGEST_MS,
    });
    child.on("error", reject);
    child.on("close", resolve);
  });
}
