import { spawnSync } from "node:child_process";
import { glob } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** Runs every test of the project with Node's own runner. Further arguments go to it: `npm test -- --test-name-pattern=replay`. */
const root = fileURLToPath(new URL("..", import.meta.url));
const PLACES = [
  "packages/*/test/**/*.test.ts",
  "scripts/*.test.ts",
  "vectors/*.test.ts",
  "bench/*.test.ts",
  "demo/*.test.ts",
];

const files: string[] = [];
for (const place of PLACES) for await (const file of glob(place, { cwd: root })) files.push(file);

const run = spawnSync(process.execPath, ["--test", "--test-concurrency=2", ...process.argv.slice(2), ...files.sort()], {
  cwd: root,
  stdio: "inherit",
  env: { ...process.env, NODE_NO_WARNINGS: "1" },
});
process.exitCode = run.status ?? 1;
