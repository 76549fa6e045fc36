import assert from "node:assert/strict";
import { test } from "node:test";
import { CoseError } from "@cairn/cose";
import { generateNodeSigner, nodeCrypto } from "@cairn/cose/node";
import { type IssuanceTerms, prepareCertificate } from "@cairn/issue";
import {
  decodeMessage,
  keyIdOf,
  MessageError,
  signPrepared,
  toHex,
  userCertificate,
  verifyMessage,
} from "@cairn/messages";
import { certificateId, DAY, EUR, NOW } from "./views.ts";

const crypto = nodeCrypto();
const issuer = generateNodeSigner();
const device = generateNodeSigner();
const terms: IssuanceTerms = {
  currency: EUR,
  limitMinor: 30_000n,
  perPaymentCapMinor: 15_000n,
  protection: 2,
  validitySeconds: 10 * DAY,
};
const about = {
  issuerKeyId: keyIdOf(issuer.publicKey, crypto),
  deviceKey: device.publicKey,
  certificateId: certificateId(77),
  statusIndex: 5,
  now: NOW,
  crypto,
};

function refused(changes: Partial<IssuanceTerms>, code: string, more: Partial<typeof about> = {}): void {
  assert.throws(
    () => prepareCertificate({ ...terms, ...changes }, { ...about, ...more }),
    (error) => (error instanceof MessageError || error instanceof CoseError) && error.code === code,
  );
}

test("what is prepared is what a reader of the signed certificate finds", async () => {
  const prepared = prepareCertificate(terms, about);
  const signed = await signPrepared(prepared, issuer);
  const decoded = decodeMessage(userCertificate, signed.bytes, crypto);
  const { content, messageId } = await verifyMessage(decoded, { key: issuer.publicKey, crypto });
  assert.equal(messageId, prepared.messageId);
  assert.deepEqual(content, {
    issuerKeyId: about.issuerKeyId,
    certificateId: about.certificateId,
    deviceKey: device.publicKey,
    issuedAt: NOW,
    expiresAt: NOW + 10 * DAY,
    terms: { currency: EUR, limitMinor: 30_000n, perPaymentCapMinor: 15_000n, protection: 2, statusIndex: 5 },
  });
});

test("signing again after a crash gives the same certificate", async () => {
  const again = prepareCertificate(terms, about);
  assert.equal(again.messageId, prepareCertificate(terms, about).messageId);
  assert.equal((await signPrepared(again, issuer)).messageId, again.messageId);
});

test("terms that no certificate may have are refused before any key is touched", () => {
  refused({ limitMinor: 0n }, "MESSAGE_INCONSISTENT");
  refused({ perPaymentCapMinor: 0n }, "MESSAGE_INCONSISTENT");
  refused({ perPaymentCapMinor: 30_001n }, "MESSAGE_INCONSISTENT");
  refused({ validitySeconds: 0 }, "MESSAGE_INCONSISTENT");
  refused({ validitySeconds: 0.5 }, "MESSAGE_FIELD_INVALID");
  refused({ limitMinor: 2n ** 53n }, "MESSAGE_FIELD_INVALID");
  refused({ validitySeconds: 2 ** 32 }, "MESSAGE_FIELD_INVALID");
  refused({}, "MESSAGE_FIELD_INVALID", { statusIndex: -1 });
  refused({}, "MESSAGE_FIELD_INVALID", { now: -1 });
});

test("the account does not show in the certificate", async () => {
  const signed = await signPrepared(prepareCertificate(terms, about), issuer);
  assert.ok(toHex(signed.bytes).includes(about.certificateId));
  assert.ok(!("account" in prepareCertificate(terms, about).content));
});
