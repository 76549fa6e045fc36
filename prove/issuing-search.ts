import { lastWords, runNode } from "./process.ts";
import type { Length, Outcome, Search } from "./search.ts";

/** Histories of up to a hundred steps, on each of the issuer's stores that need no server. */
const HISTORIES: Readonly<Record<Length, Readonly<Record<"memory" | "sqlite", number>>>> = {
  short: { memory: 2_000, sqlite: 500 },
  long: { memory: 100_000, sqlite: 10_000 },
};

/** Anything that can happen to accounts and devices, at random: packages/issuer/test/issuing-machine. */
export const issuingSearch: Search = {
  name: "issuing search",
  method: "issuer's store and decisions: accounts and devices, at random",
  promises: [1, 5],
  shortSeconds: 12,
  run: async (length): Promise<Outcome> => {
    const unit = "histories";
    let searched = 0;
    for (const [store, runs] of Object.entries(HISTORIES[length])) {
      const args = ["packages/issuer/test/issuing-machine/main.ts", "--store", store, "--runs", String(runs), "--json"];
      const ended = await runNode(args);
      // The seed and the shortest history stand in what it says.
      if (ended.code !== 0) return { searched, unit, found: [lastWords(ended)] };
      searched += runs;
    }
    return { searched, unit, found: [] };
  },
};
