import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";

/** The lint rules that keep the pure packages pure are only worth something if they refuse. So: planted violations. */
const root = fileURLToPath(new URL("..", import.meta.url));
const biome = join(root, "node_modules/@biomejs/biome/bin/biome");

const PURE = ["cose", "messages", "issue", "pay", "collect", "settle"];
/** Sources by the rule that has to refuse them. */
const VIOLATIONS: Readonly<Record<string, readonly string[]>> = {
  "lint/correctness/noNodejsModules": [
    'import { readFileSync } from "node:fs";\nexport const x = readFileSync;\n',
    'import "node:fs";\n',
    'export const x = await import("node:fs");\n',
  ],
  "lint/style/noRestrictedImports": [
    'import { nodeCrypto } from "@cairn/cose/node";\nexport const x = nodeCrypto;\n',
    'import { nodeCrypto } from "./node/es256.ts";\nexport const x = nodeCrypto;\n',
  ],
  "lint/correctness/noUndeclaredDependencies": [
    'import fastify from "fastify";\nexport const x = fastify;\n',
    'import { x } from "@cairn/stores";\nexport const y = x;\n',
  ],
  "lint/style/noRestrictedGlobals": [
    "export const x = Date.now();\n",
    "export const x = new Date();\n",
    "export const x = performance.now();\n",
    "setTimeout(() => {}, 1);\n",
    "setInterval(() => {}, 1);\n",
    "setImmediate(() => {});\n",
    'export const x = fetch("http://127.0.0.1");\n',
    'export const x = new WebSocket("ws://127.0.0.1");\n',
    "export const x = process.pid;\n",
    'export const x = Buffer.from("x");\n',
    'console.log("x");\n',
  ],
};
const ALLOWED = {
  "packages/cose/src/node/es256.ts": 'import { verify } from "node:crypto";\nexport const x = verify;\n',
  "packages/pay/src/pure.ts": "export const x = Math.max(1, 2);\n",
  "packages/pay/test/pay.test.ts":
    'import "node:fs";\nimport "@cairn/cose/node";\nimport "fast-check";\nexport const x = Date.now();\n',
};

const world = await mkdtemp(join(tmpdir(), "cairn-lint-"));
after(() => rm(world, { recursive: true, force: true }));

async function plant(file: string, source: string): Promise<void> {
  await mkdir(dirname(join(world, file)), { recursive: true });
  await writeFile(join(world, file), source);
}

for (const file of ["biome.json", "package.json"]) await cp(join(root, file), join(world, file));
const planted: { rule: string; file: string; source: string }[] = [];
for (const name of PURE) {
  await cp(join(root, "packages", name, "package.json"), join(world, "packages", name, "package.json"));
  for (const [rule, list] of Object.entries(VIOLATIONS)) {
    for (const source of list)
      planted.push({ rule, file: `packages/${name}/src/planted-${planted.length}.ts`, source });
  }
}
for (const { file, source } of planted) await plant(file, source);
for (const [file, source] of Object.entries(ALLOWED)) await plant(file, source);

const run = spawnSync(
  process.execPath,
  [biome, "lint", "--vcs-enabled=false", "--max-diagnostics=none", "--reporter=json", "."],
  { cwd: world, encoding: "utf8" },
);
type Report = { readonly diagnostics: readonly { readonly category: string; readonly location: { path: string } }[] };
const { diagnostics }: Report = JSON.parse(run.stdout);

test("the linter refuses what a pure package must not do, each for its own reason", () => {
  const missed = planted.filter(
    ({ rule, file }) => !diagnostics.some(({ category, location }) => category === rule && location.path === file),
  );
  assert.deepEqual(missed, []);
});

test("the linter lets pass what is allowed", () => {
  assert.deepEqual(
    diagnostics.filter(({ location }) => Object.keys(ALLOWED).includes(location.path)),
    [],
  );
});
