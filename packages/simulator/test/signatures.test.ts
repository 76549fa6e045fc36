import assert from "node:assert/strict";
import { test } from "node:test";
import { Seeded } from "../src/kernel/seeded.ts";
import { simulatedSignatures } from "../src/signatures.ts";

test("a simulated signature is of one key and of every bit of one message", async () => {
  const { crypto, signer } = simulatedSignatures("keys");
  const random = new Seeded("messages");
  const [one, other] = [signer("one"), signer("other")];
  assert.equal(signer("one"), one);
  const seen = new Set<string>();
  for (let length = 0; length < 40; length += 1) {
    const message = random.bytes(length);
    const signature = await one.sign(message);
    assert.equal(signature.length, 64);
    seen.add(Buffer.from(signature).toString("hex"));
    assert.equal(await crypto.verifyEs256(one.publicKey, message, signature), true);
    assert.equal(await crypto.verifyEs256(other.publicKey, message, signature), false);
    assert.equal(await crypto.verifyEs256(one.publicKey, message, signature.subarray(1)), false);
    assert.equal(await crypto.verifyEs256(one.publicKey, new Uint8Array([...message, 0]), signature), false);
    for (const [bytes, isOf] of [
      [message, (changed: Uint8Array) => crypto.verifyEs256(one.publicKey, changed, signature)],
      [signature, (changed: Uint8Array) => crypto.verifyEs256(one.publicKey, message, changed)],
    ] as const)
      for (let bit = 0; bit < bytes.length * 8; bit += 1) {
        const changed = bytes.slice();
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
        assert.equal(await isOf(changed), false, `bit ${bit} of ${length} bytes`);
      }
  }
  assert.equal(seen.size, 40);
});

test("a key that nobody in the world holds verifies nothing", async () => {
  const mine = simulatedSignatures("mine");
  const theirs = simulatedSignatures("theirs");
  const message = new Uint8Array([1, 2, 3]);
  const signature = await theirs.signer("one").sign(message);
  assert.equal(await mine.crypto.verifyEs256(theirs.signer("one").publicKey, message, signature), false);
});
