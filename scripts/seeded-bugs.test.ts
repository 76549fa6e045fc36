import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { seededBugs } from "../seeded-bugs/all.ts";
import { applied } from "../seeded-bugs/patched-copy.ts";

/** The seeded bugs follow the sources: a patch that no longer applies would search for nothing. */
const root = fileURLToPath(new URL("..", import.meta.url));

for (const { name, edits } of seededBugs) {
  test(`the seeded bug ${name} still finds its place`, () => {
    const texts = new Map<string, string>();
    for (const edit of edits) {
      const text = texts.get(edit.file) ?? readFileSync(join(root, edit.file), "utf8");
      texts.set(edit.file, applied(edit, text));
    }
    for (const [file, text] of texts) assert.notEqual(text, readFileSync(join(root, file), "utf8"));
  });
}

test("there are at least 20 seeded bugs, each with a name of its own, and every promise has some", () => {
  assert.ok(seededBugs.length >= 20);
  assert.equal(new Set(seededBugs.map(({ name }) => name)).size, seededBugs.length);
  assert.deepEqual([...new Set(seededBugs.map(({ breaks }) => breaks))].toSorted(), [1, 2, 3, 4, 5, 6, 7]);
});

test("a patch whose place is gone, or is there twice, is refused", () => {
  const edit = { file: "x.ts", find: "a", replace: "b" };
  assert.equal(applied(edit, "xax"), "xbx");
  assert.throws(() => applied(edit, "xx"));
  assert.throws(() => applied(edit, "aa"));
});
