import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { nodeCrypto } from "@cairn/cose/node";
import fc from "fast-check";
import { hmac } from "../src/keys/hmac.ts";

const crypto = nodeCrypto();

test("it is the platform's HMAC, for every secret that it takes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 300 }), (secret, message) => {
      const expected = createHmac("sha256", secret).update(message).digest("hex");
      assert.equal(Buffer.from(hmac(secret, message, crypto)).toString("hex"), expected);
      assert.equal(Buffer.from(hmac(secret, message, crypto)).toString("hex"), expected, "made ready");
    }),
  );
});

test("a longer secret is refused", () => {
  assert.throws(() => hmac(new Uint8Array(65), new Uint8Array(), crypto), RangeError);
});
