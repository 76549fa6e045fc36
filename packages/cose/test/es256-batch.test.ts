/** Many signatures at once: the answer has to be the one that each of them gets alone. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { type HintedSignature, publicKeyFromPoint, type SignatureBatches } from "../src/index.ts";
import { generateNodeSigner, nodeCrypto } from "../src/node/es256.ts";
import { openSignatureBatches } from "../src/node/es256-batch.ts";
import { hex } from "./bytes.ts";

const crypto = nodeCrypto();
const entry = new URL("../src/node/es256-batch.ts", import.meta.url);
const batches = opened();

/** On this runtime it has to be there: else nothing below would test anything. */
function opened(): SignatureBatches {
  const found = openSignatureBatches();
  assert.ok(found !== undefined, "this runtime cannot verify in batches");
  return found;
}

type Plain = Omit<HintedSignature, "hint">;

function hinted(plain: Plain): HintedSignature {
  const hint = batches.hintFor(plain);
  assert.ok(hint !== undefined);
  return { ...plain, hint };
}

const signers = Array.from({ length: 3 }, () => generateNodeSigner());
const many: readonly HintedSignature[] = await Promise.all(
  Array.from({ length: 40 }, async (_, index) => {
    const { publicKey, sign } = signers[index % signers.length] ?? generateNodeSigner();
    const message = Uint8Array.of(index);
    return hinted({ publicKey, digest: crypto.sha256(message), signature: await sign(message) });
  }),
);
const [first, second] = many as [HintedSignature, HintedSignature];

