import { appendFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { isMainThread, Worker, workerData } from "node:worker_threads";

/**
 * Ends a process that has used more processor time or memory than it may, and says so in a file: what loops is told apart
 * from what a busy machine only lets wait, and from what failed, and takes no machine down with what it piles up. Loaded into a process, and into all that it starts, by
 * `environmentWithin`.
 */
const LIMIT = "CAIRN_PROCESSOR_SECONDS";
const MOST_BYTES = "CAIRN_PROCESSOR_BYTES";
const TOLD = "CAIRN_PROCESSOR_FILE";
const LOOK_MS = 250;

/** @returns Variables for a child: each process below it may use so many seconds of processor time, and bytes of memory. */
export function environmentWithin({
  seconds,
  file,
  bytes = 4_000_000_000,
}: {
  readonly seconds: number;
  readonly file: string;
  readonly bytes?: number;
}): NodeJS.ProcessEnv {
  return {
    NODE_OPTIONS: [process.env.NODE_OPTIONS, `--import=${pathToFileURL(import.meta.filename).href}`].join(" ").trim(),
    [LIMIT]: String(seconds),
    [MOST_BYTES]: String(bytes),
    [TOLD]: file,
  };
}

type Watched = { readonly seconds: number; readonly bytes: number; readonly file: string; readonly line: string };

/** In a thread of its own, since the main one is what may be looping. */
async function watch({ seconds, bytes, file, line }: Watched): Promise<never> {
  for (;;) {
    const { user, system } = process.cpuUsage();
    if ((user + system) / 1_000_000 > seconds || process.memoryUsage.rss() > bytes) {
      appendFileSync(file, `${line}\n`);
      process.kill(process.pid, "SIGKILL");
    }
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const seconds = Number(process.env[LIMIT] ?? 0);
const bytes = Number(process.env[MOST_BYTES] ?? Number.POSITIVE_INFINITY);
const file = process.env[TOLD];
if (isMainThread && seconds > 0 && file !== undefined) {
  // Stryker numbers its mutants in this variable.
  const line = process.env.__STRYKER_ACTIVE_MUTANT__ ?? "";
  new Worker(new URL(import.meta.url), {
    workerData: { watched: { seconds, bytes, file, line } satisfies Watched },
    execArgv: [],
  }).unref();
} else if (!isMainThread && workerData?.watched !== undefined) await watch(workerData.watched);
