import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner, nodeCrypto } from "@cairn/cose/node";
import {
  type Decoded,
  decodeMessage,
  encodeUploadRecord,
  keyIdOf,
  refusal,
  signMessage,
  type TrustList,
  trustList,
  type Verified,
} from "@cairn/messages";
import {
  type DecodedTwoWay,
  decodedOf,
  decodeRecord,
  decodingCaches,
  readingOf,
} from "../src/settlement/decode-record.ts";
import { RecentCache } from "../src/settlement/recent-cache.ts";
import { VerifiedCache } from "../src/settlement/verified-cache.ts";
import { payeeCertificateOf, paymentOf, requestOf, userCertificateOf } from "./support/bank.ts";

const crypto = nodeCrypto();
const signer = generateNodeSigner();

function listOf(version: number): Promise<Verified<TrustList>> {
  const rootKeyId = keyIdOf(signer.publicKey, crypto);
  return signMessage(trustList, { rootKeyId, issuedAt: 1, expiresAt: 2, version, keys: [] }, { signer, crypto });
}

async function recordsUnderOneCertificate(): Promise<Uint8Array[]> {
  const [certificate, payee, request] = await Promise.all([userCertificateOf(), payeeCertificateOf(), requestOf()]);
  const payments = [await paymentOf(certificate, request), await paymentOf(certificate, request, { sequence: 2 })];
  const [payeeCertificate, userCertificate] = [payee.bytes, certificate.bytes];
  return payments.map((payment) =>
    encodeUploadRecord({
      kind: "payment",
      payeeCertificate,
      request: request.bytes,
      certificate: userCertificate,
      payment: payment.bytes,
    }),
  );
}

test("one decoded message is verified once; another one, and one after a change of keys, anew", async () => {
  const cache = new VerifiedCache<TrustList>();
  const list = await listOf(1);
  const decoded = decodeMessage(trustList, list.bytes, crypto);
  let verified = 0;
  const look = async (...messages: Decoded<TrustList>[]) => {
    const found = await cache.look(messages, async () => {
      verified++;
      return list;
    });
    assert.deepEqual(found, new Array(messages.length).fill(list));
  };
  await look(decoded, decoded);
  await look(decoded);
  assert.equal(verified, 1);
  await look(decodeMessage(trustList, list.bytes, crypto), decoded);
  assert.equal(verified, 2);
  cache.clear();
  await look(decoded);
  assert.equal(verified, 3);
});

test("refusals are told and not remembered", async () => {
  const cache = new VerifiedCache<TrustList>();
  const list = await listOf(1);
  const decoded = decodeMessage(trustList, list.bytes, crypto);
  const refused = refusal("SIGNATURE_INVALID");
  assert.deepEqual(await cache.look([decoded], async () => refused), [refused]);
  assert.deepEqual(await cache.look([decoded], async () => list), [list]);
});

test("each message gets its own answer, in the order in which they were asked for", async () => {
  const cache = new VerifiedCache<TrustList>();
  const lists = await Promise.all([1, 2, 3].map(listOf));
  const messages = lists.map((list) => decodeMessage(trustList, list.bytes, crypto));
  const verify = async (asked: Decoded<TrustList>) => lists[messages.indexOf(asked)] ?? assert.fail();
  const [first, second, third] = messages;
  assert.ok(first !== undefined && second !== undefined && third !== undefined);
  await cache.look([second], verify);
  const found = await cache.look([third, second, first, third], verify);
  assert.deepEqual(
    found.map((each) => ("content" in each ? each.content.version : 0)),
    [3, 2, 1, 3],
  );
});

test("what was verified under keys that have changed meanwhile is verified anew", async () => {
  const cache = new VerifiedCache<TrustList>();
  const list = await listOf(1);
  const decoded = decodeMessage(trustList, list.bytes, crypto);
  await cache.look([decoded], async () => {
    cache.clear();
    return list;
  });
  assert.equal(cache.get(decoded), undefined);
});

test("equal certificates are one decoded message, any other byte is another", async () => {
  const records = await recordsUnderOneCertificate();
  const context = { crypto, decoding: decodingCaches(9) };
  const read = (record: Uint8Array | undefined): DecodedTwoWay => {
    const decoded = decodeRecord(record ?? assert.fail(), "terminal", context);
    return "kind" in decoded && decoded.kind === "payment" ? decoded : assert.fail();
  };
  const [first, second] = [read(records[0]), read(records[1])];
  assert.equal(first.certificate, second.certificate);
  assert.notEqual(first.payment, second.payment);
  const tampered = (records[0] ?? assert.fail()).slice();
  const at = Buffer.from(tampered).indexOf(first.certificate.signature);
  tampered[at] = (tampered[at] ?? 0) ^ 1;
  assert.notEqual(read(tampered).certificate, first.certificate);
});

test("what a record carries is taken for its own bytes and bringer alone", async () => {
  const [bytes = assert.fail(), others = assert.fail()] = await recordsUnderOneCertificate();
  const context = { crypto, decoding: decodingCaches(9) };
  const record = { bytes, broughtBy: "terminal" } as const;
  const first = decodeRecord(bytes, "terminal", context);
  const decoded = readingOf(record, first);
  assert.equal(decodedOf({ ...record, decoded }, context), first);
  assert.notEqual(decodedOf(record, context), first);
  assert.notEqual(decodedOf({ ...record, bytes: bytes.slice(), decoded }, context), first);
  assert.deepEqual(
    decodedOf({ ...record, bytes: others, decoded }, context),
    decodeRecord(others, "terminal", context),
  );
  assert.deepEqual(decodedOf({ ...record, decoded: { ...decoded } }, context), first, "of anybody's making: read anew");
  assert.notEqual(decodedOf({ ...record, decoded: { ...decoded } }, context), first);
  const asPayers = decodedOf({ ...record, broughtBy: "payer", decoded }, context);
  assert.ok("code" in asPayers, "an upload record is no sync record");
});

test("what was used lately stays, and no more are kept than allowed", () => {
  const cache = new RecentCache<number, string>(4);
  for (const key of [1, 2, 1, 3, 1, 4, 1, 5, 1, 6, 1, 7]) {
    if (cache.get(key) === undefined) cache.set(key, `value ${key}`);
    assert.equal(cache.get(key), `value ${key}`);
  }
  const kept = Array.from({ length: 9 }, (_, key) => key).filter((key) => cache.get(key) !== undefined);
  assert.ok(kept.includes(1) && kept.includes(7), "the ones used last");
  assert.ok(!kept.includes(2) && !kept.includes(3) && kept.length <= 4, `kept: ${kept.join(", ")}`);
});