const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString("hex")}`);
const bytesOf = (number: bigint): Uint8Array => hex(number.toString(16).padStart(64, "0"));
const ORDER = numberOf(hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"));
const PRIME = numberOf(hex("ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"));
const withS = ({ signature }: Plain, s: bigint): Uint8Array => Buffer.concat([signature.subarray(0, 32), bytesOf(s)]);
const withR = ({ signature }: Plain, r: bigint): Uint8Array => Buffer.concat([bytesOf(r), signature.subarray(32)]);

test("valid signatures pass, alone, together and none at all", () => {
  assert.ok(batches.areAllValid([]));
  for (const each of many) assert.ok(batches.areAllValid([each]));
  assert.ok(batches.areAllValid(many));
  assert.ok(batches.areAllValid([first, first, second, first]), "the same one more than once");
});

const s = numberOf(first.signature.subarray(32));
const spoiled: Readonly<Record<string, HintedSignature>> = {
  "another digest": { ...first, digest: second.digest },
  "another key": { ...first, publicKey: second.publicKey },
  "another's signature": { ...first, signature: second.signature },
  "another's hint": { ...first, hint: second.hint },
  "the opposite point": { ...first, hint: bytesOf(PRIME - numberOf(first.hint)) },
  "s of the opposite point": { ...first, signature: withS(first, ORDER - s) },
  "a hint off the curve": { ...first, hint: new Uint8Array(32) },
  "a hint above the prime": { ...first, hint: bytesOf(PRIME) },
  "a short hint": { ...first, hint: first.hint.subarray(1) },
  "a long hint": { ...first, hint: Buffer.concat([first.hint, Uint8Array.of(0)]) },
  "r of nothing": { ...first, signature: withR(first, 0n) },
  "r of the order": { ...first, signature: withR(first, ORDER) },
  "s of nothing": { ...first, signature: withS(first, 0n) },
  "s of the order": { ...first, signature: withS(first, ORDER) },
  "s above the order": { ...first, signature: withS(first, s + ORDER > 2n ** 256n - 1n ? 2n ** 256n - 1n : s + ORDER) },
  "a short signature": { ...first, signature: first.signature.subarray(1) },
  "a key off the curve": { ...first, publicKey: publicKeyFromPoint(hex(`02${"0".repeat(63)}1`)) },
};

for (const [name, bad] of Object.entries(spoiled))
  test(`one with ${name} spoils any batch, and leaves the next one alone`, () => {
    assert.equal(batches.areAllValid([bad]), false);
    assert.equal(batches.areAllValid([...many.slice(0, 20), bad, ...many.slice(20)]), false);
    assert.equal(batches.areAllValid([bad, bad]), false, "two of them do not make up for each other");
    assert.ok(batches.areAllValid(many));
  });

test("errors that cancel out each other do not pass: the multipliers are random", () => {
  // Without them this would be zero: one signature's surplus is the other's shortage.
  const swapped = [
    { ...first, hint: second.hint, signature: second.signature },
    { ...second, hint: first.hint, signature: first.signature },
  ];
  const sameKey = { publicKey: first.publicKey };
  assert.equal(batches.areAllValid(swapped.map((each) => ({ ...each, ...sameKey }))), false);
});

test("a batch is valid exactly when each signature of it is, whatever was changed", () => {
  const changes = fc.record({
    at: fc.nat(many.length - 1),
    part: fc.constantFrom("digest" as const, "signature" as const, "hint" as const),
    byte: fc.nat(31),
    bit: fc.nat(7),
  });
  fc.assert(
    fc.property(fc.array(changes, { maxLength: 2 }), (list) => {
      const changed = many.map((each) => ({ ...each }));
      for (const { at, part, byte, bit } of list) {
        const target = changed[at] as { -readonly [Name in keyof HintedSignature]: HintedSignature[Name] };
        const old = target[part];
        target[part] = Uint8Array.from(old, (value, index) => (index === byte ? value ^ (1 << bit) : value));
      }
      const isUnchanged = changed.every((each, index) =>
        (["digest", "signature", "hint"] as const).every(
          (part) => Buffer.compare(each[part], many[index]?.[part] ?? each[part]) === 0,
        ),
      );
      assert.equal(batches.areAllValid(changed), isUnchanged);
    }),
    { numRuns: 60 },
  );
});

test("Project Wycheproof: a hint exists for the valid ones alone, and with it they pass", () => {
  const published: { testGroups: { publicKey: string; tests: { msg: string; sig: string; result: string }[] }[] } =
    JSON.parse(readFileSync(new URL("vectors/ecdsa-p256-sha256-p1363.json", import.meta.url), "utf8"));
  const valid: HintedSignature[] = [];
  let beyond = 0;
  for (const { publicKey, tests } of published.testGroups)
    for (const { msg, sig, result } of tests) {
      const plain = {
        publicKey: publicKeyFromPoint(hex(publicKey)),
        digest: crypto.sha256(hex(msg)),
        signature: hex(sig),
      };
      const hint = batches.hintFor(plain);
      if (result === "invalid") assert.equal(hint, undefined);
      else if (hint === undefined) beyond += 1;
      else valid.push({ ...plain, hint });
    }
  // R's x coordinate at or above the order: made on purpose, met by nobody else.
  assert.ok(beyond <= 2, `${beyond} valid signatures without a hint`);
  assert.ok(valid.length > 150);
  assert.ok(batches.areAllValid(valid));
});

test("each thread has its own", async () => {
  const source = `import { openSignatureBatches } from ${JSON.stringify(entry.href)};
    import { parentPort } from "node:worker_threads";
    parentPort.postMessage(openSignatureBatches() !== undefined);`;
  const ask = () =>
    new Promise((resolve, reject) => {
      const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`));
      worker.once("message", resolve).once("error", reject);
    });
  assert.deepEqual(await Promise.all([ask(), ask()]), [true, true]);
});

test("where foreign-function calls are off there is none, and nobody is warned of anything", () => {
  const source = `import { openSignatureBatches } from ${JSON.stringify(entry.href)}; console.log(openSignatureBatches() !== undefined);`;
  const run = (...flags: string[]) =>
    spawnSync(process.execPath, [...flags, "--input-type=module", "--eval", source], { encoding: "utf8" });
  const here = ["--permission", `--allow-fs-read=${fileURLToPath(new URL("../../..", import.meta.url))}*`];
  for (const [flags, expected] of [
    [[], "true\n"],
    [["--no-experimental-ffi"], "false\n"],
    [here, "false\n"],
  ] as const) {
    const { stdout, stderr } = run(...flags);
    assert.deepEqual({ stdout, stderr }, { stdout: expected, stderr: "" });
  }
});
