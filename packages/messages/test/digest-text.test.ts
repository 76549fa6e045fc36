import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { crypto } from "../../../vectors/world.ts";
import { digestText } from "../src/digest-text.ts";

test("a digest is the same text whether the port writes hexadecimal digits itself or not", () => {
  const { sha256Hex, ...plain } = crypto;
  assert.ok(sha256Hex !== undefined, "the port of Node.js does");
  const bytes = Uint8Array.of(1, 2, 3);
  const expected = createHash("sha256").update(bytes).digest("hex");
  assert.equal(digestText(bytes, crypto), expected);
  assert.equal(digestText(bytes, plain), expected);
});
