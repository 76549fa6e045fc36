import { spawnSync } from "node:child_process";
import { glob } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/**
 * Runs every test of the project with Node's own runner, or only the test files that are named:
 * `npm test -- packages/pay/test/pay.test.ts`. Options go to the runner: `npm test -- --test-name-pattern=replay`.
 */
const root = fileURLToPath(new URL("..", import.meta.url));
const PLACES = [
  "packages/*/test/**/*.test.ts",
  "apps/*/test/**/*.test.ts",
  "scripts/*.test.ts",
  "vectors/**/*.test.ts",
  "bench/**/*.test.ts",
  "demo/**/*.test.ts",
  "fuzz/**/*.test.ts",
  "seeded-bugs/**/*.test.ts",
  "testing/*.test.ts",
  "prove/**/*.test.ts",
];
/** Two cores are what the smallest machine has; tests that start processes of their own need the rest of a bigger one. */
const CONCURRENCY = 2;

const isFile = (argument: string): boolean => argument.endsWith(".test.ts");
const options = process.argv.slice(2).filter((argument) => !isFile(argument));
const files = process.argv.slice(2).filter(isFile);
if (files.length === 0)
  for (const place of PLACES) for await (const file of glob(place, { cwd: root })) files.push(file);

const run = spawnSync(
  process.execPath,
  ["--test", `--test-concurrency=${CONCURRENCY}`, ...options, ...files.toSorted()],
  { cwd: root, stdio: "inherit", env: { ...process.env, NODE_NO_WARNINGS: "1" } },
);
if (run.error !== undefined) process.stderr.write(`The tests could not be started: ${run.error.message}\n`);
process.exitCode = run.status ?? 1;
