import { parseArgs } from "node:util";
import { seededBugs } from "./all.ts";
import { type Caught, hunt, passes, searchNames } from "./hunt.ts";
import { PatchedCopy } from "./patched-copy.ts";

const HELP = `npm run -s seeded-bugs -- [options]
Plants small realistic bugs in a copy of the project, one after the other, and lets the searches find them.

  --bug NAME        only this one, by the search that should find it; may be repeated
  --searched NAME   a search that is known to find nothing where there is no bug, and is not tried first; may be repeated
  --json
`;
const { values } = parseArgs({
  options: {
    bug: { type: "string", multiple: true, default: [] },
    searched: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});

if (values.help) process.stdout.write(HELP);
else await main();

async function main(): Promise<void> {
  const chosen = seededBugs.filter(({ name }) => values.bug.length === 0 || values.bug.includes(name));
  const copy = new PatchedCopy();
  const found: Caught[] = [];
  try {
    const own = new Set(chosen.map(({ search }) => search));
    const used = values.bug.length === 0 ? searchNames : searchNames.filter((name) => own.has(name));
    for (const name of used.filter((one) => !values.searched.includes(one)))
      if (!(await passes(name, copy))) throw new Error(`"${name}" fails without any bug: mend that first.`);
    for (const bug of chosen) {
      const one = await hunt(bug, copy, used);
      found.push(one);
      process.stderr.write(`${sayHow(one)}, ${one.seconds} s\n`);
    }
  } finally {
    copy.remove();
  }
  const missed = found.filter(({ caughtBy }) => caughtBy === undefined).length;
  if (values.json) process.stdout.write(`${JSON.stringify(found)}\n`);
  else process.stdout.write(`${found.length - missed} caught, ${missed} missed\n`);
  process.exitCode = missed === 0 && found.length > 0 ? 0 : 1;
}

function sayHow({ bug, caughtBy, hung }: Caught): string {
  const name = bug.padEnd(32);
  if (caughtBy !== undefined) return `caught  ${name} by ${caughtBy}`;
  return hung === undefined ? `MISSED  ${name} by nothing` : `HUNG    ${name} ${hung} does not end, which is no catch`;
}
