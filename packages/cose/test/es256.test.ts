/** What holds for every implementation of the port: published cases, agreement, signers. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import {
  type CryptoPort,
  compressedPoint,
  generateWebSigner,
  type P256PublicKey,
  publicKeyFromPoint,
  publicKeysEqual,
  type Signer,
  webCrypto,
  webSigner,
} from "../src/index.ts";
import { generateNodeSigner, nodeCrypto, nodeSigner, signerFromPkcs8 } from "../src/node/es256.ts";
import { coded, hex, toHex } from "./bytes.ts";

type PublishedCase = { tcId: number; comment: string; msg: string; sig: string; result: "valid" | "invalid" };
type Published = { numberOfTests: number; testGroups: { publicKey: string; tests: PublishedCase[] }[] };
const published: Published = JSON.parse(
  readFileSync(new URL("vectors/ecdsa-p256-sha256-p1363.json", import.meta.url), "utf8"),
);

const ports: [string, CryptoPort][] = [
  ["web", webCrypto()],
  ["node", nodeCrypto()],
  ["node with a cache of one", nodeCrypto({ keyCacheSize: 1 })],
  ["node without a cache", nodeCrypto({ keyCacheSize: 0 })],
];
const unsuitable = coded("CryptoError", "CRYPTO_KEY_UNSUITABLE");

/** The one answer that all ports give. */
async function verdict(key: P256PublicKey, message: Uint8Array, signature: Uint8Array): Promise<boolean> {
  const answers = await Promise.all(ports.map(([, port]) => port.verifyEs256(key, message, signature)));
  assert.equal(
    new Set(answers).size,
    1,
    `the ports disagree: ${answers}, ${toHex(compressedPoint(key))} ${toHex(signature)}`,
  );
  return answers[0] === true;
}

for (const [name, port] of ports) {
  test(`${name}: every case of Project Wycheproof has its published result`, async () => {
    let cases = 0;
    for (const { publicKey, tests } of published.testGroups) {
      const key = publicKeyFromPoint(hex(publicKey));
      for (const { tcId, comment, msg, sig, result } of tests) {
        cases += 1;
        assert.equal(await port.verifyEs256(key, hex(msg), hex(sig)), result === "valid", `case ${tcId}: ${comment}`);
      }
    }
    assert.equal(cases, 252);
  });

  test(`${name}: SHA-256 of FIPS 180-4's example, in a plain array`, () => {
    const digest = port.sha256(new TextEncoder().encode("abc"));
    assert.equal(toHex(digest), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert.equal(Object.getPrototypeOf(digest), Uint8Array.prototype);
  });
}

const ORDER = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
const ORDER_PLUS_ONE = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632552");
const extremeScalar = fc.constantFrom(new Uint8Array(32), ORDER, ORDER_PLUS_ONE, new Uint8Array(32).fill(255));
const scalar = fc.oneof(extremeScalar, fc.uint8Array({ minLength: 32, maxLength: 32 }));

const message = hex("cafe");
const signers: Signer[] = [generateNodeSigner(), await generateWebSigner()];

test("changed signatures and messages verify nowhere", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...signers),
      fc.nat(511),
      fc.uint8Array({ maxLength: 5 }),
      async (signer, bit, other) => {
        const signature = await signer.sign(message);
        assert.ok(await verdict(signer.publicKey, message, signature));
        const changed = Uint8Array.from(signature, (byte, at) => (at === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte));
        assert.ok(!(await verdict(signer.publicKey, message, changed)));
        if (toHex(other) !== toHex(message)) assert.ok(!(await verdict(signer.publicKey, other, signature)));
      },
    ),
  );
});

test("extreme and random r and s, and every length, verify nowhere", async () => {
  const { publicKey } = generateNodeSigner();
  await fc.assert(
    fc.asyncProperty(scalar, scalar, fc.integer({ min: 0, max: 70 }), async (r, s, length) => {
      assert.ok(!(await verdict(publicKey, message, Uint8Array.of(...r, ...s))));
      assert.ok(!(await verdict(publicKey, message, new Uint8Array(length).fill(1))));
    }),
  );
});

test("r of a good signature with an extreme s, and the other way round, verify nowhere", async () => {
  const signer = generateNodeSigner();
  const signature = await signer.sign(message);
  const [r, s] = [signature.subarray(0, 32), signature.subarray(32)];
  for (const extreme of [new Uint8Array(32), ORDER, ORDER_PLUS_ONE, new Uint8Array(32).fill(255)]) {
    assert.ok(!(await verdict(signer.publicKey, message, Uint8Array.of(...r, ...extreme))));
    assert.ok(!(await verdict(signer.publicKey, message, Uint8Array.of(...extreme, ...s))));
  }
  assert.ok(!(await verdict(signer.publicKey, message, Uint8Array.of(...signature, 0))));
  assert.ok(!(await verdict(signer.publicKey, message, signature.subarray(0, 63))));
});

