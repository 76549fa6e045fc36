import { parseArgs } from "node:util";
import { MemoryIssuerStore, SqliteIssuerStore } from "@cairn/stores";
import { MUST_REACH, searchIssuing } from "./search.ts";

const HELP = `npm run -s issuing-search -- [--runs N] [--steps N] [--store memory|sqlite] [--seed N] [--json]

Lets anything happen to accounts and devices in any order, and looks after each step whether
exposure stays within the allowance, refusals come in order of precedence, every condition leads
to a certificate or a refusal, and the books tell the same story as plain arithmetic.`;

const { values } = parseArgs({
  options: {
    runs: { type: "string", default: "5000" },
    steps: { type: "string", default: "100" },
    store: { type: "string", default: "memory" },
    seed: { type: "string" },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(`${HELP}\n`);
  process.exit(0);
}
const runs = Number(values.runs);
const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(values.seed);
const begin = performance.now();
let done = 0;
const open = () => {
  if (++done % 500 === 0 && !values.json) process.stderr.write(`${done} of ${runs} runs\n`);
  return values.store === "sqlite" ? new SqliteIssuerStore(":memory:") : new MemoryIssuerStore();
};
const reached = await searchIssuing(open, { runs, steps: Number(values.steps), seed });
const missing = MUST_REACH.filter((what) => !reached.has(what));
const seconds = Math.round((performance.now() - begin) / 100) / 10;
const counts = Object.fromEntries(MUST_REACH.map((what) => [what, reached.get(what) ?? 0]));
if (values.json) process.stdout.write(`${JSON.stringify({ runs, seed, seconds, missing, reached: counts })}\n`);
else {
  process.stdout.write(`${runs} runs in ${seconds} s, seed ${seed}: nothing was broken.\n`);
  for (const [what, count] of Object.entries(counts)) process.stdout.write(`${String(count).padStart(8)}  ${what}\n`);
}
if (missing.length > 0) process.exitCode = 1;
