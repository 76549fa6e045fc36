import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { isSame } from "../../../testing/browser/assert.ts";
import { chromiumMissing } from "../../../testing/chromium.ts";
import { runInPage } from "../../../testing/page-tests.ts";

test("IndexedDB in Chromium passes the suites of wallet stores and terminal journals", {
  skip: chromiumMissing,
}, async (t) => {
  const results = await runInPage(fileURLToPath(new URL("browser/suites.ts", import.meta.url)));
  assert.ok(results.length >= 25, `only ${results.length} tests ran`);
  for (const { name, failure } of results) await t.test(name, () => assert.equal(failure, undefined));
});

test("the comparison that the page uses is as strict as Node's", () => {
  const same = { amount: 5n, bytes: Uint8Array.of(1, 2), absent: undefined, list: [1, "a"] };
  assert.ok(isSame(same, structuredClone(same)));
  for (const other of [
    { ...same, amount: 6n },
    { ...same, amount: 5 },
    { ...same, bytes: Uint8Array.of(1, 3) },
    { ...same, bytes: [1, 2] },
    { ...same, list: [1, "a", undefined] },
    { amount: 5n, bytes: Uint8Array.of(1, 2), list: [1, "a"] },
    { ...same, more: undefined },
  ]) {
    assert.ok(!isSame(same, other) && !isSame(other, same));
    assert.throws(() => assert.deepEqual(same, other));
  }
});