test("under changed keys, on the curve or off it, a signature verifies nowhere", async () => {
  const signer = generateNodeSigner();
  const signature = await signer.sign(message);
  const point = compressedPoint(signer.publicKey);
  await fc.assert(
    fc.asyncProperty(fc.nat(256), async (bit) => {
      // Bit 256 is the parity of y: the mirrored point. The top 32 bits are left alone, to stay below the prime.
      const at = bit === 256 ? 0 : 5 + ((bit >> 3) % 28);
      const changed = Uint8Array.from(point, (byte, index) =>
        index === at ? byte ^ (bit === 256 ? 1 : 1 << (bit & 7)) : byte,
      );
      assert.ok(!(await verdict(publicKeyFromPoint(changed), message, signature)));
    }),
  );
});

test("the mirrored signature (r, n - s) is valid too: identity must not rest on signatures", async () => {
  const signer = generateNodeSigner();
  const signature = await signer.sign(message);
  const order = BigInt(`0x${toHex(ORDER)}`);
  const mirrored = (order - BigInt(`0x${toHex(signature.subarray(32))}`)).toString(16).padStart(64, "0");
  assert.ok(await verdict(signer.publicKey, message, hex(toHex(signature.subarray(0, 32)) + mirrored)));
});

test("the caller may reuse its buffers once verifying has begun", async () => {
  const signer = generateNodeSigner();
  for (const [name, port] of ports) {
    const signed = Uint8Array.from(message);
    const signature = await signer.sign(signed);
    const answer = port.verifyEs256(signer.publicKey, signed, signature);
    signed.fill(0);
    signature.fill(0);
    assert.ok(await answer, name);
  }
});

test("a stored private key signs for the same public key", async () => {
  const generated = generateNodeSigner();
  const pem = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(generated.privateKeyPkcs8).toString("base64")}\n-----END PRIVATE KEY-----\n`;
  for (const signer of [signerFromPkcs8(generated.privateKeyPkcs8), nodeSigner(pem)]) {
    assert.ok(publicKeysEqual(signer.publicKey, generated.publicKey));
    const signature = await signer.sign(message);
    assert.equal(signature.length, 64);
    assert.ok(await verdict(generated.publicKey, message, signature));
  }
});

test("keys that are no P-256 private key are refused", () => {
  const p384 = generateKeyPairSync("ec", { namedCurve: "P-384" });
  const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const ed25519 = generateKeyPairSync("ed25519");
  for (const key of [p384.privateKey, p256.publicKey, ed25519.privateKey, "", "-----BEGIN PRIVATE KEY-----"]) {
    assert.throws(() => nodeSigner(key), unsuitable);
  }
  assert.throws(() => signerFromPkcs8(new Uint8Array()), unsuitable);
  assert.throws(
    () => signerFromPkcs8(new Uint8Array(p384.privateKey.export({ type: "pkcs8", format: "der" }))),
    unsuitable,
  );
});

test("a generated web key cannot be read out unless asked for, and signs again when stored", async () => {
  const { keyPair, publicKey } = await generateWebSigner();
  assert.equal(keyPair.privateKey.extractable, false);
  assert.equal((await generateWebSigner({ extractable: true })).keyPair.privateKey.extractable, true);
  const stored = await webSigner(keyPair);
  assert.ok(publicKeysEqual(stored.publicKey, publicKey));
  assert.ok(await verdict(publicKey, message, await stored.sign(message)));
});

test("web keys of another curve or purpose are refused", async () => {
  const generate = (name: string, namedCurve: string, usages: ("sign" | "verify" | "deriveBits")[]) =>
    crypto.subtle.generateKey({ name, namedCurve }, true, usages);
  const good = await generate("ECDSA", "P-256", ["sign", "verify"]);
  const p384 = await generate("ECDSA", "P-384", ["sign", "verify"]);
  const ecdh = await generate("ECDH", "P-256", ["deriveBits"]);
  const pairs = [
    p384,
    ecdh,
    { privateKey: good.publicKey, publicKey: good.publicKey },
    { privateKey: good.privateKey, publicKey: p384.publicKey },
    { privateKey: good.privateKey, publicKey: good.privateKey },
    { privateKey: p384.privateKey, publicKey: good.publicKey },
  ];
  for (const pair of pairs) await assert.rejects(webSigner(pair), unsuitable);
});

test("without WebCrypto the port says so at once", async () => {
  const described = Object.getOwnPropertyDescriptor(globalThis, "crypto");
  assert.ok(described);
  Object.defineProperty(globalThis, "crypto", { configurable: true, value: undefined });
  try {
    const unavailable = coded("CryptoError", "CRYPTO_UNAVAILABLE");
    assert.throws(() => webCrypto(), unavailable);
    await assert.rejects(generateWebSigner(), unavailable);
  } finally {
    Object.defineProperty(globalThis, "crypto", described);
  }
});
