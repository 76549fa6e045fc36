import { spawnSync } from "node:child_process";
import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";
import { root } from "./process.ts";

/** When, on what and of which sources a search ran: numbers say little without it. */
export type Machine = {
  readonly date: string;
  readonly processor: string;
  readonly platform: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
  /** Of the repository, short; with "and changes" where files differed from it. Undefined outside a checkout. */
  readonly commit?: string | undefined;
};

export function machineNow(): Machine {
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model ?? arch(),
    platform: `${platform()} ${arch()}`,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    commit: commitNow(),
  };
}

function commitNow(): string | undefined {
  const git = (...args: readonly string[]): string | undefined => {
    const { status, stdout } = spawnSync("git", args, { cwd: root, encoding: "utf8" });
    return status === 0 ? stdout.trim() : undefined;
  };
  const commit = git("rev-parse", "--short=10", "HEAD");
  const isChanged = git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!prove/results") !== "";
  return commit !== undefined && isChanged ? `${commit} and changes` : commit;
}
