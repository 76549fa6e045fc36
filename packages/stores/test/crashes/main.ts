import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { injectCrashes } from "./inject.ts";

const HELP = `npm run -s crashes -- [options]
Settles payments while processes are killed, disks fail or fill up, PostgreSQL is killed, hangs or loses its reply to a
COMMIT, and holds the books and every answer after each crash against what they would be without. docs/guides/operation.md

  --count N       crashes in all (default 60; 300 take about five minutes)
  --seed N        where chance begins (default 1)
  --store NAME    sqlite or postgres; may be repeated (default both)
  --json
`;
const STORES = ["sqlite", "postgres"] as const;

const { values } = parseArgs({
  options: {
    count: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    store: { type: "string", multiple: true, default: [...STORES] },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
const stores = STORES.filter((store) => values.store.includes(store));
const count = Number(values.count);
const seed = Number(values.seed);
const unknown = values.store.find((name) => !STORES.some((store) => store === name));

if (values.help) process.stdout.write(HELP);
else if (unknown !== undefined || !Number.isInteger(count) || count < 1 || !Number.isInteger(seed)) {
  const fault = unknown === undefined ? "Counts and seeds are whole numbers." : `There is no store "${unknown}".`;
  process.stderr.write(`${fault}\n\n${HELP}`);
  process.exitCode = 2;
} else await crash();

async function crash(): Promise<void> {
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const report = await injectCrashes({ stores, count, seed, progress });
  if (values.json) {
    const machine = { cpu: cpus()[0]?.model.trim(), cores: cpus().length, node: process.version };
    process.stdout.write(`${JSON.stringify({ ...report, date: new Date().toISOString(), machine }, undefined, 2)}\n`);
  } else
    process.stdout.write(
      `${report.crashes} crashes in ${report.seconds} s: the books were sound after each, ${report.settledPayments} payments were settled once, and every answer is what it would have been without faults.\n`,
    );
}
