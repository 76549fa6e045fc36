import { readFileSync } from "node:fs";
import { join } from "node:path";
import { searchNames } from "../seeded-bugs/hunt.ts";
import { issuingSearch } from "./issuing-search.ts";
import { lastWords, root, runNode } from "./process.ts";
import { propertySearch } from "./property-search.ts";
import type { Length, Outcome, PromiseNumber, Search } from "./search.ts";
import { simulatedEconomies } from "./simulated-economies.ts";

const SETTLING: readonly PromiseNumber[] = [1, 2, 3, 5];

/** Quint, at random, over the worlds of the design: histories of up to 40 steps. */
const MODEL_HISTORIES: Readonly<Record<Length, number>> = { short: 20, long: 500 };
const model: Search = {
  name: "model",
  method: "Quint model, worlds of the design, at random",
  promises: [1, 2, 3, 4, 5, 6],
  shortSeconds: 12,
  run: async (length) => {
    const samples = String(MODEL_HISTORIES[length]);
    const seed = `0x${Math.floor(Math.random() * 2 ** 31).toString(16)}`;
    const ended = await runNode(["docs/spec/model/run.ts", "--json", "--design", "--samples", samples, "--seed", seed]);
    if (!ended.stdout.startsWith("[")) return { searched: 0, unit: "histories", found: [lastWords(ended)] };
    const worlds: readonly { world: string; result: string; broken: readonly string[]; histories: number }[] =
      JSON.parse(ended.stdout);
    return {
      searched: worlds.reduce((sum, { histories }) => sum + histories, 0),
      unit: "histories",
      found: worlds
        .filter(({ result }) => result !== "ok")
        .map(({ world, result, broken }) => `${world}: ${result} ${broken.join(", ")} with seed ${seed}`),
    };
  },
};

/** The model's own stories, asked of the real settlement code. */
const stories: Search = {
  name: "stories",
  method: "the model's stories told to the real settlement code",
  promises: [1, 2, 3, 5, 6],
  shortSeconds: 1,
  run: async () => {
    const all: readonly { readonly calls: readonly unknown[] }[] = JSON.parse(
      readFileSync(join(root, "docs/spec/model/traces.json"), "utf8"),
    );
    const ended = await runNode(["--test", "packages/settle/test/model-traces.test.ts"]);
    return {
      searched: all.reduce((sum, { calls }) => sum + calls.length, 0),
      unit: "questions",
      found: ended.code === 0 ? [] : [lastWords(ended)],
    };
  },
};

/** Every state of small worlds, breadth first, by the real decisions of wallet, terminal and issuer. */
const exhaustive: Search = {
  name: "small world",
  method: "every state of ten small worlds, breadth first",
  promises: [1, 2, 3, 4, 5, 6],
  shortSeconds: 25,
  run: async (length) => {
    const ended = await runNode(["--max-old-space-size=8000", "prove/small-world/main.ts", "--json", "--size", length]);
    return outcomeOfJson(ended, "states", (worlds: readonly { states: number }[]) =>
      worlds.reduce((sum, { states }) => sum + states, 0),
    );
  },
};

/** Every short string, every neighbour of a valid message. */
const shortBytes: Search = {
  name: "short bytes",
  method: "every short string and all that is one byte from a valid message",
  promises: [7],
  shortSeconds: 14,
  run: async (length) => {
    const ended = await runNode(["prove/small-world/bytes.ts", "--json", "--size", length]);
    return outcomeOfJson(ended, "inputs", (all: readonly { inputs: number }[]) =>
      all.reduce((sum, { inputs }) => sum + inputs, 0),
    );
  },
};

const FUZZ_SECONDS: Readonly<Record<Length, number>> = { short: 30, long: 3_600 };
const fuzz: Search = {
  name: "fuzz",
  method: "guided fuzzing of every decoder and HTTP route",
  promises: [7],
  shortSeconds: FUZZ_SECONDS.short,
  run: async (length) => {
    const ended = await runNode(["fuzz/main.ts", "--json", "--seconds", String(FUZZ_SECONDS[length])]);
    return outcomeOfJson(ended, "inputs", ({ inputs }: { inputs: number }) => inputs);
  },
};

