import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

/** `npm run check`: everything that can be said of the code without running it. Each part runs even when one fails. */
const root = fileURLToPath(new URL("..", import.meta.url));

const PARTS = [
  { name: "types", args: ["node_modules/typescript/bin/tsc", "-p", "."] },
  { name: "types of what runs in browsers", args: ["node_modules/typescript/bin/tsc", "-p", "apps"] },
  { name: "lint and format", args: ["node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings", "."] },
  {
    name: "imports and dependencies",
    args: [
      "--test",
      "--test-reporter=dot",
      "scripts/imports.test.ts",
      "scripts/lint-rules.test.ts",
      "scripts/dependencies.test.ts",
    ],
  },
] as const;

const results = PARTS.map(({ name, args }) => {
  process.stdout.write(`\n${name}\n`);
  const { status, error } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
  if (error !== undefined) process.stdout.write(`${error.message}\n`);
  return { name, passed: status === 0 };
});

process.stdout.write("\n");
for (const { name, passed } of results) process.stdout.write(`${passed ? "ok    " : "FAILED"}  ${name}\n`);
process.exitCode = results.every(({ passed }) => passed) ? 0 : 1;
