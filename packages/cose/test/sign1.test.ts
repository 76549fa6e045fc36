import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import fc from "fast-check";
import {
  type CborMap,
  type CborValue,
  CodedError,
  decodeSign1,
  encodeCbor,
  finishSign1,
  type ProtectedHeaders,
  prepareSign1,
  publicKeyFromPoint,
  Scratch,
  type Sign1,
  type Sign1Form,
  toBeSigned,
} from "../src/index.ts";
import { generateNodeSigner, nodeCrypto } from "../src/node/es256.ts";
import { coded, hex, toHex } from "./bytes.ts";
import { damaged } from "./cbor-arbitraries.ts";

const PLAIN: Sign1Form = { context: "" };
const ES256 = hex("a10126");
const EMPTY: CborMap = new Map();
const SIGNATURE = new Uint8Array(64).fill(7);

const partsOf = ({ headers, protectedBytes, payload, signature }: Sign1) => ({
  headers,
  protectedBytes,
  payload,
  signature,
});

/** sign-pass-02 and sign-pass-03 of https://github.com/cose-wg/Examples, the key being the "11" of RFC 9052 appendix C. */
const EXAMPLE = {
  key: "04bac5b11cad8f99f9c72b05cf4b9e26d244dc189f745228255a219a86d6a09eff20138bf82dc1b6d562be0fa54ab7804a3a64b6d72ccfed6b6fb6ed28bbfc117e",
  message:
    "8443a10126a10442313154546869732069732074686520636f6e74656e742e5840eae868ecc176883766c5dc5ba5b8dca25dab3c2e56a551ce5705b793914348e19f43d6c6ba654472da301b645b293c9ba939295b97c4bdb847782bff384c5794",
  toBeSigned: "846a5369676e61747572653143a101264054546869732069732074686520636f6e74656e742e",
};

test("the published example verifies, its key id taken out of the unprotected header", async () => {
  assert.throws(() => decodeSign1(hex(EXAMPLE.message), PLAIN), coded("CoseError", "COSE_HEADER"));
  const message = hex(EXAMPLE.message.replace("a104423131", "a0"));
  const sign1 = decodeSign1(message, PLAIN);
  assert.deepEqual(sign1.headers, {});
  assert.equal(new TextDecoder().decode(sign1.payload), "This is the content.");
  assert.equal(toHex(toBeSigned(sign1, PLAIN)), EXAMPLE.toBeSigned);
  const key = publicKeyFromPoint(hex(EXAMPLE.key));
  assert.ok(await nodeCrypto().verifyEs256(key, toBeSigned(sign1, PLAIN), sign1.signature));
  assert.ok(!(await nodeCrypto().verifyEs256(key, toBeSigned(sign1, { context: "other" }), sign1.signature)));
});

test("the tagged form is the untagged one behind tag 18, and each refuses the other", () => {
  const untagged = hex(EXAMPLE.message.replace("a104423131", "a0"));
  const tagged = Uint8Array.of(0xd2, ...untagged);
  assert.deepEqual(partsOf(decodeSign1(tagged, { context: "", tagged: true })), partsOf(decodeSign1(untagged, PLAIN)));
  assert.throws(() => decodeSign1(tagged, PLAIN), coded("CoseError", "COSE_MALFORMED"));
  assert.throws(() => decodeSign1(untagged, { context: "", tagged: true }), coded("CoseError", "COSE_MALFORMED"));
  assert.throws(() => decodeSign1(Uint8Array.of(0xd2, ...tagged), { context: "", tagged: true }), {
    code: "CBOR_UNSUPPORTED",
    offset: 1,
  });
});

const headers: fc.Arbitrary<ProtectedHeaders> = fc.record(
  { keyId: fc.uint8Array({ maxLength: 40 }), type: fc.string({ unit: "binary", maxLength: 30 }) },
  { requiredKeys: [], noNullPrototype: true },
);
const forms = fc.record({ context: fc.string({ unit: "binary", maxLength: 300 }), tagged: fc.boolean() });
const payloads = fc.oneof(fc.uint8Array({ maxLength: 30 }), fc.uint8Array({ minLength: 250, maxLength: 300 }));

