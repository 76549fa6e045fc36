import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { folder, readModel } from "./checker.ts";

/**
 * Writes traces.json: stories out of the model, of which packages/settle/test/model-traces.test.ts asks the real
 * settlement code every question that they ask the model's server. Each story ends when it has seen its witness.
 *     node docs/spec/model/traces.ts
 */
const STORIES: readonly { readonly world: string; readonly witnesses: readonly string[] }[] = [
  {
    world: "honest",
    witnesses: [
      "seesBothCertificatesSettle",
      "seesReceiptSettle",
      "seesVoided",
      "seesDeadline",
      "seesTooLate",
      "seesPartialCapture",
      "seesSecondCapture",
      "seesStaleAcceptancePaid",
      "seesAskedAfterRelease",
    ],
  },
  {
    world: "honestAmongThieves",
    witnesses: ["seesBothCertificatesSettle", "seesVoided", "seesSecondCapture", "seesTooLate", "seesRevokedRefused"],
  },
  {
    world: "copied",
    witnesses: [
      "seesLoss",
      "seesMostLoss",
      "seesCeiling",
      "seesSequenceConflict",
      "seesFalseClosing",
      "seesTooLate",
      "seesPaidTwice",
    ],
  },
  {
    world: "keyOut",
    witnesses: ["seesLoss", "seesCeiling", "seesSequenceConflict", "seesPaidTwice", "seesBrokenChain"],
  },
  { world: "keyOutBelieved", witnesses: ["seesLoss", "seesCeiling", "seesFalseClosing", "seesSecondCapture"] },
];
/** "false" is violated by no state, so such a story runs to its full length. */
const FULL_LENGTH = "false";
const SEEDS = ["0x1", "0x2"];

type Plain = string | number | boolean | readonly Plain[] | { readonly [name: string]: Plain };

/** Values of the Informal Trace Format as plain ones: integers, sets and maps as arrays. */
function plain(value: unknown): Plain {
  if (typeof value === "string" || typeof value === "boolean" || typeof value === "number") return value;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== "object" || value === null) throw new Error(`Not a value of a trace: ${String(value)}`);
  const entries = Object.entries(value);
  const [tag, inner] = entries[0] ?? ["", undefined];
  if (tag === "#bigint") return Number(inner);
  if (tag === "#set" || tag === "#map" || tag === "#tup") return plain(inner);
  return Object.fromEntries(entries.map(([name, field]) => [name, plain(field)]));
}

function variable(state: object, name: string): Plain {
  const found = Object.entries(state).find(([key]) => key === name || key.endsWith(`::${name}`));
  if (found === undefined) throw new Error(`The trace has no ${name}.`);
  return plain(found[1]);
}

/** Only what the server was asked, its answer, and its books afterwards. */
function story(states: readonly object[]): Plain[] {
  return states.flatMap((state) => {
    const call = variable(state, "call");
    const server = variable(state, "server");
    if (typeof call !== "object" || !("name" in call) || call.name === "") return [];
    if (typeof server !== "object" || !("balance" in server)) throw new Error("The trace has no books.");
    const { balance, credit, loss } = server;
    const { record, rivals, answer, ...about } = call;
    const asked = call.name === "settle" ? { record, rivals, answer } : { answer };
    return [{ now: variable(state, "now"), ...about, ...asked, books: { balance, credit, loss } } as Plain];
  });
}

const search = await readModel();
const lines: string[] = [];
for (const { world, witnesses } of STORIES) {
  for (const witness of [...witnesses, FULL_LENGTH]) {
    for (const seed of SEEDS) {
      const samples = witness === FULL_LENGTH ? 1 : 3000;
      const { result, states } = search(world, { invariants: [`not(${witness})`], samples, seed });
      if (witness !== FULL_LENGTH && result !== "violation") throw new Error(`${world} never ${witness}`);
      lines.push(
        JSON.stringify({ world, witness: witness === FULL_LENGTH ? "" : witness, seed, calls: story(states) }),
      );
      process.stderr.write(`${world} ${witness} ${seed}\n`);
    }
  }
}
writeFileSync(join(folder, "traces.json"), `[\n${lines.join(",\n")}\n]\n`);
process.stdout.write(`${lines.length} traces\n`);
