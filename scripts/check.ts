import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `npm run check`: everything that can be said of the code without running it. Each part runs even when one fails. */
const root = fileURLToPath(new URL("..", import.meta.url));
const bin = (name: string): string => fileURLToPath(new URL(`../node_modules/.bin/${name}`, import.meta.url));

const PARTS = [
  { name: "types", command: [bin("tsc"), "-p", "."] },
  { name: "lint and format", command: [bin("biome"), "check", "--error-on-warnings", "."] },
  {
    name: "imports and dependencies",
    command: [
      process.execPath,
      "--test",
      "--test-reporter=dot",
      "scripts/imports.test.ts",
      "scripts/dependencies.test.ts",
    ],
  },
] as const;

const results = PARTS.map(({ name, command: [program, ...args] }) => {
  const { status } = spawnSync(program, args, { cwd: root, stdio: "inherit" });
  return { name, passed: status === 0 };
});
for (const { name, passed } of results) process.stdout.write(`${passed ? "ok    " : "FAILED"}  ${name}\n`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
