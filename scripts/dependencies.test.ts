import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const read = (file: string): Promise<string> => readFile(join(root, file), "utf8");

async function declaredDependencies(): Promise<Map<string, string>> {
  const declared = new Map<string, string>();
  const manifests = ["package.json"];
  for await (const file of glob("{packages,apps}/*/package.json", { cwd: root })) manifests.push(file);
  for (const manifest of manifests) {
    const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = JSON.parse(await read(manifest));
    for (const [name, version] of Object.entries<string>({
      ...dependencies,
      ...devDependencies,
      ...optionalDependencies,
    })) {
      if (!name.startsWith("@cairn/")) declared.set(name, version);
    }
  }
  return declared;
}

test("every dependency is pinned to one version and has its reason in docs/dependencies.md", async () => {
  const reasons = await read("docs/dependencies.md");
  for (const [name, version] of await declaredDependencies()) {
    assert.match(version, /^\d+\.\d+\.\d+$/, `${name} is not pinned`);
    assert.ok(
      reasons.includes(`\`${name}\` ${version}`),
      `docs/dependencies.md has no line for \`${name}\` ${version}`,
    );
  }
});

test("no dependency runs a script when it is installed, and the lock file names no server", async () => {
  const { packages } = JSON.parse(await read("package-lock.json"));
  for (const [path, entry] of Object.entries<{ hasInstallScript?: boolean; resolved?: string; link?: boolean }>(
    packages,
  )) {
    assert.ok(entry.hasInstallScript !== true, `${path} has an install script`);
    assert.ok(entry.link === true || entry.resolved === undefined, `${path} names where it was fetched from`);
  }
});
