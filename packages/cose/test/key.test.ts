import assert from "node:assert/strict";
import { createHash, createPublicKey, generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  type CborValue,
  CoseError,
  compressedPoint,
  decodeCbor,
  decodePublicKey,
  decompress,
  encodeCbor,
  isCompressedPoint,
  keyThumbprint,
  publicKeyFromCbor,
  publicKeyFromPoint,
  publicKeysEqual,
  publicKeyToCbor,
} from "../src/index.ts";
import { generateNodeSigner } from "../src/node/es256.ts";
import { coded, hex, toHex } from "./bytes.ts";

const PRIME = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
/** The generator (SP 800-186 section 3.2.1.3): a point that everybody knows. */
const GX = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const GY = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

const sha256 = (bytes: Uint8Array): Uint8Array => new Uint8Array(createHash("sha256").update(bytes).digest());
const coseKey = (...entries: [number | string, CborValue][]): CborValue => new Map(entries);
const invalid = coded("CoseError", "COSE_KEY_INVALID");

test("compressed and uncompressed points of one key are the same key", () => {
  const compressed = publicKeyFromPoint(hex(`03${GX}`));
  assert.ok(publicKeysEqual(compressed, publicKeyFromPoint(hex(`04${GX}${GY}`))));
  assert.equal(toHex(decompress(compressed)), `04${GX}${GY}`);
  assert.equal(toHex(compressedPoint(compressed)), `03${GX}`);
  assert.ok(!publicKeysEqual(compressed, publicKeyFromPoint(hex(`02${GX}`))));
});

test("a key whose parts are not what they should be is refused, and nothing falls over", () => {
  const good = publicKeyToCbor(publicKeyFromPoint(hex(`03${GX}`)));
  for (const [label, values] of [
    [1, [3, "2"]],
    [-1, [2, true]],
    [-2, [5, "x", null, hex(GX).subarray(1)]],
    [-3, [1, hex(GY)]],
  ] as const)
    for (const value of values)
      assert.throws(() => publicKeyFromCbor(new Map([...good, [label, value]])), invalid, `${label} ${value}`);
});

test("keys are the same to the last byte and the sign, and so are the bytes of one", () => {
  const key = publicKeyFromPoint(hex(`03${GX}`));
  const point = compressedPoint(key);
  assert.ok(isCompressedPoint(point, key));
  for (const at of [0, 1, 32]) {
    const other = point.with(at, (point[at] ?? 0) ^ 1);
    assert.equal(isCompressedPoint(other, key), false, `byte ${at}`);
    assert.equal(publicKeysEqual(publicKeyFromPoint(other), key), false, `byte ${at}`);
  }
  const padded = Uint8Array.of(point[0] ?? 0, 0, ...key.x);
  for (const bytes of [point.subarray(1), Uint8Array.of(...point, 0), padded, new Uint8Array()])
    assert.equal(isCompressedPoint(bytes, key), false, `${bytes.length} bytes`);
});

test("an encoded key of one's own store is read, and the same array gives the same key", () => {
  const key = publicKeyFromPoint(hex(`03${GX}`));
  const bytes = encodeCbor(publicKeyToCbor(key));
  const read = decodePublicKey(bytes);
  assert.deepEqual(read, key);
  assert.equal(decodePublicKey(bytes), read);
  assert.deepEqual(decodePublicKey(bytes.slice()), key);
  assert.throws(() => decodePublicKey(encodeCbor(1)), invalid);
});

test("a thumbprint is made once, and one by each digest", () => {
  let made = 0;
  const counted = (bytes: Uint8Array): Uint8Array => {
    made += 1;
    return sha256(bytes);
  };
  const key = publicKeyFromPoint(hex(`03${GX}`));
  assert.deepEqual(keyThumbprint(key, counted), keyThumbprint(key, counted));
  assert.equal(made, 1);
  assert.deepEqual(
    keyThumbprint(key, () => Uint8Array.of(7)),
    Uint8Array.of(7),
  );
});

test("what callers do with the bytes that they gave or got changes no key and no thumbprint", () => {
  // A Buffer of Node's copies nothing where an array does: `slice`.
  const asBuffer = (bytes: Uint8Array): Uint8Array => Buffer.from(bytes);
  for (const [given, digest] of [
    [hex(`04${GX}${GY}`), sha256],
    [asBuffer(hex(`04${GX}${GY}`)), (bytes: Uint8Array) => asBuffer(sha256(bytes))],
  ] as const) {
    const key = publicKeyFromPoint(given);
    const thumbprint = keyThumbprint(key, digest);
    const kept = toHex(thumbprint);
    given.fill(0);
    thumbprint.fill(0);
    assert.equal(toHex(decompress(key)), `04${GX}${GY}`);
    assert.equal(toHex(keyThumbprint(key, digest)), kept);
  }
});

test("decompressing agrees with the platform for both parities", () => {
  for (let round = 0; round < 20; round += 1) {
    const { x = "", y = "" } = generateKeyPairSync("ec", { namedCurve: "P-256" }).publicKey.export({ format: "jwk" });
    const point = Buffer.concat([Buffer.of(4), Buffer.from(x, "base64url"), Buffer.from(y, "base64url")]);
    assert.equal(toHex(decompress(publicKeyFromPoint(point))), toHex(point));
  }
});

