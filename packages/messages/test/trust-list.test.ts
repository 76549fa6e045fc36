import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { type CryptoPort, decompress, encodeCbor } from "@cairn/cose";
import {
  decodeMessage,
  deviceIdOf,
  isRefusal,
  KEY_USE,
  keyIdOf,
  prepareMessage,
  refuseTrustList,
  type TrustAnchors,
  terminalIdOf,
  trustAnchors,
  trustedKeys,
  trustList,
  userCertificate,
  verifyUserCertificate,
} from "@cairn/messages";
import { offCurveKey, testKey } from "../../../vectors/keys.ts";
import { certificate, crypto, DAY, NOW, signTrustList, trustedKey } from "../../../vectors/world.ts";

const keyId = keyIdOf(testKey("issuer").publicKey, crypto);
const wanted = { keyId, use: KEY_USE.userCertificates, signedAt: NOW };
const codeOf = (value: object): string => (isRefusal(value) ? value.code : "found");
const anchorsOf = async (...keys: ReturnType<typeof trustedKey>[]): Promise<TrustAnchors> =>
  trustAnchors(await signTrustList({ keys }), crypto);

test("a key is found by id, use and time, each edge included", async () => {
  const anchors = await anchorsOf(trustedKey("issuer", { uses: 1, validFrom: NOW, validUntil: NOW + 10 }));
  const at = (signedAt: number): string => codeOf(trustedKeys(anchors, { ...wanted, signedAt }));
  assert.deepEqual([NOW - 1, NOW, NOW + 10, NOW + 11].map(at), [
    "ISSUER_KEY_NOT_VALID",
    "found",
    "found",
    "ISSUER_KEY_NOT_VALID",
  ]);
  assert.equal(codeOf(trustedKeys(anchors, { ...wanted, use: KEY_USE.statusLists })), "ISSUER_KEY_NOT_ALLOWED");
  assert.equal(codeOf(trustedKeys(await anchorsOf(), wanted)), "ISSUER_UNKNOWN");
});

test("of keys with one id those are tried that were valid, and only of the issuer that is asked for", async () => {
  const [early, late] = [trustedKey("issuer", { validUntil: NOW - 1 }), trustedKey("issuer", { validFrom: NOW })];
  assert.deepEqual(trustedKeys(await anchorsOf(early, late), wanted), [late]);
  const anchors = await anchorsOf(late);
  assert.deepEqual(trustedKeys(anchors, { ...wanted, issuerId: late.issuerId }), [late]);
  assert.equal(codeOf(trustedKeys(anchors, { ...wanted, issuerId: `${late.issuerId}x` })), "ISSUER_UNKNOWN");
});

test("one list has one set of anchors, by which others know that nothing has changed", async () => {
  const list = await signTrustList({ keys: [trustedKey("issuer")] });
  assert.equal(trustAnchors(list, crypto), trustAnchors(list, crypto));
});

test("an issuer's address begins with http", async () => {
  for (const issuerUrl of ["http://127.0.0.1:8080", "https://issuer.example/cairn"]) {
    const { content } = await signTrustList({ keys: [trustedKey("issuer", { issuerUrl })] });
    assert.equal(content.keys[0]?.issuerUrl, issuerUrl);
  }
  for (const issuerUrl of ["javascript:https://issuer.example", "xhttps://issuer.example", "ftp://issuer.example"])
    await assert.rejects(signTrustList({ keys: [trustedKey("issuer", { issuerUrl })] }), {
      code: "MESSAGE_FIELD_INVALID",
    });
});

test("keys, devices and terminals are named by the first bytes of their key's thumbprint", () => {
  const { publicKey } = testKey("device");
  // RFC 9679: SHA-256 of the COSE_Key with its required parameters alone, the y coordinate in full.
  const point = decompress(publicKey);
  const coseKey = encodeCbor(
    new Map<number, number | Uint8Array>([
      [1, 2],
      [-1, 1],
      [-2, point.subarray(1, 33)],
      [-3, point.subarray(33)],
    ]),
  );
  const thumbprint = createHash("sha256").update(coseKey).digest("hex");
  assert.equal(keyIdOf(publicKey, crypto), thumbprint.slice(0, 8));
  assert.equal(deviceIdOf(publicKey, crypto), thumbprint.slice(0, 16));
  assert.equal(terminalIdOf(publicKey, crypto), thumbprint.slice(0, 16));
});

test("the use is looked at before the time", async () => {
  const anchors = await anchorsOf(trustedKey("issuer", { uses: 2, validUntil: NOW - 1 }));
  assert.equal(codeOf(trustedKeys(anchors, wanted)), "ISSUER_KEY_NOT_ALLOWED");
});

/** Key ids of every key alike, as if four bytes of their thumbprints agreed. */
async function colliding(...names: Parameters<typeof testKey>[0][]): Promise<TrustAnchors> {
  const list = await signTrustList({ keys: names.map((name) => trustedKey(name)) });
  return { list, keysById: new Map([[keyId, list.content.keys]]) };
}

test("when key ids collide each key is tried, whichever comes first", async () => {
  const decoded = decodeMessage(userCertificate, certificate.bytes, crypto);
  for (const names of [["other-issuer", "issuer"] as const, ["issuer", "other-issuer"] as const]) {
    const verified = await verifyUserCertificate(decoded, { anchors: await colliding(...names), crypto });
    assert.ok(!isRefusal(verified), names.join());
  }
  const without = await colliding("other-issuer", "retired-issuer");
  assert.equal(codeOf(await verifyUserCertificate(decoded, { anchors: without, crypto })), "SIGNATURE_INVALID");
});

test("anchors keep every key of one id", async () => {
  const anchors = await anchorsOf(trustedKey("issuer", { uses: 1 }), trustedKey("issuer", { uses: 2 }));
  assert.equal(anchors.keysById.get(keyId)?.length, 2);
});

test("a device never goes back, nor to another list of the same version", async () => {
  const held = await signTrustList();
  const against = { held, now: NOW };
  assert.equal(refuseTrustList(held, against), undefined);
  assert.equal(refuseTrustList(await signTrustList({ version: 8 }), against), undefined);
  assert.equal(refuseTrustList(await signTrustList({ version: 6 }), against)?.code, "TRUST_LIST_ROLLBACK");
  assert.equal(refuseTrustList(await signTrustList({ keys: [] }), against)?.code, "TRUST_LIST_ROLLBACK");
  const { expiresAt } = held.content;
  assert.equal(refuseTrustList(held, { held: undefined, now: expiresAt + 300 }), undefined);
  assert.equal(refuseTrustList(held, { held: undefined, now: expiresAt + 301 })?.code, "TRUST_LIST_EXPIRED");
});

test("an older list is called older even when it has expired", async () => {
  const older = await signTrustList({ version: 6, expiresAt: NOW - DAY / 2 });
  assert.equal(refuseTrustList(older, { held: await signTrustList(), now: NOW })?.code, "TRUST_LIST_ROLLBACK");
});

test("no list with a key off the curve can be made, so look-ups never fail on one", async () => {
  assert.throws(() => decompress(offCurveKey()), { code: "COSE_KEY_INVALID" });
  const { content } = await signTrustList();
  const keys = [{ ...trustedKey("issuer"), key: offCurveKey() }];
  assert.throws(() => prepareMessage(trustList, { ...content, keys }, crypto as CryptoPort), {
    code: "COSE_KEY_INVALID",
  });
});
