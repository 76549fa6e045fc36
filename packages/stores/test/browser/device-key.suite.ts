import assert from "node:assert/strict";
import { test } from "node:test";
import { generateWebSigner, webCrypto, webSigner } from "@cairn/cose";
import { deviceKeyPair } from "@cairn/stores/browser";

const generate = async () => (await generateWebSigner()).keyPair;

export function testDeviceKey(fresh: () => string): void {
  test("device key: is made once, stays the same, signs, and cannot be read out", async () => {
    const name = fresh();
    const pair = await deviceKeyPair(name, generate);
    const again = await deviceKeyPair(name, () => Promise.reject(new Error("made twice")));
    const [signer, other] = [await webSigner(pair), await webSigner(again)];
    assert.deepEqual(signer.publicKey, other.publicKey);
    const message = new Uint8Array([1, 2, 3]);
    assert.ok(await webCrypto().verifyEs256(signer.publicKey, message, await other.sign(message)));
    await assert.rejects(crypto.subtle.exportKey("pkcs8", again.privateKey));
  });

  test("device key: two tabs at the same moment get one key", async () => {
    const name = fresh();
    const pairs = await Promise.all([deviceKeyPair(name, generate), deviceKeyPair(name, generate)]);
    const [left, right] = await Promise.all(pairs.map(async (pair) => (await webSigner(pair)).publicKey));
    assert.deepEqual(left, right);
  });
}
