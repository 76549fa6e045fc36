import { parseArgs } from "node:util";
import { byteSearches } from "./short-bytes.ts";

/**
 * Shows decoders every short string and every neighbour of a valid message.
 *     node prove/small-world/bytes-main.ts [--size short|long] [--json]
 */
const { values } = parseArgs({
  options: { size: { type: "string", default: "short" }, json: { type: "boolean", default: false } },
});
if (values.size !== "short" && values.size !== "long") throw new Error(`short or long, not ${values.size}.`);

const told: { readonly name: string; readonly about: string; readonly inputs: number; readonly found: string[] }[] = [];
for (const { name, about, target, inputs } of byteSearches(values.size)) {
  let count = 0;
  const found: string[] = [];
  for (const input of inputs()) {
    count += 1;
    try {
      await target.run(input);
    } catch (error) {
      found.push(`${Buffer.from(input).toString("hex")}: ${String(error)}`);
      break;
    }
  }
  told.push({ name, about, inputs: count, found });
  process.stderr.write(`${found.length === 0 ? "ok    " : "BROKEN"}  ${name.padEnd(28)} ${count} inputs, ${about}\n`);
  for (const line of found) process.stderr.write(`        ! ${line}\n`);
}
if (values.json) process.stdout.write(`${JSON.stringify(told)}\n`);
process.exitCode = told.every(({ found }) => found.length === 0) ? 0 : 1;
