import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../cairn/src/main.ts", import.meta.url));
const cairn = (...args: string[]) => spawnSync(process.execPath, [MAIN, ...args], { encoding: "utf8" });

test("a command that is typed wrongly says so, as one JSON value where that is asked for, and ends with 2", () => {
  for (const args of [
    ["wallet", "nosuch"],
    ["wallet", "pay", "--nosuch"],
    ["issuer", "statement"],
  ]) {
    const forPeople = cairn(...args);
    assert.equal(forPeople.status, 2, args.join(" "));
    assert.match(forPeople.stderr, /^error: .*\n+Add --help for what is possible\.\n$/, args.join(" "));
    assert.equal(forPeople.stdout, "");
    const forMachines = cairn(...args, "--json");
    assert.equal(forMachines.status, 2);
    assert.equal(forMachines.stderr, "");
    const { ok, code, sentence, next } = JSON.parse(forMachines.stdout);
    assert.deepEqual([ok, code, next], [false, "WRONGLY_CALLED", "Add --help for what is possible."]);
    assert.ok(forPeople.stderr.includes(sentence), sentence);
  }
});

test("a file that is not there is named, once, with what to do", () => {
  const { status, stderr } = cairn("terminal", "accept", "--image", "/nonexistent/code.png", "--data", "/nonexistent");
  assert.equal(status, 1);
  assert.match(stderr, /^FILE_NOT_FOUND: The file \/nonexistent\/code\.png was not found\.\nCheck the path\.\n$/);
});
