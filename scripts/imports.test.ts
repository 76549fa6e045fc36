import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { dirname, join, relative, resolve } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** Imports run one way, and the steps know no machine. Decision: docs/decisions/0002-imports-one-way.md. */
const root = fileURLToPath(new URL("..", import.meta.url));

const STEPS = ["issue", "pay", "collect", "settle"];
/** What each package may import of ours. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  cose: [],
  messages: ["cose"],
  issue: ["messages", "cose"],
  pay: ["messages", "cose"],
  collect: ["messages", "cose"],
  settle: ["messages", "cose"],
  stores: [...STEPS, "messages", "cose"],
  issuer: ["stores", ...STEPS, "messages", "cose"],
};
/** Packages that run in browsers and in virtual time: no Node modules, no clock, no chance, no network of their own. */
const PURE = ["cose", "messages", ...STEPS];
/** The one file of a pure package that is for Node alone, behind an entry of its own. */
const NODE_ONLY = ["packages/cose/src/es256-node.ts"];
const IMPURE =
  /\b(?:Date\.now|new Date|Math\.random|setTimeout|setInterval|setImmediate|fetch|performance\.now|process\.|console\.)/;

const IMPORT = /(?:^|\n)\s*(?:import|export)\b[^;]*?\bfrom\s*["']([^"']+)["']|\bimport\(\s*["']([^"']+)["']\s*\)/g;
const importsOf = (source: string): string[] => [...source.matchAll(IMPORT)].map((match) => match[1] ?? match[2] ?? "");
const withoutComments = (source: string): string => source.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\/\/.*$/gm, "");

async function sources(folder: string): Promise<{ file: string; source: string }[]> {
  const found: { file: string; source: string }[] = [];
  for await (const file of glob(`${folder}/**/*.ts`, { cwd: root, exclude: (name) => name === "node_modules" })) {
    found.push({ file, source: await readFile(join(root, file), "utf8") });
  }
  return found;
}

for (const [name, allowed] of Object.entries(ALLOWED)) {
  test(`packages/${name} imports only ${allowed.join(", ") || "nothing of ours"}`, async () => {
    const manifest = JSON.parse(await readFile(join(root, "packages", name, "package.json"), "utf8"));
    const declared = Object.keys(manifest.dependencies ?? {}).filter((dependency) => dependency.startsWith("@cairn/"));
    assert.deepEqual(
      declared.filter((dependency) => !allowed.includes(dependency.slice("@cairn/".length))),
      [],
      "declared dependencies",
    );
    const files = await sources(`packages/${name}/src`);
    assert.ok(files.length > 0, "the package has sources");
    for (const { file, source } of files) {
      for (const target of importsOf(source)) {
        if (target.startsWith("@cairn/")) {
          const wanted = target.split("/")[1] ?? "";
          assert.ok(allowed.includes(wanted), `${file} imports ${target}`);
        } else if (target.startsWith(".")) {
          const inside = relative(join(root, "packages", name), resolve(root, dirname(file), target));
          assert.ok(!inside.startsWith(".."), `${file} reaches out of its package: ${target}`);
        }
      }
    }
  });
}

for (const name of PURE) {
  test(`packages/${name} knows no clock, chance, disk or network`, async () => {
    for (const { file, source } of await sources(`packages/${name}/src`)) {
      if (NODE_ONLY.includes(file)) continue;
      assert.deepEqual(
        importsOf(source).filter((target) => target.startsWith("node:")),
        [],
        file,
      );
      const code = withoutComments(source);
      assert.doesNotMatch(code, IMPURE, file);
    }
  });
}

test("the check itself sees imports of every form", () => {
  const seen = importsOf(
    'import a from "x";\nexport * from "./y.ts";\nimport {\n  b,\n} from "z";\nconst c = await import("w");',
  );
  assert.deepEqual(seen, ["x", "./y.ts", "z", "w"]);
});
