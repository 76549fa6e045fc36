import { lastWords, runNode } from "./process.ts";
import type { Length, Outcome, Search } from "./search.ts";

/** Each economy has a seed of its own, printed when it breaks a promise. */
const ECONOMIES: Readonly<Record<Length, readonly string[]>> = {
  short: ["--runs", "8", "--wallets", "60", "--days", "6"],
  long: ["--runs", "20", "--wallets", "200", "--days", "30"],
};

/** Whole economies in virtual time, with every fault and attacker, on the code that ships: packages/simulator. */
export const simulatedEconomies: Search = {
  name: "economies",
  method: "simulated economies, with faults and attackers",
  promises: [1, 2, 3, 4, 5, 6, 7],
  shortSeconds: 20,
  run: async (length): Promise<Outcome> => {
    const ended = await runNode([
      "packages/cairn/src/main.ts",
      "simulate",
      "--jobs",
      "1",
      ...ECONOMIES[length],
      "--json",
    ]);
    const unit = "events";
    if (ended.code !== 0) return { searched: 0, unit, found: [lastWords(ended)] };
    const { runs }: { readonly runs: readonly { readonly counts: { readonly events: number } }[] } = JSON.parse(
      ended.stdout,
    );
    return { searched: runs.reduce((sum, { counts }) => sum + counts.events, 0), unit, found: [] };
  },
};
