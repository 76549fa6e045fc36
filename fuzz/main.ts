import { parseArgs } from "node:util";
import { readCorpus, writeCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { Random } from "./random.ts";
import { faultOf, type Report, search } from "./search.ts";

const HELP = `npm run -s fuzz -- [options]
Searches for bytes that break a decoder, a wallet, a terminal or the issuer's HTTP routes. docs/security/fuzzing.md

  --seconds N      for all targets together (default 60)
  --target NAME    only this one; may be repeated
  --seed N         where chance begins (default: printed)
  --keep           writes inputs that reach something new into fuzz/corpus
  --input HEX      runs one input of one target, to look at a finding
  --list           the targets
  --json
`;
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "60" },
    target: { type: "string", multiple: true, default: [] },
    seed: { type: "string" },
    keep: { type: "boolean", default: false },
    input: { type: "string" },
    list: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

/** The same input breaks the same thing over and over: a few are enough to begin with. */
const MOST_FINDINGS = 5;
const isOurs = (url: string): boolean => /\/packages\/[^/]+\/src\//.test(url);

// Only now, so that V8 counts in what is compiled from here on.
const { allTargets } = await import("./targets/index.ts");
const chosen = allTargets.filter(({ name }) => values.target.length === 0 || values.target.includes(name));
if (values.help) process.stdout.write(HELP);
else if (values.list) for (const { name } of chosen) process.stdout.write(`${name}\n`);
else if (chosen.length === 0) {
  process.stderr.write(`There is no such target. ${HELP}`);
  process.exitCode = 2;
} else if (values.input !== undefined) await runOne(values.input);
else await runAll();

async function runOne(hex: string): Promise<void> {
  for (const { name, open } of chosen) {
    const target = await open();
    const fault = await faultOf(target, Uint8Array.from(Buffer.from(hex, "hex")));
    process.stdout.write(`${name}: ${fault === undefined ? "all is well" : describe(fault)}\n`);
    if (fault !== undefined) process.exitCode = 1;
    await target.close?.();
  }
}

async function runAll(): Promise<void> {
  const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
  let shares = chosen.reduce((sum, { share }) => sum + share, 0);
  const end = performance.now() + Number(values.seconds) * 1000;
  const reports: Report[] = [];
  process.stderr.write(`seed ${seed}\n`);
  for (const { name, share, open } of chosen) {
    const target = await open();
    const coverage = new Coverage(isOurs);
    // Of what is left: a target that took longer, to run what is kept, takes it from all the others.
    const now = performance.now();
    const until = now + (Math.max(0, end - now) * share) / shares;
    shares -= share;
    const report = await search(target, {
      corpus: readCorpus(name),
      thinsOut: values.keep,
      coverage,
      random: new Random(seed),
      until: () => performance.now() >= until,
      mostFindings: MOST_FINDINGS,
    });
    await target.close?.();
    if (values.keep) writeCorpus(name, report.corpus);
    reports.push(report);
    tell(report);
  }
  const findings = reports.flatMap((report) => report.findings);
  const inputs = reports.reduce((sum, report) => sum + report.inputs, 0);
  if (values.json) {
    const plain = reports.map(({ corpus, findings: found, ...report }) => ({
      ...report,
      corpus: corpus.length,
      findings: found.map(({ input, error }) => ({
        input: Buffer.from(input).toString("hex"),
        fault: describe(error),
      })),
    }));
    process.stdout.write(`${JSON.stringify({ seed, targets: plain, inputs, findings: findings.length })}\n`);
  } else process.stdout.write(`${inputs} inputs, ${findings.length} findings\n`);
  process.exitCode = findings.length === 0 ? 0 : 1;
}

function tell({ target, inputs, seconds, reached, corpus, added, findings }: Report): void {
  const rate = Math.round(inputs / seconds);
  const line = `${target.padEnd(22)} ${inputs} inputs, ${rate}/s, ${reached} characters, corpus ${corpus.length} (+${added})`;
  process.stderr.write(`${findings.length === 0 ? "ok    " : "FOUND "} ${line}\n`);
  for (const { input, error } of findings) {
    const hex = Buffer.from(input).toString("hex");
    process.stderr.write(`  ${describe(error)}\n  npm run -s fuzz -- --target ${target} --input ${hex}\n`);
  }
}

function describe(fault: unknown): string {
  return fault instanceof Error ? `${fault.name}: ${fault.message.split("\n").slice(0, 4).join(" ")}` : String(fault);
}
