import assert from "node:assert/strict";
import { test } from "node:test";
import { type KeypadKey, keyFromKeyboard, pressKey } from "../src/till/keypad.ts";

const type = (keys: readonly KeypadKey[], maximumMinor = 100_000n): bigint =>
  keys.reduce((minor, key) => pressKey(minor, key, maximumMinor), 0n);

test("digits fill in from the right", () => {
  assert.equal(type(["1", "3", "3", "7"]), 1337n);
  assert.equal(type(["5", "00"]), 500n);
  assert.equal(type(["0", "00", "7"]), 7n);
});

test("erase takes the last digit, clear takes all", () => {
  assert.equal(type(["1", "3", "3", "7", "erase"]), 133n);
  assert.equal(type(["erase"]), 0n);
  assert.equal(type(["1", "3", "clear"]), 0n);
});

test("a digit that would go above what the terminal may take changes nothing", () => {
  assert.equal(type(["9", "9", "9"], 999n), 999n);
  assert.equal(type(["9", "9", "9", "9"], 999n), 999n);
  assert.equal(type(["9", "00"], 899n), 9n);
});

test("a keyboard works like the keypad", () => {
  assert.equal(keyFromKeyboard("7"), "7");
  assert.equal(keyFromKeyboard("Backspace"), "erase");
  assert.equal(keyFromKeyboard("Delete"), "clear");
  assert.equal(keyFromKeyboard("Enter"), "enter");
  assert.equal(keyFromKeyboard("a"), undefined);
  assert.equal(keyFromKeyboard("F1"), undefined);
});
