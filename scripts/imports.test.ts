import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { isBuiltin } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/**
 * Imports run one way. Decision: docs/decisions/0002-imports-one-way.md.
 *
 * Which package may import which of ours is said by its package.json, and the linter refuses imports that are not
 * declared there. So this file compares each package.json with the graph below, and looks at what the linter cannot
 * see: relative imports that leave a package, and what the linter lets pass in tests, benchmarks and the demo.
 */
const root = fileURLToPath(new URL("..", import.meta.url));

const STEPS = ["issue", "pay", "collect", "settle"];
/** What each package, by its folder, imports of ours: exactly this. */
const GRAPH: Readonly<Record<string, readonly string[]>> = {
  "packages/cose": [],
  "packages/messages": ["cose"],
  "packages/issue": ["messages", "cose"],
  "packages/pay": ["messages", "cose"],
  "packages/collect": ["messages", "cose"],
  "packages/settle": ["messages", "cose"],
  "packages/stores": [...STEPS, "messages", "cose"],
  "packages/issuer": ["stores", ...STEPS, "messages", "cose"],
  "packages/simulator": ["issuer", "stores", ...STEPS, "messages", "cose"],
  "packages/cairn": ["simulator", "issuer"],
  "apps/kit": ["issuer", "stores", "collect", "messages", "cose"],
  "apps/wallet": ["app-kit", "issuer", "stores", "pay", "collect", "messages", "cose"],
  "apps/terminal": ["app-kit", "issuer", "stores", "collect", "messages", "cose"],
};
/** Sources that know no clock and no chance. The linter refuses the globals; these members it cannot name. */
const PURE_SOURCE = /^packages\/(?:cose|messages|issue|pay|collect|settle)\/src\//;
const IMPURE_MEMBER =
  /\bMath\s*\.\s*random\b|\bglobalThis\s*(?:\[|\.\s*(?!crypto\b))|\b(?:getRandomValues|randomUUID)\b/;

const IMPORT =
  /(?:^|\n)\s*(?:import|export)\b(?:[^;"'`]*?\bfrom)?\s*["']([^"']+)["']|\b(?:import|require)\(\s*["'`]([^"'`]+)["'`]/g;
const importsOf = (source: string): string[] => [...source.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? "");
const withoutComments = (source: string): string => source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");
/** `@scope/name/entry` and `name/entry` without the entry. */
const packageOf = (target: string): string => target.split("/", target.startsWith("@") ? 2 : 1).join("/");
/** `packages/pay` of `packages/pay/src/pay.ts`, undefined for what lies in no package. */
const folderOf = (file: string): string | undefined => /^(?:packages|apps)\/[^/]+/.exec(file)?.[0];

type Manifest = {
  readonly name?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
};

async function manifest(folder: string): Promise<Manifest> {
  return JSON.parse(await readFile(join(root, folder, "package.json"), "utf8"));
}

async function declaredIn(folder: string): Promise<string[]> {
  const { dependencies = {}, devDependencies = {} } = await manifest(folder);
  return [...Object.keys(dependencies), ...Object.keys(devDependencies)];
}

async function sources(): Promise<{ file: string; source: string }[]> {
  const found: { file: string; source: string }[] = [];
  const pattern = "{{packages,apps}/*/{src,test},bench,demo,testing,vectors,fuzz,prove,seeded-bugs}/**/*.{ts,tsx}";
  for await (const path of glob(pattern, { cwd: root, exclude: ["**/node_modules/**"] })) {
    found.push({ file: path.replaceAll("\\", "/"), source: await readFile(join(root, path), "utf8") });
  }
  return found;
}

const files = await sources();

test("every package has its place in the graph", async () => {
  const names: string[] = [];
  for await (const path of glob("{packages,apps}/*/package.json", { cwd: root }))
    names.push(dirname(path).replaceAll("\\", "/"));
  assert.deepEqual(names.toSorted(), Object.keys(GRAPH).toSorted());
});

for (const [folder, imported] of Object.entries(GRAPH)) {
  test(`${folder} depends on ${imported.join(", ") || "nothing"} of ours`, async () => {
    const { dependencies = {}, devDependencies = {} } = await manifest(folder);
    const ours = (names: string[]): string[] => names.filter((one) => one.startsWith("@cairn/")).toSorted();
    assert.deepEqual(ours(Object.keys(dependencies)), imported.map((one) => `@cairn/${one}`).toSorted());
    assert.deepEqual(ours(Object.keys(devDependencies)), []);
  });
}

test("no relative import leads from one package into another, or from sources to anywhere else", () => {
  assert.ok(files.length > 0, "there are sources");
  for (const { file, source } of files) {
    const home = folderOf(file);
    if (home === undefined) continue;
    for (const target of importsOf(source).filter((one) => one.startsWith("."))) {
      const reached: string = relative(root, resolve(root, dirname(file), target)).replaceAll("\\", "/");
      const isInside: boolean = folderOf(reached) === home;
      const isTest = file.startsWith(`${home}/test/`);
      assert.ok(isInside || (isTest && folderOf(reached) === undefined), `${file} leaves its package: ${target}`);
      assert.ok(isTest || !reached.startsWith(`${home}/test/`), `${file} imports from tests: ${target}`);
    }
  }
});

test("tests, benchmarks and the demo import only what some package.json declares", async () => {
  const everywhere = new Set(await declaredIn("."));
  for (const folder of Object.keys(GRAPH)) {
    const { name } = await manifest(folder);
    if (name !== undefined) everywhere.add(name);
    for (const dependency of await declaredIn(folder)) everywhere.add(dependency);
  }
  for (const { file, source } of files) {
    for (const target of importsOf(source).filter((one) => !one.startsWith(".") && !isBuiltin(one))) {
      assert.ok(everywhere.has(packageOf(target)), `${file} imports ${target}`);
    }
  }
});

test("cose, messages and the steps take chance from their ports and reach for no hidden global", () => {
  for (const { file, source } of files) {
    if (PURE_SOURCE.test(file)) assert.doesNotMatch(withoutComments(source), IMPURE_MEMBER, file);
  }
});

test("the check itself sees imports of every form, and impure members", () => {
  const source = [
    'import a from "one";',
    'export * from "./two.ts";',
    'import {\n  b,\n} from "three";',
    'const c = await import("four");',
    'import "five";',
    'import type { D } from "@scope/six/entry";',
    'export const said = "import x from seven";',
  ].join("\n");
  assert.deepEqual(importsOf(source), ["one", "./two.ts", "three", "four", "five", "@scope/six/entry"]);
  assert.equal(packageOf("@scope/six/entry"), "@scope/six");
  assert.equal(packageOf("three/entry"), "three");
  for (const impure of ["Math.random()", "globalThis.setTimeout(f)", "globalThis['Date']", "crypto.randomUUID()"]) {
    assert.match(impure, IMPURE_MEMBER);
  }
  assert.doesNotMatch("globalThis.crypto.subtle; Math.round(1)", IMPURE_MEMBER);
});
