import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { SimulationOptions } from "../options.ts";
import type { Counts, Day, Outcome } from "../simulate.ts";

export type Ran = {
  readonly options: SimulationOptions;
  readonly outcome: Outcome;
  /** Of one core, collecting garbage and compiling included. */
  readonly cpuSeconds: number;
};
/** What a worker says. */
export type FromWorker =
  | { readonly kind: "day"; readonly day: Day; readonly counts: Counts }
  | { readonly kind: "ran"; readonly outcome: Outcome; readonly cpuSeconds: number }
  | { readonly kind: "fell-over"; readonly says: string };

const WORKER = fileURLToPath(new URL("economy-worker.ts", import.meta.url));
/**
 * Several threads that collect one program's garbage get in each other's way: one does the same with a fifth less of
 * processor time. Young objects get room enough to die in. What is old is nearly all kept until the economy is over:
 * to go through it again whenever it has grown by half took a fifth of a long economy's time. Megabytes.
 */
const ENGINE = ["--single-threaded-gc", "--max-semi-space-size=32", "--initial-old-space-size=1024"];

/**
 * Runs economies in processes of their own, so many at once, each process one after the other: what the engine has
 * learned to run fast stays. They are given in their order; after one that broke a promise comes none.
 * @throws Error when a process ends, or falls over, before its economy is done.
 */
export async function* runEconomies(
  all: readonly SimulationOptions[],
  jobs: number,
  onDay: (options: SimulationOptions, day: Day, counts: Counts) => void,
): AsyncGenerator<Ran, void, void> {
  const finished = all.map(() => Promise.withResolvers<Ran>());
  const workers: ChildProcess[] = [];
  let next = 0;
  const work = async (worker: ChildProcess): Promise<void> => {
    for (let index = next++; index < all.length; index = next++) {
      const options = all[index] as SimulationOptions;
      const of = finished[index] as PromiseWithResolvers<Ran>;
      try {
        const ran = await runIn(worker, options, (day, counts) => onDay(options, day, counts));
        of.resolve(ran);
        if (ran.outcome.violation !== undefined) next = all.length;
      } catch (error) {
        of.reject(error);
        next = all.length;
      }
    }
  };
  try {
    // Each is looked at in its turn, if ever.
    for (const { promise } of finished) promise.catch(() => undefined);
    for (let number = 0; number < Math.min(jobs, all.length); number += 1) {
      const worker = fork(WORKER, { execArgv: [...process.execArgv, ...ENGINE], serialization: "advanced" });
      workers.push(worker);
      void work(worker);
    }
    for (const { promise } of finished) {
      const ran = await promise;
      yield ran;
      if (ran.outcome.violation !== undefined) return;
    }
  } finally {
    for (const worker of workers) worker.kill();
  }
}

function runIn(
  worker: ChildProcess,
  options: SimulationOptions,
  onDay: (day: Day, counts: Counts) => void,
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const ended = (): void => reject(new Error(`The process that ran economy ${options.seed} ended before its time.`));
    const heard = (message: unknown): void => {
      const said = message as FromWorker;
      if (said.kind === "day") {
        onDay(said.day, said.counts);
        return;
      }
      worker.off("message", heard);
      worker.off("exit", ended);
      if (said.kind === "ran") resolve({ options, outcome: said.outcome, cpuSeconds: said.cpuSeconds });
      else reject(new Error(said.says));
    };
    worker.on("message", heard);
    worker.once("exit", ended);
    worker.send(options);
  });
}
