import { parseArgs } from "node:util";

/**
 * `npm run bench -- NAME [--json] [--long]`. Each benchmark prints its figures beside the physical limit measured in the same
 * run, so that a ratio means the same on every machine. With --json exactly one JSON value goes to standard output.
 */
type Benchmark = {
  readonly about: string;
  readonly run: (report: (line: string) => void) => Promise<Record<string, unknown>>;
  /** With --long: minutes to hours, for figures that are kept in results/. */
  readonly long?: (report: (line: string) => void, sizes: readonly number[]) => Promise<Record<string, unknown>>;
};

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  apps: {
    about: "bytes of the wallet and terminal apps, how fast they start, and from a code to what is said of it",
    run: async (report) => (await import("./apps.ts")).apps(report),
  },
  sizes: {
    about: "bytes of typical messages and the QR version of a payment code",
    run: async () => (await import("./sizes.ts")).sizes(),
  },
  settle: {
    about: "payments settled per second on all cores beside raw ES256 verification",
    run: async (report) => (await import("./settle.ts")).settle(report),
    long: async (report, sizes) =>
      sizes.length === 0
        ? (await import("./settle.ts")).settleLong(report)
        : (await import("./settle.ts")).settleLong(report, sizes),
  },
  "status-list": {
    about: "bytes and milliseconds of a status list of a million certificates",
    run: async (report) => (await import("./status-list.ts")).statusListFigures(report),
  },
  terminals: {
    about: "a thousand terminals uploading at once over HTTP: until received, until settled",
    run: async (report) => (await import("./terminals.ts")).terminals(report),
  },
  upload: {
    about:
      "one terminal with 100,000 payments (--long: a million) over a connection that breaks, and the server's memory",
    run: async (report) => (await import("./upload.ts")).upload(report),
    long: async (report, sizes) =>
      sizes.length === 0
        ? (await import("./upload.ts")).uploadLong(report)
        : (await import("./upload.ts")).uploadLong(report, sizes),
  },
  issue: {
    about: "certificates issued per second on SQLite beside raw ES256 signatures",
    run: async (report) => (await import("./issue.ts")).issue(report),
  },
  loop: {
    about: "accepts, issues and settlements per second beside raw ES256 operations",
    run: async (report) => (await import("./loop.ts")).loop(report),
  },
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: "boolean", default: false },
    long: { type: "boolean", default: false },
    stored: { type: "string", default: "" },
    help: { type: "boolean", short: "h", default: false },
  },
});
const [name] = positionals;
const benchmark = name === undefined ? undefined : BENCHMARKS[name];

if (benchmark === undefined || values.help) {
  const lines = [
    "Usage: npm run -s bench -- NAME [--json] [--long [--stored 10000,1000000]]",
    "",
    ...Object.entries(BENCHMARKS).map(([each, { about }]) => `  ${each.padEnd(12)} ${about}`),
  ];
  process.stderr.write(`${lines.join("\n")}\n`);
  process.exitCode = values.help ? 0 : 2;
} else {
  const report = (line: string): void => void process.stderr.write(`${line}\n`);
  const sizes = values.stored.split(",").filter(Boolean).map(Number);
  const figures = await (values.long && benchmark.long !== undefined
    ? benchmark.long(report, sizes)
    : benchmark.run(report));
  if (values.json) process.stdout.write(`${JSON.stringify(figures)}\n`);
  else
    for (const [figure, value] of Object.entries(figures))
      process.stdout.write(`${figure.padEnd(44)} ${JSON.stringify(value)}\n`);
}
