import { execFileSync } from "node:child_process";
import { appendFile, mkdtemp, rm, statfs } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type SmallDisk = {
  readonly folder: string;
  /** To the last byte. */
  fill(): Promise<void>;
  empty(): Promise<void>;
};

const SIZE = "600m";

/** A disk of its own in memory, to be filled. Undefined where nothing may be mounted: only root on Linux may. */
export async function openSmallDisk(after: (work: () => Promise<void>) => void): Promise<SmallDisk | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "cairn-small-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${SIZE},mode=755`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    await rm(folder, { recursive: true });
    return undefined;
  }
  after(async () => {
    execFileSync("umount", ["--lazy", folder]);
    await rm(folder, { recursive: true });
  });
  const ballast = join(folder, "ballast");
  return {
    folder,
    async fill() {
      for (let { bavail, bsize } = await statfs(folder); bavail > 0; { bavail, bsize } = await statfs(folder))
        await appendFile(ballast, Buffer.alloc(bavail * bsize)).catch(() => undefined);
    },
    empty: () => rm(ballast, { force: true }),
  };
}
