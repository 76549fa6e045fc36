import { parseArgs } from "node:util";
import { type Explored, explore } from "./breadth-first.ts";
import { writePage } from "./counts.ts";
import { smallWorld } from "./small-world.ts";
import { WORLDS } from "./worlds.ts";

/**
 * Visits every state of small worlds, by the code that ships, and tells the shortest story to a broken promise.
 *     node prove/small-world/main.ts [--size short|long] [--world NAME]... [--json] [--write]
 * `--write` puts the counts of all worlds into docs/security/small-worlds.md.
 */
const { values } = parseArgs({
  options: {
    size: { type: "string", default: "short" },
    world: { type: "string", multiple: true, default: [] },
    json: { type: "boolean", default: false },
    write: { type: "boolean", default: false },
  },
});
const size = values.size;
if (size !== "short" && size !== "long") throw new Error(`short or long, not ${size}.`);
const chosen = WORLDS.map((both) => both[size]).filter(
  ({ name }) => values.world.length === 0 || values.world.includes(name),
);
if (chosen.length === 0) throw new Error(`One of ${WORLDS.map(({ short }) => short.name).join(", ")}.`);

export type ToldWorld = Explored & { readonly name: string; readonly about: string; readonly seconds: number };
const told: ToldWorld[] = [];
for (const world of chosen) {
  const begin = performance.now();
  const explored = explore(await smallWorld(world), (states, depth) => {
    if (process.stderr.isTTY) process.stderr.write(`\r        ${world.name}: ${states} states, ${depth} deep `);
  });
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  told.push({ name: world.name, about: world.about, ...explored, seconds });
  const { states, transitions, depth, counterexample } = explored;
  if (process.stderr.isTTY) process.stderr.write("\r");
  process.stderr.write(
    `${counterexample === undefined ? "ok    " : "BROKEN"}  ${world.name.padEnd(14)} ${states} states, `,
  );
  process.stderr.write(`${transitions} steps, at most ${depth} deep, ${seconds} s\n`);
  for (const line of counterexample?.story ?? []) process.stderr.write(`          ${line}\n`);
  for (const line of counterexample?.broken ?? []) process.stderr.write(`        ! ${line}\n`);
}
if (values.write && values.world.length === 0) writePage(size, told);
if (values.json) process.stdout.write(`${JSON.stringify(told)}\n`);
process.exitCode = told.every(({ counterexample }) => counterexample === undefined) ? 0 : 1;
