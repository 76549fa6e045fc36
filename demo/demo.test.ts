import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

/** The README's first command: it must run to its end, and say what it promises to show. */
test("the demo runs to its end with the books sound and the clone proven", async () => {
  const child = spawn(process.execPath, [fileURLToPath(new URL("demo.ts", import.meta.url))], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const [said, complaints] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")]);
  assert.equal(child.exitCode, 0, complaints);
  for (const promised of [
    /cannot reach the issuer/,
    /Spending more than the limit is refused/,
    /A copy of a payment, shown again, is refused/,
    /sum\s+0\.00 EUR\s+recomputed from 5 entries: sound/,
    /signed both of these, which one honest device never does/,
    /sum\s+0\.00 EUR\s+recomputed from 7 entries: sound/,
  ]) {
    assert.match(said, promised);
  }
});
