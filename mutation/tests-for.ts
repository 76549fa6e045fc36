import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";

/** Too slow to run for every mutant that lives: they start processes, or try hundreds of cases. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = {
  pay: ["processes", "interleavings", "crash"],
  collect: ["processes", "properties", "crash"],
};
/** Run last: most mutants are dead by then. */
const SLOW = new Set([
  "cbor-properties.test.ts",
  "es256-batch.test.ts",
  "interleavings.test.ts",
  "properties.test.ts",
  "sign1.test.ts",
  "utf8.test.ts",
]);
/** Processor seconds after which a test run by itself can only be looping: several times what the slowest takes. */
const ONE_LOOPS_AFTER_SECONDS = 8;
/** Of tests that take well below half a second, for files whose mutants loop often. */
const BRIEF_LOOPS_AFTER_SECONDS = 4;
const BRIEF = new Set([
  "base45.test.ts",
  "cbor-encode.test.ts",
  "code-text.test.ts",
  "inflate-streams.test.ts",
  "message.test.ts",
  "older-engines.test.ts",
]);
/** Tests outside a package that say what it must do. */
const BESIDE: Readonly<Record<string, readonly string[]>> = {
  cose: ["vectors/vectors.test.ts"],
  messages: ["vectors/vectors.test.ts"],
  pay: ["vectors/vectors.test.ts"],
  collect: ["vectors/vectors.test.ts"],
};

/** What reads every prefix and every changed byte of all messages a second way. */
const SAME_VERDICT = "packages/messages/test/same-verdict.test.ts";

/** What looks at a file most closely where it is not the test of the same name: package, file, tests or their paths. */
const CLOSEST: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  settle: {
    batch: ["settle", "standings"],
    "certificate-sheet": ["standings", "settle", "known-payments"],
    chain: ["conflict"],
    "known-payments": ["known-payments", "settle"],
    funding: ["funding", "settle"],
    judge: ["model-traces", "settle"],
    received: ["payout"],
    settle: ["settle", "standings", "model-traces"],
  },
  pay: {
    "apply-sync-answer": ["sync", "outcomes"],
    "build-sync": ["sync", "sync-bytes"],
    "decide-payment": ["pay"],
    "judge-lists": ["sync", "enrol"],
    pay: ["pay", "review-request"],
    "payee-code": ["review-request", "accept-receipt"],
    "review-request": ["review-request", "pay"],
    "show-payment": ["pay", "pay-open"],
    wallet: ["enrol", "pay", "sync"],
  },
  collect: {
    accept: ["accept", "accept-open"],
    "acceptance-checks": ["accept-refusals", "decide-acceptance"],
    "apply-answers": ["upload", "merge-answer", "join"],
    capture: ["capture", "accept-open"],
    "decide-capture": ["capture", "accept-open"],
    "decide-open-acceptance": ["accept-open"],
    "decide-void": ["void-request"],
    "export-records": ["export-records", "join"],
    hints: ["upload"],
    issuers: ["join"],
    journal: ["accept", "upload"],
    "judge-lists": ["apply-lists"],
    outcomes: ["upload", "history"],
    "read-offered": ["accept-refusals"],
    setup: ["enrol", "apply-lists", "join", "accept"],
    statements: ["accept", "upload", "capture", "accept-open"],
    terminal: ["accept", "enrol", "join", "upload", "history"],
    upload: ["upload", "join", "upload-bytes"],
  },
  issue: {
    policy: ["policy-reader", "limit"],
    "policy-fields": ["policy-reader"],
    "minor-arithmetic": ["limit"],
  },
  cose: {
    bytes: ["slabs", "cbor-decode", "cbor-encode"],
    cbor: ["cbor-decode", "cbor-encode"],
    "cbor-cursor": ["cbor-decode", "cbor-vectors", SAME_VERDICT],
    "cbor-decode": ["cbor-decode", "cbor-vectors"],
    "es256-web": ["es256"],
    "openssl-curve": ["es256-batch"],
    p256: ["key"],
    "sign1-decode": ["sign1", SAME_VERDICT],
  },
  messages: {
    closing: ["same-verdict"],
    codes: ["spec"],
    inflate: ["inflate-streams", "inflate"],
    fields: ["fields", "writing", "same-verdict"],
    base45: ["base45", "older-engines"],
    identifiers: ["message", "older-engines", "fields", "writing"],
    message: ["message", "many-and-drafts", "fields", "writing", "decoded-memory", "verify", "same-verdict"],
    "message-error": ["message", "writing"],
    "payee-certificate": ["fields", "writing"],
    records: ["carriers", "records", "robustness"],
    "status-list": ["writing", "status-list"],
    "trust-list": ["trust-list", "writing", "robustness"],
    "open-payment": ["fields", "writing"],
    verify: ["verify", "trust-list"],
    "payee-statements": ["fields", "writing"],
    payment: ["fields", "writing"],
    "payment-request": ["fields", "writing"],
    "signed-call": ["carriers", "message", "writing"],
    "user-certificate": ["fields", "writing"],
    bounds: ["writing"],
  },
};

/**
 * The test files that a mutant of one source file has to pass, in rounds: what looks at it most closely, one
 * after the other, the package's quick tests, the slow ones. A mutant that dies early costs half a second.
 */
export function testsFor(
  root: string,
  file: string,
  { onlyNearest }: { readonly onlyNearest: boolean },
): readonly (readonly string[])[] {
  const [, name = ""] = file.split("/");
  const folder = `packages/${name}/test`;
  const leftOut = (LEFT_OUT[name] ?? []).map((test) => `${test}.test.ts`);
  const all = readdirSync(join(root, folder)).filter((test) => test.endsWith(".test.ts") && !leftOut.includes(test));
  const own = basename(file, ".ts");
  const pathOf = (test: string): string => (test.includes("/") ? test : `${folder}/${test}.test.ts`);
  const closest = (CLOSEST[name]?.[own] ?? [own]).map(pathOf).filter((path) => existsSync(join(root, path)));
  if (onlyNearest && closest.length > 0) return closest.map((path) => [path]);
  const others = all.map((test) => `${folder}/${test}`).filter((path) => !closest.includes(path));
  const isSlow = (path: string): boolean => SLOW.has(basename(path));
  const quick = others.filter((path) => !isSlow(path));
  return [...closest.map((path) => [path]), [...quick, ...(BESIDE[name] ?? [])], others.filter(isSlow)].filter(
    (round) => round.length > 0,
  );
}

/** Processor seconds after which this round can only be looping; undefined where it may take as many as any. */
export function loopsAfterSeconds(round: readonly string[]): number | undefined {
  const [path = "", ...others] = round;
  if (others.length > 0) return undefined;
  return BRIEF.has(basename(path)) ? BRIEF_LOOPS_AFTER_SECONDS : ONE_LOOPS_AFTER_SECONDS;
}
