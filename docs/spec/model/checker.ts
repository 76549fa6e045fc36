import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The model checker, installed beside this file on first use: it is no dependency of the project (README.md). */
export const folder = fileURLToPath(new URL(".", import.meta.url));
const quint = `${folder}node_modules/@informalsystems/quint/dist/src/cli.js`;

/** Runs `quint run` on one world of worlds.qnt and returns what it wrote. */
export function search(
  world: string,
  options: readonly string[],
): { readonly stdout: string; readonly stderr: string } {
  if (!existsSync(quint)) {
    process.stderr.write("Installing the model checker (once)...\n");
    const install = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
      cwd: folder,
      stdio: ["ignore", 2, 2],
      shell: process.platform === "win32",
    });
    if (install.status !== 0) throw new Error("The model checker could not be installed: see the messages above.");
  }
  return spawnSync(
    process.execPath,
    [
      quint,
      "run",
      "--backend=typescript",
      "--max-steps=40",
      "--verbosity=1",
      `--main=${world}`,
      ...options,
      "worlds.qnt",
    ],
    { cwd: folder, encoding: "utf8" },
  );
}
