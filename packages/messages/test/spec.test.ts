import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import * as messages from "@cairn/messages";
import { LABEL, MALFORMED_SENTENCES, REFUSAL_SENTENCES } from "@cairn/messages";

/** The specification is what others build from: its tables must be what the code does. */
const page = (name: string): Promise<string> =>
  readFile(new URL(`../../../docs/spec/${name}`, import.meta.url), "utf8");

test("refusals.md lists exactly the codes of this version, with their sentences", async () => {
  const rows = [...(await page("refusals.md")).matchAll(/^\| `([A-Z_]+)` \| (.+?) \|/gm)].map(([, code, sentence]) => [
    code,
    sentence,
  ]);
  assert.deepEqual(rows, [...Object.entries(MALFORMED_SENTENCES), ...Object.entries(REFUSAL_SENTENCES)]);
});

test("messages.md lists exactly the labels", async () => {
  const [, section = ""] = /## Labels\n([\s\S]*?)\n## /.exec(await page("messages.md")) ?? [];
  const rows = [...section.matchAll(/^\| (-?\d+) \| (\w+) \|/gm)].map(([, label, name]) => [name, Number(label)]);
  assert.deepEqual(Object.fromEntries(rows), LABEL);
});

test("messages.md states the bounds as they are", async () => {
  const [, section = ""] = /## Bounds\n([\s\S]*?)\n## /.exec(await page("messages.md")) ?? [];
  const rows = [...section.matchAll(/^\| `(\w+)` \| (\d+) \|/gm)];
  assert.ok(rows.length >= 15);
  for (const [, name = "", value] of rows)
    assert.equal(Number(value), (messages as Record<string, unknown>)[name], name);
});
