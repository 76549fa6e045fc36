import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { Signer } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import {
  capture,
  encodeUploadRecord,
  type KeyId,
  type PayeeCertificate,
  payeeCertificate,
  requestVoid,
  signMessage,
  userCertificate,
  type Verified,
} from "@cairn/messages";
import { openIssuerKeys } from "../src/keys/issuer-keys.ts";
import { systemRandom } from "../src/ports.ts";
import { eventually, PASSPHRASE, startTestIssuer, type TestIssuer } from "./support/issuer.ts";
import { makeRoot } from "./support/root.ts";
import type { ShownRequest, TestTerminal } from "./support/terminal.ts";
import { crypto, EUR, payeeId } from "./support/values.ts";
import { addTerminal, makeWorld, populate, type World } from "./support/world.ts";

/**
 * Whoever has an issuer's signing key (docs/security/threat-model.md), and an account and a till of its own: a signature
 * shows that somebody had the key, and the id of every certificate is shown to whoever stands at a till.
 */
const THIEF = payeeId("THIEF");

type Town = World & {
  readonly thief: TestTerminal;
  readonly stolen: { readonly signer: Signer; readonly issuerKeyId: KeyId };
};

async function keysOf({ folder, clock }: TestIssuer) {
  const options = { dataFolder: folder, passphrase: PASSPHRASE, mayCreate: false, random: systemRandom, crypto };
  const { keyId, signer } = (await openIssuerKeys({ ...options, now: clock.now })).active(clock.now);
  return { signer, issuerKeyId: keyId };
}

async function withThief(world: World, stolen: Town["stolen"]): Promise<Town> {
  await world.operator.createPayee({ payeeId: THIEF, name: "Thief", currency: EUR, perCertificateCapMinor: 4_000n });
  await world.wallet.sync();
  return { ...world, thief: await addTerminal(world, THIEF), stolen };
}

async function ownKey(t: TestContext): Promise<Town> {
  const world = await makeWorld(t);
  return withThief(world, await keysOf(world));
}

async function withdrawnKey(t: TestContext): Promise<Town> {
  const town = await ownKey(t);
  await town.operator.withdrawKey(town.stolen.issuerKeyId);
  return town;
}

/** Another issuer of the same trust list, whose key is a thief's or who is one itself. */
async function anothersKey(t: TestContext): Promise<Town> {
  const root = await makeRoot(t);
  const start = (issuerId: string) =>
    startTestIssuer(t, { issuerId, issuerName: `Bank ${issuerId}`, offlineRootKey: root.rootKey });
  const [north, south] = await Promise.all([start("north"), start("south")]);
  await root.publish(north.operator, south.operator);
  return withThief(await populate(north), await keysOf(south));
}

/** A payee certificate as the thief likes it. */
function forge({ stolen }: Town, like: PayeeCertificate): Promise<Verified<PayeeCertificate>> {
  const { signer, issuerKeyId } = stolen;
  return signMessage(payeeCertificate, { ...like, issuerKeyId }, { signer, crypto });
}

/** Each payment that is brought, as soon as it was judged. */
async function judged(terminal: TestTerminal, ...paid: readonly Pick<Verified<unknown>, "messageId">[]) {
  return eventually(async () => {
    const { payments } = await terminal.client.outcomes(paid.map(({ messageId }) => messageId));
    return payments.every(({ state }) => state !== "received") && payments.map(({ state, code }) => [state, code]);
  });
}

async function clearingOf({ operator }: World, payee: string): Promise<bigint> {
  const line = (await operator.trialBalance()).find(({ ledgerAccount }) => ledgerAccount === `clearing:${payee}`);
  return line?.minor ?? 0n;
}

const shownUnder = (request: ShownRequest, { bytes }: Verified<PayeeCertificate>): ShownRequest => ({
  ...request,
  payeeCertificate: bytes,
});

