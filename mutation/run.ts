import { spawnSync } from "node:child_process";
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { PatchedCopy, root } from "../seeded-bugs/patched-copy.ts";
import { environmentWithin } from "../testing/processor-time.ts";
import { loopsAfterSeconds, testsFor } from "./tests-for.ts";

const HELP = `node mutation/run.ts --package NAME [options]
Mutates the core in a copy of the project, one source file after the other and mutant by mutant, and runs the tests
against each mutant. Writes what it found of each file into mutation/results. See docs/security/mutation.md.

  --package NAME   cose, messages, issue, pay, collect or settle
  --file FILE      only this source file; may be repeated (then --package is not needed)
  --missing        only files of which there is no result yet: goes on with a run that was broken off
  --without-texts  changes no string: most are words of an error, which no decision looks at, and each costs all tests
  --nearest        only the tests that look at the file most closely: what lives may still be noticed by others (--again)
  --again          only the lines where mutants lived the last time: whether new tests notice them
  --summary        runs nothing: the scores of what mutation/results holds
`;
const { values } = parseArgs({
  options: {
    package: { type: "string" },
    file: { type: "string", multiple: true },
    missing: { type: "boolean", default: false },
    again: { type: "boolean", default: false },
    "without-texts": { type: "boolean", default: false },
    nearest: { type: "boolean", default: false },
    summary: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

const folder = fileURLToPath(new URL(".", import.meta.url));
const results = join(folder, "results");
const stryker = join(folder, "node_modules/@stryker-mutator/core/bin/stryker.js");

/**
 * One failing test is enough, and a property that found its case looks for no smaller one: nobody reads it. All of it
 * out of the copy: who changes the project meanwhile changes no result.
 */
const toTheFirstFailure = (copy: string): readonly string[] => [
  `--test-reporter=${pathToFileURL(join(copy, "mutation/first-failure-reporter.ts")).href}`,
  ...["--import", pathToFileURL(join(copy, "seeded-bugs/first-failure.ts")).href],
  join(copy, "mutation/these-tests.ts"),
];
/** A round of tests takes up to five, and twice that beside others on the same core. What takes four times as long loops. */
const PROCESSOR_SECONDS = 20;
/** What neither ends nor works, waits for something that never comes. */
const WALL_CLOCK_MS = 300_000;

type Mutant = {
  readonly id: string;
  readonly status: string;
  readonly mutatorName: string;
  readonly replacement?: string;
  readonly location: { readonly start: { readonly line: number; readonly column: number } };
};
type Change = {
  readonly line: number;
  readonly column: number;
  readonly mutator: string;
  readonly replacement: string;
};
/** What is kept of a file: the score, and each mutant that no test noticed. */
type Result = {
  readonly file: string;
  readonly caught: number;
  readonly mutants: number;
  readonly seconds: number;
  readonly survivors: readonly Change[];
  /** Counted as caught: a test of theirs used more processor time than all tests together do. */
  readonly loops: readonly Change[];
  /** Counted as caught, and to be looked at: a test did not end for minutes, without working. */
  readonly waits: readonly Change[];
};

if (values.help || (values.package === undefined && values.file === undefined && !values.summary))
  process.stdout.write(HELP);
else if (values.summary) summarise();
else main();

function main(): void {
  install();
  mkdirSync(results, { recursive: true });
  const files = values.file ?? globSync(`packages/${values.package}/src/**/*.ts`, { cwd: root }).sort();
  if (files.length === 0) throw new Error(`There is no package ${values.package}.`);
  for (const file of files) {
    if (values.missing && existsSync(nameOfResult(file))) continue;
    process.stderr.write(`${file}: `);
    try {
      const result = values.again ? mutateAgain(file) : mutate(file, [file]);
      writeFileSync(nameOfResult(file), `${JSON.stringify(result, undefined, 1)}\n`);
      process.stderr.write(`${result.caught} of ${result.mutants} caught, ${result.seconds} s\n`);
    } catch (error) {
      // A test that fails without any mutant stops one file, not the night's run.
      process.exitCode = 1;
      process.stderr.write(`${error instanceof Error ? error.message : error}\n`);
    }
  }
  summarise();
}

function nameOfResult(file: string): string {
  const flat = file
    .replace(/^packages\//, "")
    .replace("/src/", "-")
    .replaceAll("/", "-");
  return join(results, flat.replace(/\.ts$/, ".json"));
}

/** Installs Stryker beside this file on first use: it is no dependency of the project. */
function install(): void {
  if (existsSync(stryker)) return;
  process.stderr.write("Installing Stryker (once)...\n");
  const done = spawnSync("npm", ["ci", "--no-audit", "--no-fund"], {
    cwd: folder,
    stdio: ["ignore", 2, 2],
    shell: process.platform === "win32",
  });
  if (done.status !== 0) throw new Error("Stryker could not be installed: see the messages above.");
}

/** What was found before, without the survivors that a test notices now. The code must be as it was then. */
function mutateAgain(file: string): Result {
  const before: Result = JSON.parse(readFileSync(nameOfResult(file), "utf8"));
  const lines = [...new Set(before.survivors.map(({ line }) => line))];
  if (lines.length === 0) return before;
  const { survivors, seconds } = mutate(
    file,
    lines.map((line) => `${file}:${line}-${line}`),
  );
  const isAlive = (change: Change): boolean => survivors.some((one) => JSON.stringify(one) === JSON.stringify(change));
  const left = before.survivors.filter(isAlive);
  const caught = before.caught + before.survivors.length - left.length;
  return { ...before, caught, survivors: left, seconds: before.seconds + seconds };
}

/** @param places As Stryker takes them: a file, or lines of it. */
function mutate(file: string, places: readonly string[]): Result {
  const copy = new PatchedCopy();
  const begin = performance.now();
  try {
    const report = join(copy.folder, "mutation-report.json");
    const looped = join(copy.folder, "looped.txt");
    // Each round only when the one before found nothing.
    const command = testsFor(copy.folder, file, { onlyNearest: values.nearest })
      .map((tests) => {
        const parts = [process.execPath, ...toTheFirstFailure(copy.folder), ...tests].map((part) => `"${part}"`);
        const seconds = loopsAfterSeconds(tests);
        return [...(seconds === undefined ? [] : [variable("CAIRN_PROCESSOR_SECONDS", seconds)]), ...parts];
      })
      .map((parts) => parts.join(" "))
      .join(" && ");
    const configuration = {
      // The packages import each other by links, so the copy itself is mutated: it is thrown away afterwards.
      inPlace: true,
      testRunner: "command",
      commandRunner: { command },
      mutate: places,
      mutator: { excludedMutations: values["without-texts"] ? ["StringLiteral"] : [] },
      concurrency: 1,
      checkers: [],
      plugins: [],
      disableTypeChecks: false,
      allowEmpty: true,
      reporters: ["json"],
      jsonReporter: { fileName: report },
      timeoutMS: WALL_CLOCK_MS,
      tempDirName: "stryker-tmp",
    };
    writeFileSync(join(copy.folder, "stryker.conf.json"), JSON.stringify(configuration));
    const run = spawnSync(process.execPath, [stryker, "run", "stryker.conf.json"], {
      cwd: copy.folder,
      encoding: "utf8",
      // Most of a short test is reading TypeScript: what is not mutated is read once.
      env: {
        ...process.env,
        ...environmentWithin({ seconds: PROCESSOR_SECONDS, file: looped }),
        NODE_NO_WARNINGS: "1",
        NODE_COMPILE_CACHE: join(copy.folder, "compiled"),
      },
    });
    if (run.status !== 0) throw new Error(`Stryker stopped: ${run.stdout.slice(-2_000)}${run.stderr}`);
    const seconds = Math.round((performance.now() - begin) / 1_000);
    return {
      ...(existsSync(report)
        ? read(report, file, existsSync(looped) ? readFileSync(looped, "utf8").split("\n") : [])
        : { file, caught: 0, mutants: 0, survivors: [], loops: [], waits: [] }),
      seconds,
    };
  } finally {
    copy.remove();
    rmSync(join(copy.folder, "stryker-tmp"), { recursive: true, force: true });
  }
}

/** For the command that follows it. */
function variable(name: string, value: number): string {
  return process.platform === "win32" ? `set ${name}=${value}&&` : `${name}=${value}`;
}

function read(report: string, file: string, looped: readonly string[]): Omit<Result, "seconds"> {
  const { files }: { readonly files: Readonly<Record<string, { readonly mutants: readonly Mutant[] }>> } = JSON.parse(
    readFileSync(report, "utf8"),
  );
  const mutants = Object.values(files).flatMap((one) => one.mutants);
  const of = (isOne: (mutant: Mutant) => boolean): readonly Change[] =>
    mutants
      .filter(isOne)
      .map(({ mutatorName, replacement = "", location: { start } }) => ({
        ...start,
        mutator: mutatorName,
        replacement,
      }))
      .sort((left, right) => left.line - right.line || left.column - right.column);
  const survivors = of(({ status }) => status === "Survived" || status === "NoCoverage");
  const caught = of(({ status }) => status === "Killed" || status === "Timeout").length;
  const loops = of(({ status, id }) => status === "Killed" && looped.includes(id));
  const waits = of(({ status }) => status === "Timeout");
  return { file, caught, mutants: caught + survivors.length, survivors, loops, waits };
}

function summarise(): void {
  const all = globSync("*.json", { cwd: results }).map(
    (name): Result => JSON.parse(readFileSync(join(results, name), "utf8")),
  );
  const byPackage = Map.groupBy(all, ({ file }) => file.split("/")[1] ?? "");
  for (const [name, its] of [...byPackage].sort()) {
    const mutants = its.reduce((sum, one) => sum + one.mutants, 0);
    const caught = its.reduce((sum, one) => sum + one.caught, 0);
    const share = mutants === 0 ? 100 : (100 * caught) / mutants;
    process.stdout.write(
      `${name}: ${its.length} files, ${caught} of ${mutants} mutants caught, ${share.toFixed(1)} %\n`,
    );
  }
  process.stdout.write(`Survivors stand in ${relative(process.cwd(), results)}.\n`);
}
