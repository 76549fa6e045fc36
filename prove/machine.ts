import { arch, availableParallelism, cpus, platform, totalmem } from "node:os";

/** When and on what a search ran: numbers say little without it. */
export type Machine = {
  readonly date: string;
  readonly processor: string;
  readonly platform: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly node: string;
};

export function machineNow(): Machine {
  return {
    date: new Date().toISOString(),
    processor: cpus()[0]?.model ?? arch(),
    platform: `${platform()} ${arch()}`,
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}
