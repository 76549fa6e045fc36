import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_SETTINGS, readSettings, type Settings, writeSettings } from "../src/session/settings.ts";

function memoryWith(text: string | null = null) {
  let held = text;
  return {
    getItem: () => held,
    flushed: async () => undefined,
    setItem: (_key: string, value: string) => {
      held = value;
    },
  };
}

test("settings come back as they were written", () => {
  const memory = memoryWith();
  const chosen: Settings = {
    whenStale: "at-own-risk",
    sound: false,
    gate: { mode: "capped", fareMinor: "250" },
    currentRequestId: "ab12",
    lastUploadAt: 1_800_000_000,
  };
  writeSettings(memory, chosen);
  assert.deepEqual(readSettings(memory), chosen);
});

test("a new terminal has the defaults, and refuses payments on old lists", () => {
  assert.deepEqual(readSettings(memoryWith()), DEFAULT_SETTINGS);
  assert.equal(DEFAULT_SETTINGS.whenStale, "refuse");
});

test("what cannot be read keeps no till from opening", () => {
  for (const text of [
    "",
    "null",
    "[]",
    "7",
    "{",
    '{"gate":null}',
    '{"gate":{"fareMinor":"-1"},"lastUploadAt":"soon"}',
  ]) {
    assert.deepEqual(readSettings(memoryWith(text)), DEFAULT_SETTINGS, text);
  }
});
