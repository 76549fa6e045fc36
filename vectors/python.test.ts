import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** A reader in another language, by other libraries, agrees with every vector. */
const PYTHON = "/usr/bin/python3";

test("vectors/verify.py agrees with every vector", (t) => {
  if (spawnSync(PYTHON, ["-c", "import cbor2, cryptography"]).status !== 0) {
    const missing = "Debian's python3-cbor2 and python3-cryptography are not installed";
    if (process.env.CI === "true") assert.fail(missing);
    t.skip(missing);
    return;
  }
  const script = fileURLToPath(new URL("verify.py", import.meta.url));
  const run = spawnSync(PYTHON, [script], { encoding: "utf8", env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" } });
  const lines = run.stdout.trimEnd().split("\n");
  const [, passed, failed] = /^(\d+) passed, (\d+) failed$/.exec(lines.at(-1) ?? "") ?? [];
  t.diagnostic(lines.at(-1) ?? run.stderr);
  assert.equal(failed, "0", lines.slice(0, 20).join("\n"));
  assert.ok(Number(passed) >= 150);
  assert.equal(run.status, 0);
});
