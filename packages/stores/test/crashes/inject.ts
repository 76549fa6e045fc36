import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { FAULTS, type Fault, hasTracer } from "./faults.ts";
import { CrashRun } from "./run.ts";
import { postgresTarget, sqliteTarget, type Target } from "./targets.ts";

export type CrashReport = {
  readonly seed: number;
  readonly crashes: number;
  /** How many of each, by store and fault. */
  readonly injected: Readonly<Record<string, number>>;
  /** Faults that cannot be injected here, with the reason. */
  readonly leftOut: readonly string[];
  readonly settledPayments: number;
  readonly seconds: number;
};

/** After so many crashes a new database, so that looking at all of it after each one stays quick. */
const CRASHES_A_DATABASE = 40;
const SMALL_DISK = "220m";

/**
 * Injects crashes, the kinds taking turns, and verifies after each. Throws at the first thing that is not as it must be.
 * Everything follows from the seed, but for when exactly a blow lands.
 */
export async function injectCrashes(options: {
  readonly stores: readonly Target["kind"][];
  readonly count: number;
  readonly seed: number;
  readonly progress?: (line: string) => void;
}): Promise<CrashReport> {
  const { stores, count, seed, progress = () => undefined } = options;
  const began = Date.now();
  const tracer = hasTracer();
  const disk = await smallDisk();
  const leftOut = new Set<string>();
  const injected: Record<string, number> = {};
  let done = 0;
  let settledPayments = 0;
  try {
    const perStore = Math.ceil(count / stores.length);
    for (const store of stores) {
      const wanted = Math.min(perStore, count - done);
      const possible = FAULTS.filter((fault) => {
        if (!fault.stores.includes(store)) return false;
        const isPossible = fault.needs === "tracer" ? tracer : fault.needs !== "small disk" || disk !== undefined;
        if (!isPossible) leftOut.add(`${fault.name}: ${fault.needs === "tracer" ? "no strace" : "may not mount"}`);
        return isPossible;
      });
      const turns = Array.from({ length: wanted }, (_, turn) => possible[turn % possible.length]);
      // What fills the disk needs a small one; everything else a real one, where flushing means something.
      for (const onSmallDisk of [false, true]) {
        const faults = turns.filter((fault): fault is Fault => (fault?.needs === "small disk") === onSmallDisk);
        for (let first = 0; first < faults.length; first += CRASHES_A_DATABASE) {
          const target = await open(store, onSmallDisk ? disk : undefined);
          try {
            const run = new CrashRun(target, seed + done);
            await run.prepare();
            for (const fault of faults.slice(first, first + CRASHES_A_DATABASE)) {
              await run.crash(fault);
              done++;
              const name = `${store}: ${fault.name}`;
              injected[name] = (injected[name] ?? 0) + 1;
              progress(`${done}/${count} ${name}; ${run.settled} payments settled so far`);
            }
            await run.finish();
            settledPayments += run.settled;
          } finally {
            await target.close();
          }
        }
      }
    }
  } finally {
    await disk?.remove();
  }
  const seconds = Math.round((Date.now() - began) / 1_000);
  return { seed, crashes: done, injected, leftOut: [...leftOut], settledPayments, seconds };
}

function open(store: Target["kind"], disk: SmallDisk | undefined): Promise<Target> {
  return store === "sqlite" ? sqliteTarget(disk?.folder) : postgresTarget(disk?.folder);
}

type SmallDisk = { readonly folder: string; remove(): Promise<void> };

/** A disk that can be filled without harm to the machine's own; undefined where mounting is not allowed. */
async function smallDisk(): Promise<SmallDisk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-small-disk-"));
  const remove = async (): Promise<void> => {
    execFileSync("umount", [folder]);
    await rm(folder, { recursive: true });
  };
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SMALL_DISK},mode=755`, "tmpfs", folder], { stdio: "ignore" });
    return { folder, remove };
  } catch {
    await rm(folder, { recursive: true, force: true });
    return undefined;
  }
}
