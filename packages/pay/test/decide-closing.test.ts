import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { type ChainHash, identifier } from "@cairn/messages";
import { type Counter, DEFAULT_CLOSING_POLICY, decideClosing, type HeldCertificate } from "../src/index.ts";
import { aUserCertificate, certificateId, DAY, NOW, numbered } from "./world.ts";

const previous = identifier<ChainHash>(numbered(7, 8), 8);
const { content: certificate } = await aUserCertificate(generateNodeSigner().publicKey);
const held = (counter: Partial<Counter> = {}, closed = false): HeldCertificate => ({
  certificate,
  counter: { sequence: 3, spentMinor: 5_000n, previous, unsignedPayments: 0, ...counter },
  closed,
  revoked: false,
});
const idle = { now: NOW, asked: false, isTrusted: true, policy: DEFAULT_CLOSING_POLICY };

test("a certificate in use stays, unless the user asks", () => {
  assert.deepEqual(decideClosing(held(), idle), { kind: "keep", because: "in-use" });
  assert.deepEqual(decideClosing(held(), { ...idle, asked: true }), {
    kind: "close",
    because: "asked",
    content: { certificateId: certificateId(1), sequence: 3, spentMinor: 5_000n, previous, issuedAt: NOW },
  });
});

test("expired and used up ones are closed", () => {
  const lastSecond = { ...idle, now: NOW + 7 * DAY };
  assert.equal(decideClosing(held(), lastSecond).because, "in-use");
  assert.equal(decideClosing(held(), { ...idle, now: lastSecond.now + 1 }).because, "expired");
  assert.equal(decideClosing(held({ spentMinor: 9_500n }), idle).because, "in-use");
  assert.equal(decideClosing(held({ spentMinor: 9_501n }), idle).because, "used-up");
});

test("one whose issuer key was withdrawn is given back, since nobody takes it", () => {
  assert.equal(decideClosing(held(), { ...idle, isTrusted: false }).because, "untrusted");
  assert.equal(decideClosing(held({}, true), { ...idle, isTrusted: false }).because, "closed");
});

test("a closing waits until every payment is signed, and comes once", () => {
  const asked = { ...idle, asked: true };
  assert.deepEqual(decideClosing(held({ unsignedPayments: 1 }), asked), { kind: "keep", because: "unsigned" });
  assert.deepEqual(decideClosing(held({}, true), asked), { kind: "keep", because: "closed" });
});
