import { parseArgs } from "node:util";
import { type Explored, explore } from "./breadth-first.ts";
import { type SmallWorld, smallWorld } from "./small-world.ts";

/**
 * Visits every state of small worlds, by the code that ships, and tells the shortest story to a broken promise.
 *     node prove/small-world/main.ts [--size tiny|short|long] [--json]
 */
const SIZES = {
  tiny: [{ payments: 2, images: 2, evilTill: true }],
  short: [
    { payments: 3, images: 1, evilTill: false },
    { payments: 3, images: 2, evilTill: false },
    { payments: 3, images: 2, evilTill: true },
  ],
  long: [
    { payments: 3, images: 1, evilTill: true },
    { payments: 3, images: 2, evilTill: false },
    { payments: 3, images: 2, evilTill: true },
    { payments: 3, images: 3, evilTill: false },
    { payments: 3, images: 3, evilTill: true },
  ],
} as const satisfies Readonly<Record<string, readonly SmallWorld[]>>;
type Size = keyof typeof SIZES;

const { values } = parseArgs({
  options: { size: { type: "string", default: "short" }, json: { type: "boolean", default: false } },
});
if (!(values.size in SIZES)) throw new Error(`One of ${Object.keys(SIZES).join(", ")}, not ${values.size}.`);

const told: (SmallWorld & Explored & { readonly seconds: number })[] = [];
for (const size of SIZES[values.size as Size]) {
  const begin = performance.now();
  const explored = explore(await smallWorld(size));
  const seconds = Math.round((performance.now() - begin) / 100) / 10;
  told.push({ ...size, ...explored, seconds });
  const { states, transitions, depth, counterexample } = explored;
  const { payments, images, evilTill } = size;
  const world = `${payments} payments, ${images} images of the device, ${evilTill ? "one till evil" : "tills honest"}`;
  process.stderr.write(`${counterexample === undefined ? "ok    " : "BROKEN"}  ${world}: ${states} states, `);
  process.stderr.write(`${transitions} steps, at most ${depth} deep, ${seconds} s\n`);
  for (const line of counterexample?.story ?? []) process.stderr.write(`          ${line}\n`);
  for (const line of counterexample?.broken ?? []) process.stderr.write(`        ! ${line}\n`);
}
if (values.json) process.stdout.write(`${JSON.stringify(told)}\n`);
process.exitCode = told.every(({ counterexample }) => counterexample === undefined) ? 0 : 1;
