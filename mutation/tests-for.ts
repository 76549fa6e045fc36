import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

/** Too slow to run for every mutant: they start processes or try thousands of cases. */
const LEFT_OUT = new Set(["processes.test.ts"]);
/** Run last: most mutants are dead by then. */
const SLOW = new Set(["cbor-properties.test.ts", "crash.test.ts", "interleavings.test.ts", "properties.test.ts"]);
/** Tests outside a package that say what it must do. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  cose: ["vectors/vectors.test.ts"],
  messages: ["vectors/vectors.test.ts"],
  pay: ["vectors/vectors.test.ts"],
  collect: ["vectors/vectors.test.ts"],
};

/**
 * The test files that a mutant of one source file has to pass, in rounds: the file's own test, the package's quick
 * tests, the slow ones. A mutant that dies early costs half a second.
 */
export function testsFor(root: string, file: string): readonly (readonly string[])[] {
  const [, name = ""] = file.split("/");
  const folder = `packages/${name}/test`;
  const all = readdirSync(join(root, folder)).filter((test) => test.endsWith(".test.ts") && !LEFT_OUT.has(test));
  const own = `${basename(file, ".ts")}.test.ts`;
  const quick = all.filter((test) => test !== own && !SLOW.has(test)).map((test) => `${folder}/${test}`);
  const slow = all.filter((test) => test !== own && SLOW.has(test)).map((test) => `${folder}/${test}`);
  const first = existsSync(join(root, folder, own)) ? [`${folder}/${own}`] : [];
  return [first, [...quick, ...(BESIDE[name] ?? [])], slow].filter((round) => round.length > 0);
}
