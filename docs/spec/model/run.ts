import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

/**
 * Searches every world of worlds.qnt at random: the design must keep `safe`, each deliberate mistake must be found.
 *     node docs/spec/model/run.ts [--samples 300] [--seed 0x1] [--json]
 * Installs the model checker beside this file on first use.
 */
const folder = fileURLToPath(new URL(".", import.meta.url));
const quint = `${folder}node_modules/.bin/quint`;
const { values } = parseArgs({
  options: {
    samples: { type: "string", default: "300" },
    seed: { type: "string", default: "0x1" },
    json: { type: "boolean", default: false },
  },
});

type Found = { readonly world: string; readonly expected: string; readonly result: string; readonly seconds: number };

if (!existsSync(quint)) {
  process.stderr.write("Installing the model checker (once)...\n");
  const install = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: folder, stdio: ["ignore", 2, 2] });
  if (install.status !== 0) throw new Error("The model checker could not be installed: see the messages above.");
}

const worlds = [...readFileSync(`${folder}worlds.qnt`, "utf8").matchAll(/^module (\w+)/gm)].map(
  ([, name = ""]) => name,
);
const results: Found[] = [];
for (const world of worlds) {
  const expected = world.startsWith("bug") ? "violation" : "ok";
  const begin = performance.now();
  // A mistake ends its search when it is found, so it may be looked for much longer than the design.
  const samples = Number(values.samples) * (expected === "violation" ? 40 : 1);
  const search = ["--backend=typescript", "--invariant=safe", "--max-steps=40", `--max-samples=${samples}`];
  const run = spawnSync(quint, ["run", ...search, `--seed=${values.seed}`, `--main=${world}`, "worlds.qnt"], {
    cwd: folder,
    encoding: "utf8",
  });
  const result = /^\[(ok|violation)\]/m.exec(run.stdout)?.[1] ?? `failed: ${run.stderr.split("\n")[0]}`;
  results.push({ world, expected, result, seconds: Math.round((performance.now() - begin) / 100) / 10 });
  const mark = result === expected ? "ok    " : "FAILED";
  process.stderr.write(`${mark}  ${world.padEnd(22)} ${result} (${results.at(-1)?.seconds} s)\n`);
}
const asExpected = results.filter(({ expected, result }) => expected === result).length;
if (values.json) process.stdout.write(`${JSON.stringify(results)}\n`);
else process.stdout.write(`${asExpected} passed, ${results.length - asExpected} failed\n`);
process.exitCode = asExpected === results.length ? 0 : 1;
