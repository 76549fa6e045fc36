import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { environmentWithin } from "./processor-time.ts";

function run(source: string) {
  const folder = mkdtempSync(join(tmpdir(), "cairn-processor-"));
  const file = join(folder, "looped.txt");
  const env = { ...process.env, ...environmentWithin({ seconds: 2, bytes: 500_000_000, file }) };
  try {
    const { status } = spawnSync(process.execPath, ["-e", source], { env });
    return { status, isTold: existsSync(file) && readFileSync(file, "utf8") === "\n" };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

test("who works or takes memory without end is ended and told, a process below it too; who waits is left alone", () => {
  assert.deepEqual(run("for (;;);"), { status: null, isTold: true });
  const below = 'child_process.spawnSync(process.execPath, ["-e", "for (;;);"]); process.exitCode = 7;';
  assert.deepEqual(run(`const child_process = require("node:child_process"); ${below}`), { status: 7, isTold: true });
  const piledUp = "const all = Array.from({ length: 40 }, () => Buffer.alloc(20_000_000, 1));";
  const later = "setTimeout(() => { process.exitCode = all.length; }, 2_000);";
  assert.deepEqual(run(`${piledUp} ${later}`), { status: null, isTold: true });
  assert.deepEqual(run("setTimeout(() => { process.exitCode = 7; }, 2_500);"), { status: 7, isTold: false });
});
