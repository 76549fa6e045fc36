import { mkdir, readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { deflateSync } from "node:zlib";
import { compressedPoint, encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { keyIdOf, MAXIMUM_STATUS_LIST_INFLATED_BYTES } from "@cairn/messages";
import { type Case, hex } from "./case.ts";
import { calls, codes, records } from "./cases/carriers.ts";
import { decodeInvalid } from "./cases/decode-invalid.ts";
import { decodeValid } from "./cases/decode-valid.ts";
import { encodingInvalid } from "./cases/encoding-invalid.ts";
import { acceptOpenCases, capturedCases } from "./cases/open.ts";
import { receiptCases, requestCases } from "./cases/payer.ts";
import { streamCases } from "./cases/stream.ts";
import { acceptCases } from "./cases/terminal.ts";
import { lists, verifying } from "./cases/trust.ts";
import { compatibleCases, paymentCases } from "./cases/two-way.ts";
import { TEST_KEY_NAMES, testKey } from "./keys.ts";
import { crypto } from "./world.ts";

/**
 * Makes the vectors. Everything is fixed, the nonces of signatures too, so the same sources give the same bytes.
 * `node vectors/generate.ts` says which files would change; with `--write` it writes them.
 */
export async function generate(): Promise<ReadonlyMap<string, string>> {
  const bomb = deflateSync(new Uint8Array(MAXIMUM_STATUS_LIST_INFLATED_BYTES + 1), { level: 9 });
  const groups: readonly (readonly [name: string, cases: { valid: readonly Case[]; invalid: readonly Case[] }])[] = [
    ["decode", { valid: await decodeValid(), invalid: await decodeInvalid(bomb) }],
    ["encoding", { valid: [], invalid: await encodingInvalid() }],
    ["code", await codes()],
    ["call", await calls()],
    ["stream", await streamCases()],
    ["records", records()],
    ["lists", await lists()],
    ["verify", await verifying()],
    ["request", await requestCases()],
    ["accept", await acceptCases()],
    ["accept-open", await acceptOpenCases()],
    ["payment", await paymentCases()],
    ["captured", await capturedCases()],
    ["receipt", await receiptCases()],
    ["compatible", { valid: compatibleCases(), invalid: [] }],
  ];
  const files = new Map<string, string>([["keys.json", textOf(keys())]]);
  for (const [name, { valid, invalid }] of groups) {
    if (valid.length > 0) files.set(`valid/${name}.json`, textOf(valid));
    if (invalid.length > 0) files.set(`invalid/${name}.json`, textOf(invalid));
  }
  return files;
}

function keys() {
  return TEST_KEY_NAMES.map((name) => {
    const { privateKey, publicKey } = testKey(name);
    return {
      name: `TEST KEY ${name}`,
      privateKey: hex(privateKey),
      compressedPoint: hex(compressedPoint(publicKey)),
      coseKey: hex(encodeCbor(publicKeyToCbor(publicKey))),
      keyId: keyIdOf(publicKey, crypto),
    };
  });
}

/** One member a line: differences stay readable. */
const textOf = (value: unknown): string => `${JSON.stringify(value, undefined, 2)}\n`;

const fileAt = (name: string): URL => new URL(name, import.meta.url);

/** Names of the files that are not as they would be generated. */
export async function outdated(): Promise<string[]> {
  const names: string[] = [];
  for (const [name, text] of await generate()) {
    const found = await readFile(fileAt(name), "utf8").catch(() => undefined);
    if (found !== text) names.push(name);
  }
  return names;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const names = await outdated();
  process.stdout.write(names.length === 0 ? "Nothing would change.\n" : `${names.join("\n")}\n`);
  if (process.argv.includes("--write")) {
    for (const folder of ["valid", "invalid"]) await mkdir(fileAt(`${folder}/`), { recursive: true });
    for (const [name, text] of await generate()) await writeFile(fileAt(name), text);
  }
}
