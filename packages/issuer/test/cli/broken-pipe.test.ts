import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../../cairn/src/main.ts", import.meta.url));

test("a reader that stops early ends no command and sees no stack trace", async () => {
  const child = spawn(process.execPath, [MAIN, "wallet", "--help"], { stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.destroy();
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, "exit")]);
  assert.equal(code, 0, said);
  assert.doesNotMatch(said, /EPIPE| {4}at /);
});
