import assert from "node:assert/strict";
import { test } from "node:test";
import { CoseError, decompress } from "@cairn/cose";
import { nodeCrypto } from "@cairn/cose/node";
import { offCurveKey, otherSignature, signDeterministically, TEST_KEY_NAMES, testKey } from "./keys.ts";

test("signs as RFC 6979 appendix A.2.5 does", () => {
  const privateKey = Buffer.from("C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721", "hex");
  assert.equal(
    Buffer.from(signDeterministically(privateKey, Buffer.from("sample")))
      .toString("hex")
      .toUpperCase(),
    "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716" +
      "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8",
  );
});

test("both signatures of every test key verify", async () => {
  const message = new TextEncoder().encode("a message");
  for (const name of TEST_KEY_NAMES) {
    const key = testKey(name);
    const signature = await key.sign(message);
    assert.ok(await nodeCrypto().verifyEs256(key.publicKey, message, signature), name);
    assert.ok(await nodeCrypto().verifyEs256(key.publicKey, message, otherSignature(signature)), name);
  }
});

test("the key off the curve is off the curve", () => {
  assert.throws(() => decompress(offCurveKey()), CoseError);
});
