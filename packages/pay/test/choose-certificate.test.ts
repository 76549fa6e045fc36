import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { type ChainHash, identifier } from "@cairn/messages";
import { chooseCertificate, type HeldCertificate } from "../src/index.ts";
import { expectKind, expectRefusal } from "./steps.ts";
import { aUserCertificate, type CertificateChanges, certificateId, EUR, NOW, numbered, USD } from "./world.ts";

const DEVICE = generateNodeSigner();
const WANTED = { currency: EUR, amountMinor: 1_000n, at: [NOW] };

async function held(
  changes: CertificateChanges & {
    readonly spentMinor?: bigint;
    readonly closed?: boolean;
    readonly revoked?: boolean;
  } = {},
): Promise<HeldCertificate> {
  const { spentMinor = 0n, closed = false, revoked = false, ...rest } = changes;
  const { content } = await aUserCertificate(DEVICE.publicKey, rest);
  const previous = identifier<ChainHash>(numbered(1, 8), 8);
  return { certificate: content, counter: { sequence: 0, spentMinor, previous, unsignedPayments: 0 }, closed, revoked };
}

const chosen = (candidates: readonly HeldCertificate[], wanted = WANTED) =>
  expectKind(chooseCertificate(candidates, wanted), "chosen").held.certificate.certificateId;

test("each check names its refusal when it drops the last certificate, in the documented order", async () => {
  const closed = await held({ closed: true });
  const dollars = await held({ terms: { currency: USD } });
  const early = await held({ issuedAt: NOW + 301, expiresAt: NOW + 1_000 });
  const expired = await held({ expiresAt: NOW - 1 });
  const revoked = await held({ revoked: true });
  const smallCap = await held({ terms: { perPaymentCapMinor: 999n } });
  const spent = await held({ spentMinor: 9_001n });
  const order = [
    [[], "NO_CERTIFICATE"],
    [[closed], "NO_CERTIFICATE"],
    [[closed, dollars], "CURRENCY_MISMATCH"],
    [[closed, dollars, expired], "CERTIFICATE_EXPIRED"],
    [[closed, dollars, expired, early], "CERTIFICATE_NOT_YET_VALID"],
    [[closed, dollars, expired, early, revoked], "CERTIFICATE_REVOKED"],
    [[closed, dollars, expired, early, revoked, smallCap], "AMOUNT_OVER_CERTIFICATE_CAP"],
    [[closed, dollars, expired, early, revoked, smallCap, spent], "LIMIT_EXCEEDED"],
  ] as const;
  for (const [candidates, code] of order) {
    expectRefusal(chooseCertificate(candidates, WANTED), code);
    expectRefusal(chooseCertificate(candidates.toReversed(), WANTED), code);
  }
});

test("a certificate pays up to its cap and its limit to the last unit", async () => {
  const full = await held({ spentMinor: 9_000n });
  assert.equal(chosen([full]), certificateId(1));
  const atCap = await held({ terms: { perPaymentCapMinor: 1_000n } });
  assert.equal(chosen([atCap]), certificateId(1));
});

test("it must be valid at every time asked for", async () => {
  const fresh = await held({ issuedAt: NOW });
  assert.equal(chosen([fresh], { ...WANTED, at: [NOW, NOW - 300] }), certificateId(1));
  expectRefusal(chooseCertificate([fresh], { ...WANTED, at: [NOW, NOW - 301] }), "CERTIFICATE_NOT_YET_VALID");
  assert.equal(chosen([await held({ expiresAt: NOW })]), certificateId(1));
});

test("of several, first what expires first, then what has less room, then the lower id, in whatever order they are held", async () => {
  const later = await held({ certificateId: certificateId(1), expiresAt: NOW + 2_000 });
  const sooner = await held({ certificateId: certificateId(2), expiresAt: NOW + 1_000 });
  const soonerWithLessRoom = await held({ certificateId: certificateId(4), expiresAt: NOW + 1_000, spentMinor: 500n });
  const twin = await held({ certificateId: certificateId(3), expiresAt: NOW + 1_000, spentMinor: 500n });
  for (const [candidates, best] of [
    [[later, sooner], 2],
    [[later, sooner, soonerWithLessRoom], 4],
    [[later, sooner, soonerWithLessRoom, twin], 3],
  ] as const) {
    assert.equal(chosen(candidates), certificateId(best));
    assert.equal(chosen(candidates.toReversed()), certificateId(best));
  }
  const soonerButFull = await held({ certificateId: certificateId(2), expiresAt: NOW + 1_000, spentMinor: 9_500n });
  assert.equal(chosen([soonerButFull, later]), certificateId(1));
});
