import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { glob, mkdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * `node scripts/build-apps.ts`: builds the wallet and the terminal app into apps/NAME/dist, from where the issuer's
 * server serves them. Does nothing when their sources are as they were at the last build.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
export const APPS = ["wallet", "terminal"] as const;
const SOURCES = [
  "apps/*/{src,public,build}/**",
  "apps/*/*.{ts,html,json}",
  "packages/*/src/**/*.ts",
  "package-lock.json",
];

export async function buildApps(): Promise<{ readonly built: boolean }> {
  const stamp = join(root, "apps/.built");
  const wanted = await sourcesHash();
  const isBuilt = APPS.every((app) => existsSync(join(root, "apps", app, "dist/sw.js")));
  if (isBuilt && existsSync(stamp) && (await readFile(stamp, "utf8")) === wanted) return { built: false };
  // Two at once would write into each other's files: the later one waits, and then finds that it is done.
  const lock = join(root, "apps/.building");
  if (!(await takeLock(lock))) return buildApps();
  try {
    await buildAll();
    await writeFile(stamp, wanted);
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
  return { built: true };
}

/** A build that was cut off leaves its lock: after a few minutes it counts as gone. */
const LOCK_STALE_MS = 5 * 60_000;

/** False when another process had it and has let go of it. */
async function takeLock(lock: string): Promise<boolean> {
  try {
    await mkdir(lock);
    return true;
  } catch {
    const since = await stat(lock).catch(() => undefined);
    if (since !== undefined && Date.now() - since.mtimeMs > LOCK_STALE_MS)
      await rm(lock, { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, 300));
    return false;
  }
}

async function buildAll(): Promise<void> {
  // Loaded only when there is something to build: the bundler takes its time to start.
  const { build } = await import("vite");
  const { appConfig } = await import("../apps/kit/build/vite.ts");
  for (const app of APPS) await build(appConfig(join(root, "apps", app)));
}

async function sourcesHash(): Promise<string> {
  const files: string[] = [];
  for await (const entry of glob(SOURCES, {
    cwd: root,
    withFileTypes: true,
    exclude: ["**/node_modules/**", "**/dist/**"],
  }))
    if (entry.isFile()) files.push(join(entry.parentPath, entry.name));
  const hash = createHash("sha256");
  for (const file of files.toSorted()) hash.update(file.slice(root.length)).update(await readFile(file));
  return hash.digest("hex");
}

if (import.meta.main) {
  const { built } = await buildApps();
  if (built) process.stderr.write("Built the wallet and the terminal app.\n");
}