test("what is prepared is what generic encoding gives, and what is decoded again", () => {
  fc.assert(
    fc.property(headers, payloads, forms, (given, payload, form) => {
      const prepared = prepareSign1({ headers: given, payload, form });
      const labels: CborMap = new Map<number, CborValue>([[1, -7]]);
      if (given.keyId !== undefined) labels.set(4, given.keyId);
      if (given.type !== undefined) labels.set(16, given.type);
      const protectedBytes = encodeCbor(labels);
      const context = new TextEncoder().encode(form.context);
      assert.equal(toHex(prepared.toBeSigned), toHex(encodeCbor(["Signature1", protectedBytes, context, payload])));
      const message = finishSign1(prepared, SIGNATURE);
      const generic = encodeCbor([protectedBytes, EMPTY, payload, SIGNATURE]);
      assert.equal(toHex(message), (form.tagged ? "d2" : "") + toHex(generic));
      const decoded = decodeSign1(message, form);
      assert.deepEqual(partsOf(decoded), { headers: given, protectedBytes, payload, signature: SIGNATURE });
      assert.deepEqual(toBeSigned(decoded, form), prepared.toBeSigned);
    }),
  );
});

const malformed: [string, CborValue][] = [
  ["a map", new Map()],
  ["three parts", [ES256, EMPTY, hex("00")]],
  ["five parts", [ES256, EMPTY, hex("00"), SIGNATURE, 0]],
  ["protected header as a map", [new Map([[1, -7]]), EMPTY, hex("00"), SIGNATURE]],
  ["a protected header left out", [EMPTY, hex("00"), SIGNATURE, 0]],
  ["unprotected header as bytes", [ES256, hex("a0"), hex("00"), SIGNATURE]],
  ["detached payload", [ES256, EMPTY, null, SIGNATURE]],
  ["payload as text", [ES256, EMPTY, "payload", SIGNATURE]],
  ["signature as text", [ES256, EMPTY, hex("00"), "signature"]],
  ["a list of signatures", [ES256, EMPTY, hex("00"), [SIGNATURE]]],
  ["protected header that is no map", [hex("80"), EMPTY, hex("00"), SIGNATURE]],
  ["short signature", [ES256, EMPTY, hex("00"), SIGNATURE.subarray(1)]],
  ["long signature", [ES256, EMPTY, hex("00"), Uint8Array.of(0, ...SIGNATURE)]],
  ["no signature", [ES256, EMPTY, hex("00"), hex("")]],
];

test("another structure is refused", () => {
  for (const [what, value] of malformed) {
    assert.throws(() => decodeSign1(encodeCbor(value), PLAIN), coded("CoseError", "COSE_MALFORMED"), what);
  }
});

const withHeader = (digits: string, unprotected: CborMap = EMPTY): Uint8Array =>
  encodeCbor([hex(digits), unprotected, hex("00"), SIGNATURE]);

test("any algorithm but ES256 is refused, before anything else about the header", () => {
  const refused = [
    "",
    "a0",
    "a10125",
    "a1013822",
    "a101382e",
    "a10127",
    "a10107",
    "a101654553323536",
    "a104423131",
    "a201250280",
  ];
  for (const digits of refused) {
    assert.throws(() => decodeSign1(withHeader(digits), PLAIN), coded("CoseError", "COSE_ALGORITHM"), digits);
  }
  const es384 = encodeCbor([hex("a1013822"), EMPTY, hex("00"), new Uint8Array(96)]);
  assert.throws(() => decodeSign1(es384, PLAIN), coded("CoseError", "COSE_ALGORITHM"));
  const unsigned = encodeCbor([hex("a1013822"), EMPTY, hex("00"), hex("")]);
  assert.throws(() => decodeSign1(unsigned, PLAIN), coded("CoseError", "COSE_ALGORITHM"));
  assert.throws(() => decodeSign1(withHeader("", new Map([[1, -7]])), PLAIN), coded("CoseError", "COSE_ALGORITHM"));
});

test("any other header is refused", () => {
  const refused = [
    "a20126028110", // crit
    "a201260300", // content type
    "a2012604623131", // kid as text
    "a201261000", // typ as a number
    "a20126104100", // typ as bytes
    "a20126182180", // x5chain
    "a20126617800", // a text label
  ];
  for (const digits of refused) {
    assert.throws(() => decodeSign1(withHeader(digits), PLAIN), coded("CoseError", "COSE_HEADER"), digits);
  }
  for (const unprotected of [new Map([[4, hex("31")]]), new Map([[1, -7]]), new Map([["x", 0]])]) {
    const message = withHeader("a10126", unprotected);
    assert.throws(() => decodeSign1(message, PLAIN), coded("CoseError", "COSE_HEADER"));
    const tagged = Uint8Array.of(0xd2, ...message);
    assert.throws(() => decodeSign1(tagged, { context: "", tagged: true }), coded("CoseError", "COSE_HEADER"));
  }
});