test("exactly the points that the platform accepts can be decompressed", () => {
  const prefix = hex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
  let offCurve = 0;
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), fc.boolean(), (x, yIsOdd) => {
      fc.pre(toHex(x) < PRIME);
      const key = publicKeyFromPoint(Uint8Array.of(yIsOdd ? 3 : 2, ...x));
      const spki = Buffer.concat([prefix, compressedPoint(key)]);
      if (accepts(() => createPublicKey({ key: spki, format: "der", type: "spki" }))) {
        assert.ok(publicKeysEqual(publicKeyFromPoint(decompress(key)), key));
      } else {
        offCurve += 1;
        assert.throws(() => decompress(key), invalid);
        assert.throws(() => keyThumbprint(key, sha256), invalid);
      }
    }),
  );
  assert.ok(offCurve > 10, `${offCurve} off the curve`);
});

test("COSE_Key holds the four labels in the compressed form", () => {
  const key = publicKeyFromPoint(hex(`03${GX}`));
  const encoded = encodeCbor(publicKeyToCbor(key));
  assert.equal(toHex(encoded), `a4010220012158 20${GX}22f5`.replace(" ", ""));
  assert.deepEqual(publicKeyFromCbor(decodeCbor(encoded)), key);
});

test("any other COSE_Key is refused", () => {
  const x = hex(GX);
  const refused: [string, CborValue][] = [
    ["not a map", [1, 2]],
    ["null", null],
    ["empty", coseKey()],
    ["y missing", coseKey([1, 2], [-1, 1], [-2, x])],
    ["a fifth label", coseKey([1, 2], [-1, 1], [-2, x], [-3, true], [3, -7])],
    ["a text label in place of y", coseKey([1, 2], [-1, 1], [-2, x], ["-3", true])],
    ["another key type", coseKey([1, 1], [-1, 1], [-2, x], [-3, true])],
    ["another curve", coseKey([1, 2], [-1, 2], [-2, x], [-3, true])],
    ["y in full", coseKey([1, 2], [-1, 1], [-2, x], [-3, hex(GY)])],
    ["x as text", coseKey([1, 2], [-1, 1], [-2, GX], [-3, true])],
    ["x too short", coseKey([1, 2], [-1, 1], [-2, x.subarray(1)], [-3, true])],
    ["x too long", coseKey([1, 2], [-1, 1], [-2, Uint8Array.of(0, ...x)], [-3, true])],
    ["x equal to the prime", coseKey([1, 2], [-1, 1], [-2, hex(PRIME)], [-3, true])],
    ["x above the prime", coseKey([1, 2], [-1, 1], [-2, new Uint8Array(32).fill(255)], [-3, true])],
  ];
  for (const [what, value] of refused) assert.throws(() => publicKeyFromCbor(value), invalid, what);
});

test("x just below the prime has the right form", () => {
  assert.doesNotThrow(() => publicKeyFromPoint(hex(`02${PRIME.slice(0, -1)}e`)));
});

test("any other point is refused", () => {
  const refused = [
    "",
    "00",
    GX,
    `02${GX}00`,
    `04${GX}`,
    `05${GX}`,
    `06${GX}${GY}`,
    `07${GX}${GY}`,
    `02${GX}${GY}`,
    `04${GX}${GX}`,
    `04${GX}${GY}00`,
    `02${PRIME}`,
    `04${PRIME}${GY}`,
    `04${GX}${PRIME}`,
    `04${"00".repeat(64)}`,
  ];
  for (const digits of refused) assert.throws(() => publicKeyFromPoint(hex(digits)), invalid, digits);
});

test("a coordinate beyond the prime is no second name of a point", () => {
  // x = 5 has a point; x = p + 5 still fits 32 bytes and would be the same point to a careless reader.
  const small = hex("05".padStart(64, "0"));
  const { y } = pointWith(small);
  const shifted = (BigInt(`0x${PRIME}`) + 5n).toString(16).padStart(64, "0");
  assert.throws(() => publicKeyFromPoint(hex(`04${shifted}${y}`)), invalid);
  // The same for y = 5: p + 5 is even, so a careless reader would have it for the point on the other side.
  const ofFive = "d7325d7646cd60d80a92738ceb345f844cffaf35841022cab176f692de8de1d7";
  // The root that is taken, before it is known from the whole point, has all of its zeros.
  assert.equal(pointWith(hex(ofFive), 3).y, "05".padStart(64, "0"));
  assert.ok(publicKeyFromPoint(hex(`04${ofFive}${"05".padStart(64, "0")}`)).yIsOdd);
  assert.throws(() => publicKeyFromPoint(hex(`04${ofFive}${shifted}`)), invalid);
});

test("the thumbprint is the one of RFC 9679 section 6", () => {
  const key = publicKeyFromPoint(
    hex(
      "0465eda5a12577c2bae829437fe338701a10aaa375e1bb5b5de108de439c08551d" +
        "1e52ed75701163f7f9e40ddf9f341b3dc9ba860af7e0ca7ca7e9eecd0084d19c",
    ),
  );
  assert.equal(toHex(keyThumbprint(key, sha256)), "496bd8afadf307e5b08c64b0421bf9dc01528a344a43bda88fadd1669da253ec");
  assert.deepEqual(keyThumbprint(publicKeyFromPoint(compressedPoint(key)), sha256), keyThumbprint(key, sha256));
});

test("a key keeps no hold of the bytes it was read from", () => {
  const point = compressedPoint(generateNodeSigner().publicKey);
  const key = publicKeyFromPoint(point);
  const before = toHex(key.x);
  point.fill(0);
  assert.equal(toHex(key.x), before);
});

function accepts(attempt: () => unknown): boolean {
  try {
    attempt();
    return true;
  } catch (error) {
    assert.ok(!(error instanceof CoseError));
    return false;
  }
}

function pointWith(x: Uint8Array, lead = 2): { y: string } {
  const point = decompress(publicKeyFromPoint(Uint8Array.of(lead, ...x)));
  return { y: toHex(point.subarray(33)) };
}
