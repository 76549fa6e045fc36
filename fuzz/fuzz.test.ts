import assert from "node:assert/strict";
import { test } from "node:test";
import { readCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { mutateCbor } from "./mutate-cbor.ts";
import { Random } from "./random.ts";
import { faultOf, search } from "./search.ts";
import { mustHold, type Target } from "./target.ts";

// Only now, so that V8 counts in what is compiled from here on.
const { allTargets } = await import("./targets/index.ts");
const { decodeNested } = await import("./planted.ts");

for (const { name, open } of allTargets) {
  test(`all inputs kept for ${name}, and its seeds, do no harm`, async () => {
    const target = await open();
    const inputs = [...readCorpus(name), ...target.seeds];
    assert.ok(inputs.length > 0, "there are inputs");
    for (const input of inputs) {
      const fault = await faultOf(target, input);
      assert.equal(fault, undefined, `${Buffer.from(input).toString("hex")}: ${String(fault)}`);
    }
    await target.close?.();
  });
}

const planted: Target = {
  name: "planted",
  shape: "bytes",
  seeds: [Uint8Array.of(0)],
  run: (input) => mustHold(!decodeNested(input), "The planted defect was reached."),
};
const isPlanted = (url: string): boolean => url.endsWith("/fuzz/planted.ts");

test("the search finds a defect behind four bytes by what its inputs reach, and by chance alone it would not", async () => {
  let inputs = 0;
  const report = await search(planted, {
    corpus: [],
    coverage: new Coverage(isPlanted),
    random: new Random(1),
    until: () => ++inputs > 400_000,
    mostFindings: 1,
  });
  assert.equal(report.findings.length, 1);
  assert.ok(report.corpus.length >= 4, "it went there step by step");
  const blind = await search(planted, {
    corpus: [],
    coverage: new Coverage(() => false),
    random: new Random(1),
    until: (
      (count = 0) =>
      () =>
        ++count > report.inputs
    )(),
    mostFindings: 1,
  });
  assert.equal(blind.findings.length, 0);
});

test("a change that knows CBOR leaves CBOR behind, also inside byte strings", () => {
  const nested = Uint8Array.from(Buffer.from("8243a1010244deadbeef", "hex"));
  const random = new Random(7);
  let inside = 0;
  for (let count = 0; count < 500; count++) {
    const changed = mutateCbor(nested, random, nested);
    assert.ok(changed !== undefined);
    const text = Buffer.from(changed).toString("hex");
    if (/^8243a101(?!02)/.test(text)) inside += 1;
  }
  assert.ok(inside > 0, "values of the inner map change and its length follows");
});

test("an input that keeps the processor busy is a finding, one that waits is none", async () => {
  const target = (run: Target["run"]): Target => ({ name: "slow", shape: "bytes", seeds: [], run });
  const busy = target(() => {
    const begin = process.cpuUsage();
    while (process.cpuUsage(begin).user < 60_000);
  });
  const waiting = target(() => new Promise((resolve) => setTimeout(resolve, 1_200)));
  assert.match(String(await faultOf(busy, new Uint8Array(), 50)), /of the processor/);
  assert.equal(await faultOf(waiting, new Uint8Array(), 1_000), undefined);
});

test("the same seed gives the same changes", () => {
  const draw = (seed: number): number[] => {
    const random = new Random(seed);
    return Array.from({ length: 50 }, () => random.below(1_000));
  };
  assert.deepEqual(draw(5), draw(5));
  assert.notDeepEqual(draw(5), draw(6));
});
