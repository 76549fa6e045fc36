import { spawnSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join } from "node:path";

/**
 * How a process is kept from reaching anything. Two walls, the second where the machine allows it:
 *
 * - always: Node's permission model without `--allow-net`: the runtime itself refuses every connection;
 * - Linux, where a network namespace may be made: the kernel gives the process a network with nothing in it.
 */
export type Wall = { readonly name: string; readonly wrap: (command: readonly string[]) => readonly string[] };

const NAMESPACES: readonly (readonly string[])[] = [
  ["unshare", "--net", "--"],
  ["unshare", "--map-root-user", "--net", "--"],
];

/** The strongest wall that this machine can put up. */
export function findWall(): Wall {
  for (const prefix of NAMESPACES) {
    if (spawnSync(prefix[0] ?? "", [...prefix.slice(1), "true"]).status === 0) {
      return {
        name: "an empty network namespace of the kernel, and a runtime started without the right to use a network",
        wrap: (command) => [...prefix, ...command],
      };
    }
  }
  return { name: "a runtime started without the right to use a network", wrap: (command) => command };
}

/** Where Node keeps compiled sources between runs: without it each process would compile everything anew. */
const COMPILE_CACHE = join(tmpdir(), "node-compile-cache");

/** Flags of Node's permission model for a process that may read anything, write only these folders, and use no network. */
export function withoutNetwork(folders: readonly string[]): readonly string[] {
  const writableFolders = [...folders, COMPILE_CACHE];
  return ["--permission", "--allow-fs-read=*", ...writableFolders.map((folder) => `--allow-fs-write=${folder}`)];
}
