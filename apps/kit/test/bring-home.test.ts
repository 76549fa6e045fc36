import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { ClientError } from "@cairn/issuer/client";
import { tillOverLine } from "../../../testing/breaking-line.ts";
import { bringHome } from "../src/collecting/bring-home.ts";

const SALES = 300;

test("over a line that breaks every 60 kB a till of the app brings all of its day home, and hears of each payment", async (t) => {
  const { terminal, client, line, sell } = await tillOverLine(t, SALES);
  line.cutEach(60_000);
  let calls = 0;
  const home = () =>
    bringHome(terminal, client, { onProgress: () => calls++, pause: setTimeout, nowMs: () => Date.now() });
  assert.deepEqual(await home(), { received: SALES, refused: 0, listRefusals: [] });
  assert.ok(line.cuts() >= 2 && calls >= 5, `cut ${line.cuts()} times, ${calls} calls`);
  assert.equal((await terminal.paymentsToAsk(1_000)).length, 0);

  // One record is the least: where not even that gets through, it is said.
  await sell();
  line.cutEach(500);
  await assert.rejects(home(), (error) => error instanceof ClientError && error.code === "ISSUER_UNREACHABLE");
  line.cutEach(Number.POSITIVE_INFINITY);
  assert.equal((await home()).received, 1);
});
