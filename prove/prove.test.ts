import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Kept } from "./kept.ts";
import { machineNow } from "./machine.ts";
import { root, runNode } from "./process.ts";
import { type Done, PROMISES, type Search } from "./search.ts";
import { searches } from "./searches.ts";
import { rowsOf, tableOf } from "./table.ts";

const numbers = Object.keys(PROMISES).map(Number);

test("the table has the seven lines of the specification", async () => {
  const page = await readFile(join(root, "docs/spec/promises.md"), "utf8");
  const section = page.split("## What may never happen")[1]?.split("\n## ")[0] ?? "";
  assert.deepEqual(
    [...section.matchAll(/^(\d)\. /gm)].map(([, number]) => Number(number)),
    numbers,
  );
});

test("every promise is looked at by several searches, one of them at random", () => {
  for (const number of numbers) {
    const its = searches.filter(({ promises }) => promises.some((promise) => promise === number));
    assert.ok(its.length >= 3, `promise ${number} has ${its.length} searches`);
  }
});

test("a search that found something, or searched nothing, holds no promise", () => {
  const done = (name: string, searched: number, found: readonly string[]): Done => {
    const search: Search = {
      name,
      method: name,
      promises: [1, 5],
      shortSeconds: 1,
      run: () => Promise.reject(new Error("not run")),
    };
    return { search, outcome: { searched, unit: "steps", found }, seconds: 1, machine: machineNow() };
  };
  const rows = rowsOf([done("good", 1_000, []), done("bad", 1_000, ["a story"]), done("idle", 0, [])]);
  assert.deepEqual(
    rows.map(({ promise, method, held }) => `${promise} ${method} ${held}`),
    ["1 good true", "1 bad false", "1 idle false", "5 good true", "5 bad false", "5 idle false"],
  );
  const lines = tableOf(rows).split("\n");
  assert.equal(lines.length, 2 + rows.length);
  assert.equal(new Set(lines.map(({ length }) => length)).size, 1);
});

const PROPERTY = `import { test } from "node:test";
import fc from "fast-check";
test("sync", () => fc.assert(fc.property(fc.nat(), (n) => n >= 0), { numRuns: 30 }));
test("async", () => fc.assert(fc.asyncProperty(fc.nat(), async (n) => n >= 0), { numRuns: 12 }));
`;

test("counted are the cases that properties really tried, and a failing property fails", async (t) => {
  // Inside the project, so that fast-check is found.
  const folder = await mkdtemp(join(root, "prove", "counted-"));
  const counts = join(await mkdtemp(join(tmpdir(), "cairn-prove-")), "counts");
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, "case.ts");
  const runIt = () => runNode(["--test", "--import", "./prove/count-runs.ts", file], { CAIRN_COUNT_FILE: counts });
  writeFileSync(file, PROPERTY);
  assert.equal((await runIt()).code, 0);
  const counted = (await readFile(counts, "utf8")).trim().split("\n").map(Number);
  assert.equal(
    counted.reduce((sum, runs) => sum + runs, 0),
    42,
  );
  writeFileSync(file, PROPERTY.replaceAll(">= 0", "< 50"));
  const failed = await runIt();
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /Counterexample/);
});

test("one search by name, as JSON, with the machine beside it", async () => {
  const ended = await runNode(["prove/main.ts", "--only", "stories", "--json"]);
  assert.equal(ended.code, 0, ended.stderr);
  const told = JSON.parse(ended.stdout);
  assert.equal(told.cores > 0 && told.node === process.version, true);
  assert.deepEqual(
    told.rows.map((row: { promise: number; held: boolean }) => [row.promise, row.held]),
    [1, 2, 3, 5, 6].map((promise) => [promise, true]),
  );
});

test("a run in parts goes on with what is kept, but not with what found something", async () => {
  const file = join(await mkdtemp(join(tmpdir(), "cairn-prove-")), "kept.json");
  const search: Search = {
    name: "one",
    method: "one",
    promises: [1],
    shortSeconds: 1,
    run: () => Promise.reject(new Error("not run")),
  };
  const kept = new Kept(file, "long");
  const machine = { ...machineNow(), date: "2026-11-23T12:00:00.000Z", processor: "another one" };
  assert.equal(kept.of(search), undefined);
  kept.keep({ search, outcome: { searched: 3, unit: "steps", found: ["a story"] }, seconds: 2, machine });
  assert.equal(kept.of(search), undefined);
  kept.keep({ search, outcome: { searched: 5, unit: "steps", found: [] }, seconds: 4, machine });
  assert.deepEqual(new Kept(file, "long").of(search)?.outcome.searched, 5);
  assert.deepEqual(new Kept(file, "long").of(search)?.machine, machine);
  assert.equal(new Kept(file, "short").of(search), undefined);
});
