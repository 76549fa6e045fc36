import assert from "node:assert/strict";
import { after, test } from "node:test";
import { seededBugs } from "./all.ts";
import { hunt, passes } from "./hunt.ts";
import { PatchedCopy } from "./patched-copy.ts";

/** A few that are found within a second; `npm run -s seeded-bugs` hunts them all. */
const SAMPLE = ["settled-twice", "payers-copy-settles", "same-number-only", "closing-believed", "limit-forgotten"];

const copy = new PatchedCopy();
after(() => copy.remove());

const sample = seededBugs.filter(({ name }) => SAMPLE.includes(name));

test("the searches of the sample find nothing in the project as it is", async () => {
  assert.equal(sample.length, SAMPLE.length);
  for (const search of new Set(sample.map((bug) => bug.search))) assert.ok(await passes(search, copy), search);
});

for (const bug of sample) {
  test(`the seeded bug ${bug.name} is found by ${bug.search}`, async () => {
    const { caughtBy } = await hunt(bug, copy);
    assert.equal(caughtBy, bug.search);
  });
}

test("a search that loops is no catch, unless a loop is what the bug does", async () => {
  const [bug] = sample.filter(({ name }) => name === "settled-twice");
  const [edit] = bug?.edits ?? [];
  assert.ok(bug !== undefined && edit !== undefined);
  const looping = {
    ...bug,
    name: "endless",
    edits: [{ ...edit, replace: `${edit.find}; for (;;);` }],
  };
  const limits = { processorSeconds: 3, wallClockMs: 600_000 };
  const { caughtBy, hung } = await hunt(looping, copy, [], limits);
  assert.deepEqual({ caughtBy, hung }, { caughtBy: undefined, hung: bug.search });
  assert.equal((await hunt({ ...looping, mayHang: true }, copy, [], limits)).caughtBy, bug.search);
});

test("what was planted is gone afterwards", async () => {
  for (const search of new Set(sample.map((bug) => bug.search))) assert.ok(await passes(search, copy), search);
});
