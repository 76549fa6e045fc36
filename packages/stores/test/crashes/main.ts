import { cpus } from "node:os";
import { parseArgs } from "node:util";
import { injectCrashes } from "./inject.ts";

/** `npm run -s crashes -- --count 300 --json`: see docs/guides/operation.md. */
const { values } = parseArgs({
  options: {
    count: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
    store: { type: "string", multiple: true, default: ["sqlite", "postgres"] },
    json: { type: "boolean", default: false },
  },
});
const stores = (["sqlite", "postgres"] as const).filter((store) => values.store.includes(store));
const report = await injectCrashes({
  stores,
  count: Number(values.count),
  seed: Number(values.seed),
  progress: (line) => process.stderr.write(`${line}\n`),
});
if (values.json) {
  const machine = { cpu: cpus()[0]?.model.trim(), cores: cpus().length, node: process.version };
  process.stdout.write(`${JSON.stringify({ ...report, date: new Date().toISOString(), machine }, undefined, 2)}\n`);
} else
  process.stdout.write(
    `${report.crashes} crashes in ${report.seconds} s: the books were sound after each, ${report.settledPayments} payments were settled once, and every answer is what it would have been without faults.\n`,
  );
