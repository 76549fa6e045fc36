import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { amount, type ChainHash, identifier, type OpenPayment } from "@cairn/messages";
import { decideOpenPayment, type HeldCertificate } from "../src/index.ts";
import { aUserCertificate, certificateId, EUR, messageId, NOW, numbered, payeeId, USD } from "./world.ts";

const previous = identifier<ChainHash>(numbered(1, 8), 8);
const { content: certificate } = await aUserCertificate(generateNodeSigner().publicKey);
const held: HeldCertificate = {
  certificate,
  counter: { sequence: 1, spentMinor: 800n, previous, unsignedPayments: 1 },
  closed: false,
  revoked: false,
};
const interrupted: OpenPayment = {
  certificateId: certificateId(1),
  sequence: 1,
  previous,
  amountMinor: 800n,
  spentMinor: 800n,
  issuedAt: NOW,
  expiresAt: NOW + 60,
};
const wish = { maximum: amount(800n, EUR), audience: undefined, validitySeconds: 60, now: NOW + 60 };
const view = { held: [held], unshown: [{ paymentId: messageId(1), content: interrupted }] };

test("an interrupted payment of the same wish is taken up until it expires", () => {
  assert.deepEqual(decideOpenPayment(view, wish), {
    kind: "resume",
    paymentId: messageId(1),
    expiresAt: NOW + 60,
  });
  assert.equal(decideOpenPayment(view, { ...wish, now: NOW + 61 }).kind, "pay");
});

test("another wish is another payment", () => {
  for (const changes of [{ maximum: amount(801n, EUR) }, { audience: payeeId("FERRY") }, { validitySeconds: 61 }]) {
    assert.equal(decideOpenPayment(view, { ...wish, ...changes }).kind, "pay");
  }
  assert.equal(decideOpenPayment(view, { ...wish, maximum: amount(800n, USD) }).kind, "refused");
});

test("an interrupted payment under a certificate that no longer pays is left behind", () => {
  const other = { ...held, certificate: { ...certificate, certificateId: certificateId(2) } };
  for (const spoiled of [
    { ...held, closed: true },
    { ...held, revoked: true },
    { ...held, certificate: { ...certificate, expiresAt: NOW } },
  ]) {
    const decision = decideOpenPayment({ ...view, held: [spoiled, other] }, wish);
    assert.equal(decision.kind === "pay" && decision.content.certificateId, certificateId(2));
  }
});

test("an interrupted payment is judged by its own certificate, to the last second of it", () => {
  const other = { ...held, certificate: { ...certificate, certificateId: certificateId(2), expiresAt: NOW } };
  const own = { ...held, certificate: { ...certificate, expiresAt: wish.now } };
  const decision = decideOpenPayment({ ...view, held: [other, own] }, wish);
  assert.deepEqual(decision, { kind: "resume", paymentId: messageId(1), expiresAt: NOW + 60 });
});
