import assert from "node:assert/strict";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { decodeCbor, decodeSign1 } from "@cairn/cose";
import {
  decodeMessage,
  isRevoked,
  MAXIMUM_STATUS_LIST_INFLATED_BYTES,
  refuseStatusList,
  statusBits,
  statusList,
} from "@cairn/messages";
import fc from "fast-check";
import { crypto, faulty, NOW, signStatusList } from "../../../vectors/world.ts";

test("the example of the IETF draft, section 4: bits, bytes and compressed form", async () => {
  const revoked = [0, 3, 4, 5, 7, 8, 9, 13, 15];
  assert.deepEqual(statusBits({ size: 16, revoked }), Uint8Array.of(0xb9, 0xa3));
  const lst = Uint8Array.from(Buffer.from("78dadbb918000217015d", "hex"));
  const bytes = await faulty("status-list", {
    payload: (map) => {
      map.set(
        65_533,
        new Map<string, number | Uint8Array>([
          ["bits", 1],
          ["lst", lst],
        ]),
      );
    },
  });
  const { unverified } = decodeMessage(statusList, bytes, crypto);
  assert.deepEqual(unverified.bits, Uint8Array.of(0xb9, 0xa3));
  const found = Array.from({ length: 16 }, (_, index) => index).filter((index) => isRevoked(unverified, index));
  assert.deepEqual(found, revoked);
});

test("bits or bytes that change in place are written and read anew", async () => {
  // A Buffer of Node's copies nothing where an array does: `slice`.
  for (const copied of [(each: Uint8Array) => new Uint8Array(each), (each: Uint8Array) => Buffer.from(each)]) {
    const bits = copied(statusBits({ size: 16, revoked: [3] }));
    await signStatusList({ bits });
    bits.set(statusBits({ size: 16, revoked: [4] }));
    const { bytes } = await signStatusList({ bits });
    const first = decodeMessage(statusList, bytes, crypto).unverified;
    assert.deepEqual(
      [3, 4].map((index) => isRevoked(first, index)),
      [false, true],
    );
    const buffer = copied(bytes);
    decodeMessage(statusList, buffer, crypto);
    buffer.set((await signStatusList({ bits: statusBits({ size: 16, revoked: [5] }) })).bytes);
    const second = decodeMessage(statusList, buffer, crypto).unverified;
    assert.deepEqual(
      [4, 5].map((index) => isRevoked(second, index)),
      [false, true],
    );
  }
});

test("it is a Token Status List in CWT form: tag 18, its type, no signed context", async () => {
  const { bytes } = await signStatusList();
  assert.equal(bytes[0], 0xd2);
  const { headers, payload } = decodeSign1(bytes, { context: "", tagged: true });
  assert.equal(headers.type, "application/statuslist+cwt");
  const claims = decodeCbor(payload);
  assert.ok(claims instanceof Map);
  assert.deepEqual([...claims.keys()], [2, 4, 6, 65_533, 65_534]);
});

test("exactly the given indices are withdrawn, and none beyond the end", async () => {
  const { content } = await signStatusList();
  const sizes = fc.integer({ min: 1, max: 300 });
  fc.assert(
    fc.property(
      sizes.chain((size) => fc.tuple(fc.constant(size), fc.uniqueArray(fc.nat(size - 1)))),
      ([size, revoked]) => {
        const list = { ...content, bits: statusBits({ size, revoked }) };
        for (let index = 0; index < size + 20; index++)
          assert.equal(isRevoked(list, index), revoked.includes(index), `${index} of ${size}`);
        assert.equal(isRevoked(list, 4_294_967_295), false);
      },
    ),
  );
});

test("a withdrawal outside the list is an error, never lost in silence", () => {
  for (const index of [8, -1, 0.5, Number.NaN, 2 ** 32])
    assert.throws(() => statusBits({ size: 8, revoked: [index] }), RangeError, String(index));
});

test("a decompression bomb is refused by the bound, whatever it claims", async () => {
  const bomb = deflateSync(new Uint8Array(200_000_000), { level: 9 });
  const bytes = await faulty("status-list", {
    payload: (map) => {
      map.set(
        65_533,
        new Map<string, number | Uint8Array>([
          ["bits", 1],
          ["lst", Uint8Array.from(bomb)],
        ]),
      );
    },
  });
  assert.ok(bytes.length < 250_000, "small on the wire");
  assert.throws(() => decodeMessage(statusList, bytes, crypto), { code: "MESSAGE_TOO_LARGE" });
});

test("a list is written as long as readers inflate, and no longer", async () => {
  const bits = new Uint8Array(MAXIMUM_STATUS_LIST_INFLATED_BYTES);
  const { bytes } = await signStatusList({ bits });
  assert.equal(decodeMessage(statusList, bytes, crypto).unverified.bits.length, bits.length);
  await assert.rejects(signStatusList({ bits: new Uint8Array(bits.length + 1) }), { code: "MESSAGE_TOO_LARGE" });
});

test("a list names itself by a URI and nothing around it", async () => {
  for (const uri of ["https://issuer.example/list", "urn:list:1"])
    assert.equal((await signStatusList({ uri })).content.uri, uri);
  for (const uri of [" https://issuer.example", "1https://issuer.example", "https://issuer.example/a b", "https:", "x"])
    await assert.rejects(signStatusList({ uri }), { code: "MESSAGE_FIELD_INVALID" }, uri);
});

test("an older list does not replace a newer one, an expired one none", async () => {
  const held = await signStatusList();
  const { issuedAt, expiresAt } = held.content;
  assert.equal(refuseStatusList(held, { held, now: NOW }), undefined);
  const older = await signStatusList({ issuedAt: issuedAt - 1 });
  assert.equal(refuseStatusList(older, { held, now: NOW })?.code, "STATUS_LIST_ROLLBACK");
  assert.equal(refuseStatusList(held, { held: undefined, now: expiresAt }), undefined);
  assert.equal(refuseStatusList(held, { held: undefined, now: expiresAt + 1 })?.code, "STATUS_LIST_STALE");
});

test("the status map has exactly its two keys, and one bit a certificate", async () => {
  const lst = Uint8Array.from(deflateSync(Uint8Array.of(1)));
  const read = async (...entries: [string, number | Uint8Array][]) =>
    decodeMessage(
      statusList,
      await faulty("status-list", { payload: (map) => void map.set(65_533, new Map(entries)) }),
      crypto,
    );
  assert.deepEqual((await read(["bits", 1], ["lst", lst])).unverified.bits, Uint8Array.of(1));
  const invalid = { code: "MESSAGE_FIELD_INVALID" };
  await assert.rejects(read(["bits", 1]), invalid);
  await assert.rejects(read(["lst", lst]), invalid);
  await assert.rejects(read(["bits", 2], ["lst", lst]), invalid);
  await assert.rejects(read(["bits", 1], ["lst", 1]), invalid);
  await assert.rejects(read(["bits", 1], ["lst", lst], ["aggregation_uri", 1]), invalid);
});
