import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type Found, folder, readModel } from "./checker.ts";

const HELP = `node docs/spec/model/run.ts [options]
Searches every world of worlds.qnt at random: the design must keep every promise, each deliberate mistake must be found,
and every interesting state must be reached in some world of the design. Installs the model checker on first use.

  --samples N     histories of each world (default 600)
  --seed 0xN      where chance begins (default 0x1)
  --world NAME    only this one
  --design        without the worlds that have a deliberate mistake
  --json
`;
const { values } = parseArgs({
  options: {
    samples: { type: "string", default: "600" },
    seed: { type: "string", default: "0x1" },
    world: { type: "string" },
    design: { type: "boolean", default: false },
    json: { type: "boolean", default: false },
    help: { type: "boolean", short: "h", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit();
}

/** What one world came to. */
type Look = Pick<Found, "broken" | "histories" | "seen"> & {
  readonly world: string;
  readonly expected: "ok" | "violation";
  readonly result: string;
  readonly seconds: number;
};

const namesIn = (file: string, pattern: RegExp): string[] =>
  [...readFileSync(`${folder}${file}`, "utf8").matchAll(pattern)].map(([, name = ""]) => name);
const worlds = namesIn("worlds.qnt", /^module (\w+)/gm);
const witnesses = namesIn("offline.qnt", /^ {2}val (sees\w+)/gm);
const promises = (/val safe = and \{([^}]*)\}/.exec(readFileSync(`${folder}offline.qnt`, "utf8"))?.[1] ?? "")
  .split(",")
  .map((name) => name.trim());

const search = await readModel();

function look(world: string): Look {
  const expected = world.startsWith("bug") ? "violation" : "ok";
  // A mistake ends its search when it is found, so it may be looked for much longer than the design.
  const samples = Number(values.samples) * (expected === "violation" ? 40 : 1);
  const begin = performance.now();
  const { result, broken, histories, seen } = search(world, {
    invariants: promises,
    witnesses: expected === "ok" ? witnesses : [],
    samples,
    seed: values.seed,
  });
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  return { world, expected, result, broken, histories, seconds, seen };
}

const found: Look[] = [];
const isWanted = (name: string): boolean =>
  (values.world === undefined || name === values.world) && !(values.design && name.startsWith("bug"));
for (const world of worlds.filter(isWanted)) {
  const one = look(world);
  found.push(one);
  const mark = one.result === one.expected ? "ok    " : "FAILED";
  const what = one.broken.length === 0 ? one.result : `finds ${one.broken.join(", ")}`;
  process.stderr.write(`${mark}  ${world.padEnd(20)} ${one.histories} histories, ${one.seconds} s: ${what}\n`);
}
const unseen =
  values.world === undefined && !values.design
    ? witnesses.filter((name) => !found.some(({ seen }) => (seen[name] ?? 0) > 0))
    : [];
for (const name of unseen) process.stderr.write(`FAILED  ${name} was never reached\n`);
const passed = found.filter(({ expected, result }) => expected === result).length;
const failed = found.length - passed + unseen.length;
if (values.json) process.stdout.write(`${JSON.stringify(found)}\n`);
else process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
