import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Kept } from "./kept.ts";
import { machineNow } from "./machine.ts";
import type { Done, Length, Search } from "./search.ts";
import { searches } from "./searches.ts";
import { rowsOf, tableOf } from "./table.ts";

const HELP = `npm run -s prove -- [options]
Looks for a breach of every promise of docs/spec/promises.md, by every search of the project, and prints a table.

  --long         the long form: about two hours, one of them fuzzing
  --only NAME    only this search; may be repeated (${searches.map(({ name }) => name).join(", ")})
  --keep FILE    keeps what each search came to in this file; what is kept there already is not searched again, so that a
                 long run can be made in parts
  --again        searches again what is kept, of the searches that are chosen
  --json
`;
const { values } = parseArgs({
  options: {
    long: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    keep: { type: "string" },
    again: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
/** One on each core; the smallest machine has two. */
const AT_ONCE = Math.max(2, availableParallelism());

if (values.help) process.stdout.write(HELP);
else await main(values.long ? "long" : "short");

async function main(length: Length): Promise<void> {
  const chosen = searches.filter(({ name }) => values.only.length === 0 || values.only.includes(name));
  const kept = new Kept(values.keep, length);
  const waiting = chosen
    .filter((search) => values.again || kept.of(search) === undefined)
    .toSorted((one, other) => other.shortSeconds - one.shortSeconds);
  const running = new Map<string, number>();
  const heart = setInterval(() => tellProgress(running, waiting.length), process.stderr.isTTY ? 1_000 : 20_000);
  const done: Done[] = chosen.flatMap((search) => (waiting.includes(search) ? [] : (kept.of(search) ?? [])));
  const begin = performance.now();
  const worker = async (): Promise<void> => {
    for (let search = waiting.shift(); search !== undefined; search = waiting.shift()) {
      running.set(search.name, performance.now());
      const one = await runSearch(search, length);
      done.push(one);
      kept.keep(one);
      running.delete(search.name);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  clearInterval(heart);
  const ordered = chosen.flatMap((search) => done.filter((one) => one.search === search));
  const rows = rowsOf(ordered);
  // Of a run in parts, what its parts took.
  const seconds = values.keep === undefined ? secondsSince(begin) : sumOfSeconds(ordered);
  const failed = ordered.filter(({ outcome }) => outcome.found.length > 0 || outcome.searched === 0);
  if (values.json) {
    const plain = ordered.map(({ search, outcome, seconds: took, machine }) => ({
      search: search.name,
      ...outcome,
      seconds: took,
      machine,
    }));
    process.stdout.write(`${JSON.stringify({ ...machineNow(), length, seconds, rows, searches: plain })}\n`);
  } else {
    process.stdout.write(`${tableOf(rows)}\n\n${length} form, ${seconds} s.\n`);
    for (const line of machinesOf(ordered)) process.stdout.write(`${line}\n`);
  }
  for (const { search, outcome } of failed) process.stderr.write(`\n${search.name}:\n${outcome.found.join("\n")}\n`);
  process.exitCode = failed.length === 0 && rows.length > 0 ? 0 : 1;
}

/** What is kept may be of another day and another machine than this one. */
function machinesOf(all: readonly Done[]): readonly string[] {
  const days = Map.groupBy(all, ({ machine: { date, processor, cores, memoryGiB, node, commit } }) => {
    const sources = commit === undefined ? "" : `, commit ${commit}`;
    return `${date.slice(0, 10)}: ${processor}, ${cores} cores, ${memoryGiB} GiB, Node.js ${node}${sources}`;
  });
  return [...days].map(([day, its]) => `${day} (${its.map(({ search }) => search.name).join(", ")})`);
}

function sumOfSeconds(all: readonly Done[]): number {
  return Math.round(all.reduce((sum, { seconds }) => sum + seconds, 0));
}

/** What runs now and for how long, on one line where the line can be written again. */
function tellProgress(running: ReadonlyMap<string, number>, waiting: number): void {
  const now = [...running].map(([name, begin]) => `${name} ${Math.round(secondsSince(begin))} s`).join(", ");
  const line = `...     ${now}${waiting === 0 ? "" : `; ${waiting} to come`}`;
  process.stderr.write(process.stderr.isTTY ? `\r${line}\x1b[K` : `${line}\n`);
}

async function runSearch(search: Search, length: Length): Promise<Done> {
  const begin = performance.now();
  const outcome = await search.run(length);
  const seconds = secondsSince(begin);
  const mark = outcome.found.length === 0 ? "ok    " : "FAILED";
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  process.stderr.write(`${mark}  ${search.name.padEnd(12)} ${outcome.searched} ${outcome.unit}, ${seconds} s\n`);
  return { search, outcome, seconds, machine: machineNow() };
}

function secondsSince(begin: number): number {
  return Math.round((performance.now() - begin) / 100) / 10;
}
