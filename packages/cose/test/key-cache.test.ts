import assert from "node:assert/strict";
import { test } from "node:test";
import { publicKeyFromPoint } from "../src/index.ts";
import { KeyCache } from "../src/key-cache.ts";

const key = (number: number, lead = 2) =>
  publicKeyFromPoint(Uint8Array.from({ length: 33 }, (_, at) => (at === 0 ? lead : at === 32 ? number : 0)));

test("the least recently used key is dropped first", () => {
  const cache = new KeyCache<string>(2);
  cache.set(key(1), "one");
  cache.set(key(2), "two");
  assert.equal(cache.get(key(1)), "one");
  cache.set(key(3), "three");
  assert.equal(cache.get(key(2)), undefined);
  assert.equal(cache.get(key(1)), "one");
  assert.equal(cache.get(key(3)), "three");
});

test("the two points of one x are two keys", () => {
  const cache = new KeyCache<string>(2);
  cache.set(key(1, 2), "even");
  assert.equal(cache.get(key(1, 3)), undefined);
  cache.set(key(1, 3), "odd");
  assert.equal(cache.get(key(1, 2)), "even");
});

test("a cache of no size keeps nothing", () => {
  const cache = new KeyCache<string>(0);
  cache.set(key(1), "one");
  assert.equal(cache.get(key(1)), undefined);
});
