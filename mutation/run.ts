import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { PatchedCopy } from "../seeded-bugs/patched-copy.ts";

/**
 * Mutates one core package in a copy of the project, mutant by mutant, and runs that package's tests against each.
 *     node mutation/run.ts --package settle [--mutate FILE]... [--test FILE]... [--concurrency 1]
 * Installs Stryker beside this file on first use: it is no dependency of the project. docs/security/mutation.md
 */
const { values } = parseArgs({
  options: {
    package: { type: "string", default: "settle" },
    mutate: { type: "string", multiple: true },
    test: { type: "string", multiple: true },
    concurrency: { type: "string", default: "1" },
  },
});

/** Tests that answer quickly; what takes many seconds would be run for every mutant. */
const TESTS: Readonly<Record<string, readonly string[]>> = {
  settle: ["packages/settle/test/*.test.ts"],
  issue: ["packages/issue/test/*.test.ts"],
  messages: ["packages/messages/test/*.test.ts", "vectors/vectors.test.ts"],
  cose: ["packages/cose/test/*.test.ts"],
  pay: ["packages/pay/test/*.test.ts"],
  collect: ["packages/collect/test/*.test.ts"],
};

const folder = fileURLToPath(new URL(".", import.meta.url));
const stryker = join(folder, "node_modules/@stryker-mutator/core/bin/stryker.js");
const tests = values.test ?? TESTS[values.package];
if (tests === undefined) throw new Error(`One of ${Object.keys(TESTS).join(", ")}, not ${values.package}.`);

if (!existsSync(stryker)) {
  process.stderr.write("Installing Stryker (once)...\n");
  const install = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (install.status !== 0) throw new Error("Stryker could not be installed: see the messages above.");
}

const copy = new PatchedCopy();
try {
  const report = join(folder, `report-${values.package}.json`);
  const command = [process.execPath, "--test", "--test-isolation=none", "--test-reporter=dot", ...tests]
    .map((part) => `"${part}"`)
    .join(" ");
  const configuration = {
    // The packages import each other by links, so the copy itself is mutated: it is thrown away afterwards.
    inPlace: true,
    testRunner: "command",
    commandRunner: { command },
    mutate: values.mutate ?? [`packages/${values.package}/src/**/*.ts`],
    concurrency: Number(values.concurrency),
    checkers: [],
    plugins: [],
    disableTypeChecks: false,
    allowConsoleColors: false,
    reporters: ["json", "clear-text"],
    clearTextReporter: { logTests: false, allowColor: false },
    jsonReporter: { fileName: report },
    timeoutMS: 20_000,
    tempDirName: "stryker-tmp",
  };
  writeFileSync(join(copy.folder, "stryker.conf.json"), JSON.stringify(configuration));
  const run = spawnSync(process.execPath, [stryker, "run", "stryker.conf.json"], {
    cwd: copy.folder,
    stdio: "inherit",
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  process.exitCode = run.status ?? 1;
  if (existsSync(report)) summarise(report);
} finally {
  copy.remove();
}

type Report = {
  readonly files: Readonly<Record<string, { readonly mutants: readonly { readonly status: string }[] }>>;
};

function summarise(report: string): void {
  const { files }: Report = JSON.parse(readFileSync(report, "utf8"));
  const mutants = Object.values(files).flatMap((file) => file.mutants);
  const count = (...statuses: readonly string[]): number =>
    mutants.filter(({ status }) => statuses.includes(status)).length;
  const caught = count("Killed", "Timeout");
  const all = caught + count("Survived", "NoCoverage");
  process.stdout.write(
    `${values.package}: ${caught} of ${all} mutants caught, ${((100 * caught) / all).toFixed(1)} %\n`,
  );
}