for (const [whose, openTown] of [
  ["the issuer's key, before anybody knows", ownKey],
  ["the issuer's key, withdrawn", withdrawnKey],
  ["the key of another issuer of the same trust list", anothersKey],
] as const)
  test(`nobody's payments are taken, cancelled or made by who has a till and ${whose}`, async (t) => {
    const town = await openTown(t);
    const { wallet, terminal, thief, clock, operator } = town;
    const mine = thief.signer.publicKey;
    /** The kiosk's certificate with the thief's name and key in it. */
    const inHisName = await forge(town, { ...terminal.certificate.content, payeeId: THIEF, terminalKey: mine });
    const voidOf = async ({ request }: ShownRequest) => {
      const { payeeCertificateId } = terminal.certificate.content;
      const content = { payeeCertificateId, requestId: request.messageId, issuedAt: clock.now };
      return (await signMessage(requestVoid, content, { signer: thief.signer, crypto })).bytes;
    };

    await t.test(
      "a payment that was seen at the kiosk, brought in the thief's name, and its request cancelled",
      async () => {
        const request = await terminal.request(700n);
        const paid = await wallet.pay(request);
        const { bytes } = request.request;
        const requestVoid = await voidOf(request);
        await thief.client.upload([
          thief.record(shownUnder(request, inHisName), wallet.held(), paid),
          encodeUploadRecord({ kind: "void", payeeCertificate: inHisName.bytes, request: bytes, requestVoid }),
        ]);
        assert.deepEqual(await judged(thief, paid), [["refused", "SIGNATURE_INVALID"]]);
        // The kiosk's own key signed the request, but it is nobody's whom the thief's certificate names.
        const { terminalKey } = terminal.certificate.content;
        const withItsKey = await forge(town, { ...terminal.certificate.content, payeeId: THIEF, terminalKey });
        await thief.client.upload([thief.record(shownUnder(request, withItsKey), wallet.held(), paid)]);
        await eventually(async () =>
          (await operator.evidence(paid.messageId)).records.some(({ code }) => code === "TERMINAL_NOT_OF_PAYEE"),
        );
        await terminal.client.upload([terminal.record(request, wallet.held(), paid)]);
        assert.deepEqual(await judged(terminal, paid), [["settled", null]]);
        assert.deepEqual([await clearingOf(town, "THIEF"), await clearingOf(town, "KIOSK")], [0n, -700n]);
      },
    );

    await t.test(
      "a payer who brings a cancellation or a receipt that the thief signed in the kiosk's name",
      async () => {
        const request = await terminal.request(300n);
        const paid = await wallet.pay(request);
        const inItsName = await forge(town, { ...terminal.certificate.content, terminalKey: mine });
        const about = { request: shownUnder(request, inItsName) };
        const state = async () => (await operator.evidence(paid.messageId)).payment?.state;
        for (const words of [{ requestVoid: await voidOf(request) }, { receipt: await thief.receipt(paid, 300n) }]) {
          await wallet.client.sync({ records: [wallet.record(paid, { ...about, ...words })] });
          await eventually(async () =>
            (await operator.evidence(paid.messageId)).records.every(({ decidedAt }) => decidedAt !== null),
          );
          assert.equal(await state(), "pending");
        }
        await terminal.client.upload([terminal.record(request, wallet.held(), paid)]);
        await eventually(async () => (await state()) === "settled");
      },
    );

    await t.test(
      "tills that nobody enrolled, each to be paid for the same limit, and ceilings without end",
      async () => {
        const { perPaymentCapMinor } = wallet.held().content.terms;
        const terms = { ...thief.certificate.content.terms, perCertificateCapMinor: 9_000_000n };
        const request = await thief.request(perPaymentCapMinor);
        const clone = wallet.clone();
        const paid = await clone.pay(request);
        const till = generateNodeSigner();
        const made = await forge(town, { ...thief.certificate.content, terminalKey: till.publicKey, terms });
        await thief.client.upload([thief.record(shownUnder(request, made), clone.held(), paid)]);
        assert.deepEqual(await judged(thief, paid), [["refused", "TERMINAL_NOT_OF_PAYEE"]]);
        const open = await clone.payOpen(100n);
        const { payeeCertificateId } = made.content;
        const content = { payeeCertificateId, paymentId: open.messageId, amountMinor: 100n, issuedAt: clock.now };
        const { bytes } = await signMessage(capture, content, { signer: till, crypto });
        const parts = { payeeCertificate: made.bytes, capture: bytes, certificate: clone.held().bytes };
        await thief.client.upload([encodeUploadRecord({ kind: "open-payment", ...parts, payment: open.bytes })]);
        assert.deepEqual(await judged(thief, open), [["refused", "TERMINAL_NOT_OF_PAYEE"]]);
        assert.equal(await clearingOf(town, "THIEF"), 0n);
      },
    );

    if (openTown !== anothersKey)
      await t.test("a user certificate with an honest payer's id and the thief's key", async () => {
        const { signer } = town.stolen;
        const device = generateNodeSigner();
        const content = { ...wallet.held().content, deviceKey: device.publicKey };
        const certificate = await signMessage(userCertificate, content, { signer, crypto });
        const forger = Object.assign(wallet.clone(), { signer: device, certificate });
        const request = await terminal.request(900n);
        const paid = await forger.pay(request);
        await terminal.client.upload([terminal.record(request, certificate, paid)]);
        assert.deepEqual(await judged(terminal, paid), [["refused", "CERTIFICATE_NOT_OURS"]]);
      });

    assert.deepEqual(await operator.conflicts(), [], "the honest payer is blamed for nothing");
    assert.deepEqual((await operator.verifyBooks()).faults, []);
  });

test("another issuer's word for a till that is enrolled here counts, with no higher ceiling than its payee has here", async (t) => {
  const town = await anothersKey(t);
  const { wallet, thief } = town;
  const second = await addTerminal(town, THIEF);
  const { perPaymentCapMinor } = wallet.held().content.terms;
  const { content } = thief.certificate;
  assert.ok(content.terms.perCertificateCapMinor < 2n * perPaymentCapMinor);
  const terms = { ...content.terms, perCertificateCapMinor: 9_000_000n };
  const outcomes: unknown[] = [];
  for (const till of [thief, second]) {
    const terminalKey = till.signer.publicKey;
    const elsewhere = await forge(town, { ...till.certificate.content, terminalKey, terms });
    const request = await till.request(perPaymentCapMinor);
    const clone = wallet.clone();
    const paid = await clone.pay(request);
    await till.client.upload([till.record(shownUnder(request, elsewhere), clone.held(), paid)]);
    outcomes.push(...(await judged(till, paid)));
  }
  assert.deepEqual(outcomes, [
    ["settled", null],
    ["held", "PAYEE_CEILING_REACHED"],
  ]);
});
