import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import { type IssuerId, restoreVerified, trustList } from "@cairn/messages";
import { acceptEnrolment, walletStatus } from "../src/index.ts";
import { expectKind, expectRefusal } from "./steps.ts";
import { anEnrolmentAnswer, aStatusList, aTrustList, crypto, DAY, enrolled, NOW, portsOn, USD } from "./world.ts";

test("enrolment pins issuer, root key and currency; again it changes nothing", async () => {
  const { ports } = portsOn();
  const answer = await anEnrolmentAnswer();
  assert.deepEqual(await acceptEnrolment(ports, answer), {
    kind: "enrolled",
    issuerName: "Demo Bank",
    repeated: false,
  });
  assert.equal(expectKind(await acceptEnrolment(ports, answer), "enrolled").repeated, true);
  const { issuerId, currency, holdings } = await walletStatus(ports);
  assert.deepEqual([issuerId, currency, holdings], ["demo", "EUR", []]);
});

test("another issuer, root key, currency or device key needs a wallet of its own", async () => {
  const { ports } = await enrolled();
  const root = generateNodeSigner();
  const rootKey = encodeCbor(publicKeyToCbor(root.publicKey));
  for (const answer of [
    await anEnrolmentAnswer({ currencyOf: USD }),
    await anEnrolmentAnswer({ rootKey, trustList: await aTrustList({}, root) }),
  ]) {
    expectRefusal(await acceptEnrolment(ports, answer), "ENROLLED_ELSEWHERE");
  }
  // The lists beside it are the first issuer's own: nobody else may speak for its certificates.
  expectRefusal(await acceptEnrolment(ports, await anEnrolmentAnswer({ issuerId: "other" })), "ISSUER_UNKNOWN");
  const stranger = { ...ports, signer: generateNodeSigner() };
  expectRefusal(await acceptEnrolment(stranger, await anEnrolmentAnswer()), "ENROLLED_ELSEWHERE");
});

test("an issuer of the same root and key under another name is another issuer", async () => {
  const { ports } = await enrolled();
  const { keys } = restoreVerified(trustList, await aTrustList(), crypto).content;
  const renamed = await aTrustList({ keys: keys.map((key) => ({ ...key, issuerId: "other" as IssuerId })) });
  const answer = await anEnrolmentAnswer({ issuerId: "other", trustList: renamed });
  expectRefusal(await acceptEnrolment(ports, answer), "ENROLLED_ELSEWHERE");
});

test("a slow clock goes by the newer of the two lists from the first day", async () => {
  for (const lists of [
    { trustList: await aTrustList({ issuedAt: NOW + DAY }) },
    { statusList: await aStatusList({ issuedAt: NOW + DAY }) },
  ]) {
    const { ports } = portsOn();
    expectKind(await acceptEnrolment(ports, await anEnrolmentAnswer(lists)), "enrolled");
    assert.equal((await walletStatus(ports)).now, NOW + DAY);
  }
});

test("lists that are not genuine under the root key enrol nobody", async () => {
  const { ports } = portsOn();
  const stranger = generateNodeSigner();
  const cases = [
    [{ rootKey: new Uint8Array([0x00]) }, "COSE_KEY_INVALID"],
    [{ rootKey: new Uint8Array([0xff]) }, undefined],
    [{ trustList: new Uint8Array(3) }, "CBOR_TRAILING_BYTES"],
    [{ statusList: new Uint8Array(3) }, "COSE_MALFORMED"],
    [{ trustList: await aTrustList({}, stranger) }, "ISSUER_UNKNOWN"],
    [{ trustList: tampered(await aTrustList()) }, "SIGNATURE_INVALID"],
    [{ trustList: await aTrustList({ issuedAt: NOW - 90 * DAY, expiresAt: NOW - 301 }) }, "TRUST_LIST_EXPIRED"],
    [{ statusList: await aStatusList({}, stranger) }, "ISSUER_UNKNOWN"],
    [{ statusList: await aStatusList({ issuedAt: NOW - 90, expiresAt: NOW - 1 }) }, "STATUS_LIST_STALE"],
    // By a slow clock it would still be valid; the trust list beside it was issued later than it ends.
    [{ trustList: await aTrustList({ issuedAt: NOW + 31 * DAY }) }, "STATUS_LIST_STALE"],
  ] as const;
  for (const [changes, code] of cases) {
    const result = await acceptEnrolment(ports, await anEnrolmentAnswer(changes));
    if (code === undefined) expectKind(result, "refused");
    else expectRefusal(result, code);
  }
  await assert.rejects(walletStatus(ports), { code: "NOT_ENROLLED" });
});

/** The last byte belongs to the signature. */
function tampered(bytes: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy[copy.length - 1] = (copy.at(-1) ?? 0) ^ 1;
  return copy;
}
