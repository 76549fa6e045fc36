import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { seededBugs } from "../../../seeded-bugs/all.ts";
import { PatchedCopy } from "../../../seeded-bugs/patched-copy.ts";

const WORLD = ["--seed", "story", "--wallets", "20", "--days", "3"];

function cairn(folder: string, ...args: readonly string[]) {
  const program = `${folder}/packages/cairn/src/main.ts`;
  return spawnSync(process.execPath, [program, "simulate", ...args], {
    encoding: "utf8",
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
}

test("a seeded bug is caught, told in a short story, and the printed command tells it again", (t) => {
  const bug = seededBugs.find(({ name }) => name === "settled-twice");
  assert.ok(bug !== undefined);
  const copy = new PatchedCopy();
  t.after(() => copy.remove());
  copy.plant(bug);
  const found = cairn(copy.folder, ...WORLD, "--json");
  assert.equal(found.status, 1, found.stderr);
  const { kept, violation, story, replay } = JSON.parse(found.stdout);
  assert.equal(kept, false);
  // Judged anew, it is posted again, or contradicts itself.
  assert.ok([2, 3].includes(violation.promise), JSON.stringify(violation));
  assert.ok(story.length > 0 && story.length <= 12, story.join("\n"));
  assert.match(story[0], /^day \d \d\d:\d\d:\d\d /);
  const again = cairn(copy.folder, ...replay.split(" ").slice(2), "--json");
  assert.equal(again.status, 1, again.stderr);
  assert.equal(JSON.parse(again.stdout).violation.promise, violation.promise);
  // Without the bug the same command finds nothing.
  copy.heal(bug);
  assert.equal(cairn(copy.folder, ...replay.split(" ").slice(2), "--json").status, 0);
});

test("several economies at once are the same as one after the other, in the same order", () => {
  const root = new URL("../../..", import.meta.url).pathname;
  const counted = (jobs: string): unknown[] => {
    const ran = cairn(
      root,
      "--seed",
      "jobs",
      "--runs",
      "3",
      "--wallets",
      "10",
      "--days",
      "1",
      "--jobs",
      jobs,
      "--json",
    );
    assert.equal(ran.status, 0, ran.stderr);
    const { runs }: { runs: { seed: string; counts: object }[] } = JSON.parse(ran.stdout);
    return runs.map(({ seed, counts }) => ({ seed, counts }));
  };
  const one = counted("1");
  assert.equal(one.length, 3);
  assert.deepEqual(counted("3"), one);
});

test("a fault or store that there is not is refused with what there is", () => {
  const root = new URL("../../..", import.meta.url).pathname;
  const wrong = cairn(root, "--faults", "crashes,gremlins");
  assert.equal(wrong.status, 2);
  assert.match(wrong.stderr, /There is no fault "gremlins"/);
  assert.equal(cairn(root, "--store", "tape").status, 2);
  assert.equal(cairn(root, "--only", "x").status, 2);
});
