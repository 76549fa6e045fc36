import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lastWords, runNode } from "./process.ts";
import type { Length, Outcome, PromiseNumber, Search } from "./search.ts";

/** Test files again and again, each time with seeds of its own: how often in the short and in the long form. */
const ROUNDS: Readonly<Record<Length, number>> = { short: 1, long: 30 };

/** Property-based and model-based tests; counted are the cases that fast-check really tried. */
export function propertySearch(about: {
  readonly name: string;
  readonly method: string;
  readonly promises: readonly PromiseNumber[];
  readonly shortSeconds: number;
  readonly files: readonly string[];
}): Search {
  const { files, ...rest } = about;
  return {
    ...rest,
    run: async (length): Promise<Outcome> => {
      const folder = mkdtempSync(join(tmpdir(), "cairn-prove-"));
      const counts = join(folder, "counts");
      const found: string[] = [];
      for (let round = 0; round < ROUNDS[length] && found.length === 0; round++) {
        const args = ["--test", "--test-concurrency=1", "--import", "./prove/count-runs.ts", ...files];
        const ended = await runNode(args, { CAIRN_COUNT_FILE: counts });
        if (ended.code !== 0) found.push(lastWords(ended));
      }
      const searched = readFileSync(counts, "utf8")
        .split("\n")
        .reduce((sum, line) => sum + Number(line), 0);
      rmSync(folder, { recursive: true });
      return { searched, unit: "random cases", found };
    },
  };
}
