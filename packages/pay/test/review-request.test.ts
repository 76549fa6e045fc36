import assert from "node:assert/strict";
import { test } from "node:test";
import { generateNodeSigner } from "@cairn/cose/node";
import { readCode, writeCode } from "@cairn/messages";
import { reviewRequest } from "../src/index.ts";
import { expectKind, expectRefusal, mustPay } from "./steps.ts";
import { aTill, DAY, holding, NOW, payeeCertificateId, payeeId, USD } from "./world.ts";

const till = await aTill();

test("what is not a genuine request is refused with the code of its fault", async () => {
  const { ports } = await holding();
  const code = await till.charge();
  const { certificate, message } = readCode(code);
  const other = await aTill({ payeeId: payeeId("OTHER") });
  const forged = await other.signRequest({ payeeCertificateId: till.certificateId });
  const cases = [
    ["HELLO", "CODE_PREFIX_UNKNOWN"],
    [code.replace("CAIRN:1", "CAIRN:2"), "CODE_VERSION_UNKNOWN"],
    [code.replace("CAIRN:1R", "CAIRN:1Z"), "CODE_TYPE_UNKNOWN"],
    [code.replace("CAIRN:1R", "CAIRN:1T"), "CODE_TYPE_UNEXPECTED"],
    [`${code.slice(0, -1)}!`, "CODE_TEXT_INVALID"],
    [writeCode({ type: "request", certificate: message, message }), "MESSAGE_FIELD_INVALID"],
    [writeCode({ type: "request", certificate, message: forged.bytes }), "SIGNATURE_INVALID"],
    [await (await aTill({ issuer: generateNodeSigner() })).charge(), "ISSUER_UNKNOWN"],
  ] as const;
  for (const [text, expected] of cases) {
    expectRefusal(await reviewRequest(ports, text), expected);
  }
});

test("a request shown with another payee certificate is refused", async () => {
  const { ports } = await holding();
  const twin = await aTill({ signer: till.signer, payeeCertificateId: payeeCertificateId(2) });
  const { bytes } = await till.signRequest();
  expectRefusal(await reviewRequest(ports, twin.codeOf("request", bytes)), "PAYEE_CERTIFICATE_MISMATCH");
});

test("the rules for requests are applied at the wallet's own time", async () => {
  const { ports, clock } = await holding();
  const lowCeiling = await aTill({ terms: { perPaymentCapMinor: 1_000n } });
  const late = await aTill({ expiresAt: NOW - 10 });
  const early = await aTill({ issuedAt: NOW + 400, expiresAt: NOW + DAY });
  expectRefusal(await reviewRequest(ports, await till.charge({ amountMinor: 0n })), "AMOUNT_ZERO");
  expectRefusal(await reviewRequest(ports, await till.charge({ currency: USD })), "CURRENCY_MISMATCH");
  expectRefusal(await reviewRequest(ports, await lowCeiling.charge()), "AMOUNT_OVER_PAYEE_CAP");
  expectRefusal(await reviewRequest(ports, await late.charge()), "PAYEE_CERTIFICATE_EXPIRED");
  expectRefusal(await reviewRequest(ports, await early.charge()), "PAYEE_CERTIFICATE_NOT_YET_VALID");
  expectRefusal(await reviewRequest(ports, await till.charge({ expiresAt: NOW + 3_601 })), "REQUEST_VALIDITY_TOO_LONG");
  expectRefusal(
    await reviewRequest(ports, await till.charge({ issuedAt: NOW + 301, expiresAt: NOW + 400 })),
    "REQUEST_NOT_YET_VALID",
  );
  const code = await till.charge();
  clock.seconds = NOW + 300;
  expectKind(await reviewRequest(ports, code), "request");
  clock.seconds = NOW + 301;
  expectRefusal(await reviewRequest(ports, code), "REQUEST_EXPIRED");
});

test("an old trust list is not relied on", async () => {
  const { ports, clock } = await holding();
  clock.seconds = NOW + 60 * DAY + 300;
  const at = { issuedAt: clock.seconds, expiresAt: clock.seconds + 60 };
  expectKind(await reviewRequest(ports, await till.charge(at)), "request");
  clock.seconds++;
  expectRefusal(await reviewRequest(ports, await till.charge(at)), "TRUST_LIST_EXPIRED");
  expectRefusal(await reviewRequest(ports, "HELLO"), "TRUST_LIST_EXPIRED");
});

test("a clock that is set back does not bring an expired certificate to life", async () => {
  const { ports, clock } = await holding();
  clock.seconds = NOW + 7 * DAY - 10;
  await mustPay(ports, await till.charge({ issuedAt: clock.seconds, expiresAt: clock.seconds + 60 }));
  clock.seconds = NOW;
  // Only what lies before the paid request's time, less the allowed skew, is ruled out.
  expectRefusal(await reviewRequest(ports, await till.charge()), "REQUEST_EXPIRED");
});

test("payees with fast clocks cannot push the wallet's time forward", async () => {
  const { ports } = await holding();
  for (const ahead of [300, 300, 300]) {
    await mustPay(ports, await till.charge({ amountMinor: 10n, issuedAt: NOW + ahead, expiresAt: NOW + ahead + 60 }));
  }
  expectRefusal(
    await reviewRequest(ports, await till.charge({ issuedAt: NOW + 301, expiresAt: NOW + 400 })),
    "REQUEST_NOT_YET_VALID",
  );
  const identity = await ports.store.commit({ kind: "none" }, (stored) => ({ result: stored.identity, writes: [] }));
  assert.equal(identity?.newestSeen, NOW);
});

test("parts of a code are read as well as its text", async () => {
  const { ports } = await holding();
  expectKind(await reviewRequest(ports, readCode(await till.charge())), "request");
});