/** Not a search of its own: whether the searches would see a bug. Of the sample at least one breaks each promise. */
const SAMPLE = ["settled-twice", "payers-copy-settles", "one-sided-posting", "gap-blamed", "limit-forgotten"];
const SAMPLE_REST = ["amount-not-compared", "revoked-at-once", "closing-believed", "request-paid-twice"];
const SAMPLE_EDGES = ["deadline-second-early", "stale-list-trusted", "accepted-after-void", "paid-after-closing"];
const SAMPLE_BYTES = ["bomb-inflated"];
const SAMPLE_GUARDS = ["any-certificate-of-the-id", "undone-numbers-written"];
/** What the other rows of the table show without a bug is not looked at once more. */
const IN_NO_ROW: ReadonlySet<string> = new Set(["every field at its bounds, every vector", "thieves of a signing key"]);
const SEARCHED = searchNames.filter((name) => !IN_NO_ROW.has(name));
const bugs: Search = {
  name: "seeded bugs",
  method: "seeded bugs that the searches must catch",
  promises: [1, 2, 3, 4, 5, 6, 7],
  shortSeconds: 34,
  run: async (length) => {
    const sample = [...SAMPLE, ...SAMPLE_REST, ...SAMPLE_EDGES, ...SAMPLE_BYTES, ...SAMPLE_GUARDS];
    const only = [...sample.flatMap((name) => ["--bug", name]), ...SEARCHED.flatMap((name) => ["--searched", name])];
    const ended = await runNode(["seeded-bugs/main.ts", "--json", ...(length === "long" ? [] : only)]);
    return outcomeOfJson(ended, "bugs caught", (found: readonly { caughtBy?: string }[]) => {
      return found.filter(({ caughtBy }) => caughtBy !== undefined).length;
    });
  },
};

function outcomeOfJson<Told>(
  ended: Awaited<ReturnType<typeof runNode>>,
  unit: string,
  count: (told: Told) => number,
): Outcome {
  let searched = 0;
  try {
    searched = count(JSON.parse(ended.stdout) as Told);
  } catch {
    return { searched, unit, found: [lastWords(ended)] };
  }
  return { searched, unit, found: ended.code === 0 ? [] : [lastWords(ended)] };
}

export const searches: readonly Search[] = [
  fuzz,
  model,
  exhaustive,
  shortBytes,
  simulatedEconomies,
  stories,
  propertySearch({
    name: "settlement",
    method: "settlement with clones, taken keys and evil tills, at random",
    promises: SETTLING,
    shortSeconds: 1,
    files: ["packages/settle/test/properties.test.ts"],
  }),
  propertySearch({
    name: "wallet",
    method: "wallet: interleavings, crashes anywhere, changed consent",
    promises: [3, 4],
    shortSeconds: 8,
    files: [
      "packages/pay/test/interleavings.test.ts",
      "packages/pay/test/crash.test.ts",
      "packages/pay/test/consent.test.ts",
    ],
  }),
  propertySearch({
    name: "terminal",
    method: "terminal: anything offered, crashes anywhere",
    promises: [2, 5, 6],
    shortSeconds: 10,
    files: ["packages/collect/test/properties.test.ts", "packages/collect/test/crash.test.ts"],
  }),
  propertySearch({
    name: "issuing",
    method: "issuing: interleavings of limits, closings, settlement",
    promises: [5],
    shortSeconds: 2,
    files: ["packages/issue/test/interleavings.test.ts"],
  }),
  issuingSearch,
  propertySearch({
    name: "payment index",
    method: "where a payment's records lie on SQLite: written, merged, undone, opened anew",
    promises: [2],
    shortSeconds: 6,
    files: ["packages/stores/test/issuer-sqlite-index.test.ts"],
  }),
  propertySearch({
    name: "status lists",
    method: "lists of what is withdrawn: several servers, clocks set back, at random",
    promises: [5],
    shortSeconds: 2,
    files: ["packages/issuer/test/status-list-at-random.test.ts"],
  }),
  propertySearch({
    name: "bytes",
    method: "encodings and every kind of message, mutated",
    promises: [7],
    shortSeconds: 10,
    files: ["packages/cose/test/cbor-properties.test.ts", "packages/messages/test/robustness.test.ts"],
  }),
  bugs,
];
