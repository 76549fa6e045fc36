import assert from "node:assert/strict";
import { test } from "node:test";
import { bigints } from "../src/issuer/postgres/binary-arrays.ts";

test("whole numbers are written alike as number and as bigint, to both ends of what each holds", () => {
  const numbers = [0, 1, -1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, -(2 ** 32), -(2 ** 33) - 7, 2 ** 53 - 1, 1 - 2 ** 53];
  assert.deepEqual(bigints(numbers), bigints(numbers.map(BigInt)));
  const written = bigints([...numbers, 2n ** 63n - 1n, -(2n ** 63n), undefined]);
  const values = Array.from({ length: numbers.length + 2 }, (_, index) => written.readBigInt64BE(24 + 12 * index));
  assert.deepEqual(values, [...numbers.map(BigInt), 2n ** 63n - 1n, -(2n ** 63n)]);
  assert.equal(written.readInt32BE(written.length - 4), -1, "nothing is NULL");
});
