/** A small, realistic mistake in our own sources, kept as a patch: text that is found once in a file, and its replacement. */
export type Edit = { readonly file: string; readonly find: string; readonly replace: string };
export type SeededBug = {
  readonly name: string;
  /** What a reviewer would say of it. */
  readonly says: string;
  /** The line of "What may never happen" (docs/spec/promises.md) that it breaks, 1 to 7. */
  readonly breaks: number;
  /** The search that is tried first; the others follow when it finds nothing. */
  readonly search: SearchName;
  /** A search that never ends is what is expected of it; with any other bug that is no catch. */
  readonly mayHang?: boolean;
  readonly edits: readonly Edit[];
};

const small = (world: string) => ["prove/small-world/main.ts", "--world", world] as const;
/** Whether a property fails is all that is asked: to look for its smallest case may take minutes. */
const FIRST_FAILURE = new URL("first-failure.ts", import.meta.url).href;
const tests = (...files: readonly string[]) =>
  ["--test", "--test-reporter=dot", "--import", FIRST_FAILURE, ...files] as const;

/** The searches: what explores by itself rather than by example, and whole attacks. Arguments of Node.js. */
export const SEARCHES = {
  "model stories": tests("packages/settle/test/model-traces.test.ts"),
  "small world: honest": small("honest"),
  "small world: copied": small("copied"),
  "small world: key-out": small("key-out"),
  "small world: expiry": small("expiry"),
  "small world: gates": small("gates"),
  "small world: gates, copied": small("gates, copied"),
  "small world: voids": small("voids"),
  "small world: lists": small("lists"),
  "small world: renewal": small("renewal"),
  "small world: false closing": small("false closing"),
  "every short string of bytes": ["prove/small-world/bytes.ts"],
  "settlement at random": tests("packages/settle/test/properties.test.ts"),
  "wallet interleavings and crashes": tests(
    "packages/pay/test/interleavings.test.ts",
    "packages/pay/test/crash.test.ts",
    "packages/pay/test/consent.test.ts",
  ),
  "terminal at random and crashes": tests(
    "packages/collect/test/properties.test.ts",
    "packages/collect/test/crash.test.ts",
  ),
  "issuing interleavings": tests("packages/issue/test/interleavings.test.ts"),
  "issuing search": ["packages/issuer/test/issuing-machine/main.ts", "--runs", "1500", "--json"],
  "status lists at random": tests("packages/issuer/test/status-list-at-random.test.ts"),
  "payment index at random": tests("packages/stores/test/issuer-sqlite-index.test.ts"),
  // Attackers' stories, told to real servers: a thief's three keys by all it can do with each, an insider's every row.
  "thieves of a signing key": tests(
    "packages/issuer/test/stolen-signing-key.test.ts",
    "packages/issuer/test/rotating.test.ts",
  ),
  "insider at the database": tests("packages/issuer/test/insider.test.ts"),
  "every field at its bounds, every vector": tests("vectors/vectors.test.ts", "packages/messages/test/fields.test.ts"),
  "bytes at random": tests("packages/cose/test/cbor-properties.test.ts", "packages/messages/test/robustness.test.ts"),
  "simulated economies": [
    "packages/cairn/src/main.ts",
    ...[
      "simulate",
      "--seed",
      // Eight economies with each of the policies among them.
      "track",
      "--runs",
      "8",
      "--jobs",
      "1",
      "--wallets",
      "40",
      "--days",
      "6",
      "--no-shrink",
      "--json",
    ],
  ],
  fuzzing: ["fuzz/main.ts", "--seconds", "12", "--target", "cbor", "--target", "base45", "--target", "inflate"],
} as const;
export type SearchName = keyof typeof SEARCHES;
