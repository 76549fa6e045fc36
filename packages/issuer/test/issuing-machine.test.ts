import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryIssuerStore, SqliteIssuerStore } from "@cairn/stores";
import { MUST_REACH, searchIssuing } from "./issuing-machine/search.ts";

test("whatever happens to accounts and devices: exposure, precedence of refusals, and never silence", async () => {
  const reached = await searchIssuing(() => new MemoryIssuerStore(), { runs: 1_000, steps: 100 });
  for (const what of MUST_REACH) assert.ok(reached.has(what), `the search never reached ${what}`);
});

test("the same on the database", async () => {
  const reached = await searchIssuing(() => new SqliteIssuerStore(":memory:"), { runs: 100, steps: 60 });
  assert.ok(reached.has("issue"));
});
