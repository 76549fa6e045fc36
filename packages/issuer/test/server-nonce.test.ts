import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { nodeCrypto } from "@cairn/cose/node";
import { fromHex, identifier, type ServerNonce } from "@cairn/messages";
import fc from "fast-check";
import { systemRandom } from "../src/ports.ts";
import { makeNonce, NONCE_VALIDITY_SECONDS, nonceExpiry } from "../src/services/server-nonce.ts";

const crypto = nodeCrypto();
const secret = new Uint8Array(32).fill(7);
const now = 1_800_000_000;
const make = () => makeNonce({ now, secret, random: systemRandom, crypto }).nonce;

test("a nonce is 24 bytes, different each time, and good until its expiry", () => {
  const nonce = make();
  assert.equal(fromHex(nonce).length, 24);
  assert.notEqual(nonce, make());
  assert.equal(nonceExpiry(nonce, { now, secret, crypto }), now + NONCE_VALIDITY_SECONDS);
  assert.equal(nonceExpiry(nonce, { now: now + NONCE_VALIDITY_SECONDS, secret, crypto }), now + NONCE_VALIDITY_SECONDS);
  assert.equal(nonceExpiry(nonce, { now: now + NONCE_VALIDITY_SECONDS + 1, secret, crypto }), undefined);
});

test("another server's nonce is none", () => {
  assert.equal(nonceExpiry(make(), { now, secret: new Uint8Array(32).fill(8), crypto }), undefined);
});

test("a nonce with any bit changed is none", () => {
  fc.assert(
    fc.property(fc.nat({ max: 24 * 8 - 1 }), (bit) => {
      const bytes = fromHex(make());
      bytes[bit >> 3] = (bytes[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.equal(nonceExpiry(identifier<ServerNonce>(bytes, 24), { now, secret, crypto }), undefined);
    }),
  );
});

test("a nonce is an expiry, eight bytes, and the beginning of their HMAC by the platform", () => {
  const body = new Uint8Array(24);
  new DataView(body.buffer).setUint32(0, now + 1);
  const tag = createHmac("sha256", secret).update("cairn/1/server-nonce").update(body.subarray(0, 12)).digest();
  body.set(tag.subarray(0, 12), 12);
  assert.equal(nonceExpiry(identifier<ServerNonce>(body, 24), { now, secret, crypto }), now + 1);
});