test("faults of the CBOR underneath keep their own code", () => {
  assert.throws(() => decodeSign1(hex(""), PLAIN), coded("CborError", "CBOR_TRUNCATED"));
  assert.throws(() => decodeSign1(withHeader("a10126").subarray(0, -1), PLAIN), coded("CborError", "CBOR_TOO_LONG"));
  assert.throws(
    () => decodeSign1(Uint8Array.of(...withHeader("a10126"), 0), PLAIN),
    coded("CborError", "CBOR_TRAILING_BYTES"),
  );
  assert.throws(() => decodeSign1(withHeader("a1013806"), PLAIN), coded("CborError", "CBOR_NON_MINIMAL"));
  assert.throws(() => decodeSign1(withHeader("a201260126"), PLAIN), coded("CborError", "CBOR_DUPLICATE_KEY"));
  assert.throws(() => decodeSign1(withHeader("a1012600"), PLAIN), coded("CborError", "CBOR_TRAILING_BYTES"));
});

test("a damaged message is refused with a code, or decodes to something that encodes to its bytes", () => {
  const prepared = prepareSign1({
    headers: { keyId: hex("31323334"), type: "t" },
    payload: hex("a10102"),
    form: PLAIN,
  });
  const valid = finishSign1(prepared, SIGNATURE);
  fc.assert(
    fc.property(damaged(fc.constant(valid)), (bytes) => {
      try {
        const { protectedBytes, payload, signature } = decodeSign1(bytes, PLAIN);
        assert.equal(toHex(encodeCbor([protectedBytes, EMPTY, payload, signature])), toHex(bytes));
      } catch (error) {
        assert.ok(error instanceof CodedError, String(error));
      }
    }),
    { numRuns: 3_000 },
  );
});

test("what was prepared does not change with the caller's buffer", () => {
  const payload = hex("0102");
  const prepared = prepareSign1({ headers: {}, payload, form: PLAIN });
  payload.fill(9);
  const decoded = decodeSign1(finishSign1(prepared, SIGNATURE), PLAIN);
  assert.deepEqual(toBeSigned(decoded, PLAIN), prepared.toBeSigned);
});

test("what is signed is put together in the place given where it fits, and beside it where it does not", () => {
  const form = { context: "cairn test" };
  const prepared = prepareSign1({ headers: { keyId: hex("01") }, payload: hex("a10102"), form });
  const received = decodeSign1(finishSign1(prepared, SIGNATURE), form);
  const { length } = prepared.toBeSigned;
  for (const size of [length - 1, length, length + 1]) {
    const scratch = new Scratch(new Uint8Array(size).fill(9));
    const signed = toBeSigned(received, form, scratch);
    assert.equal(toHex(signed), toHex(prepared.toBeSigned));
    assert.equal(signed.buffer === scratch.bytes.buffer, size >= length, `${size} bytes for ${length}`);
  }
});

test("half a surrogate pair in the context or type, and a signature of another length, are refused", () => {
  const payload = hex("00");
  const invalid = coded("CborError", "CBOR_INVALID_UTF8");
  assert.throws(() => prepareSign1({ headers: {}, payload, form: { context: "\ud800" } }), invalid);
  assert.throws(() => prepareSign1({ headers: { type: "\ud800" }, payload, form: PLAIN }), invalid);
  const prepared = prepareSign1({ headers: {}, payload, form: PLAIN });
  assert.throws(() => finishSign1(prepared, SIGNATURE.subarray(1)), coded("CoseError", "COSE_MALFORMED"));
});

test("signed, sent, decoded, verified; the identity does not depend on the signature", async () => {
  const form = { context: "cairn test" };
  const signer = generateNodeSigner();
  const crypto = nodeCrypto();
  const prepared = prepareSign1({ headers: { keyId: hex("01020304") }, payload: hex("a10102"), form });
  const [first, second] = [await signer.sign(prepared.toBeSigned), await signer.sign(prepared.toBeSigned)];
  assert.notDeepEqual(first, second);
  const identities = new Set<string>();
  for (const signature of [first, second]) {
    const received = decodeSign1(finishSign1(prepared, signature), form);
    const signed = toBeSigned(received, form);
    assert.ok(await crypto.verifyEs256(signer.publicKey, signed, received.signature));
    identities.add(toHex(crypto.sha256(signed)));
  }
  assert.deepEqual([...identities], [createHash("sha256").update(prepared.toBeSigned).digest("hex")]);
});
