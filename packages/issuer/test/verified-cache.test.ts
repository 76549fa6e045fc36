import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner, nodeCrypto } from "@cairn/cose/node";
import { keyIdOf, refusal, signMessage, type TrustList, trustList, type Verified } from "@cairn/messages";
import { VerifiedCache } from "../src/settlement/verified-cache.ts";

const crypto = nodeCrypto();
const signer = generateNodeSigner();

function listOf(version: number): Promise<Verified<TrustList>> {
  const rootKeyId = keyIdOf(signer.publicKey, crypto);
  return signMessage(trustList, { rootKeyId, issuedAt: 1, expiresAt: 2, version, keys: [] }, { signer, crypto });
}

test("equal bytes are verified once; any other byte is verified anew", async () => {
  const cache = new VerifiedCache<TrustList>(9);
  const list = await listOf(1);
  let verified = 0;
  const verify = async () => {
    verified++;
    return list;
  };
  assert.equal(await cache.get(list.bytes, verify), list);
  assert.equal(await cache.get(new Uint8Array(list.bytes), verify), list);
  assert.equal(verified, 1);
  const tampered = list.bytes.with(list.bytes.length - 1, (list.bytes.at(-1) ?? 0) ^ 1);
  await cache.get(tampered, verify);
  assert.equal(verified, 2);
  cache.clear();
  await cache.get(list.bytes, verify);
  assert.equal(verified, 3);
});

test("refusals are not remembered", async () => {
  const cache = new VerifiedCache<TrustList>(9);
  const list = await listOf(1);
  assert.equal((await cache.get(list.bytes, async () => refusal("SIGNATURE_INVALID"))) === list, false);
  assert.equal(await cache.get(list.bytes, async () => list), list);
});

test("the least recently used go first, and no more are kept than allowed", async () => {
  const cache = new VerifiedCache<TrustList>(2);
  const lists = await Promise.all([1, 2, 3].map(listOf));
  const verified: number[] = [];
  async function look(index: number): Promise<void> {
    const list = lists[index] ?? assert.fail();
    await cache.get(list.bytes, async () => {
      verified.push(index);
      return list;
    });
  }
  for (const index of [0, 1, 0, 2, 0, 1]) await look(index);
  assert.deepEqual(verified, [0, 1, 2, 1]);
});
