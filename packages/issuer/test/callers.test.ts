import assert from "node:assert/strict";
import { test } from "node:test";
import { encodeCbor, publicKeyToCbor } from "@cairn/cose";
import { generateNodeSigner } from "@cairn/cose/node";
import { DEFAULT_POLICY } from "@cairn/issue";
import { type CallPurpose, deviceIdOf, terminalIdOf, writeSignedCall } from "@cairn/messages";
import { MemoryIssuerStore } from "@cairn/stores";
import { systemRandom } from "../src/ports.ts";
import { anyCaller, deviceCaller, terminalCaller } from "../src/services/callers.ts";
import { makeNonce } from "../src/services/server-nonce.ts";
import { openCall } from "../src/services/signed-calls.ts";
import { World as IssuingWorld, SHOP, START } from "./issuing-machine/world.ts";
import { crypto } from "./support/values.ts";

/** A till and a phone that are enrolled, what the server asked its store for, and calls of both. */
async function openWorld() {
  const store = new MemoryIssuerStore();
  const world = await IssuingWorld.open(store, DEFAULT_POLICY);
  const till = generateNodeSigner();
  const phone = generateNodeSigner();
  const [terminalId, deviceId] = [terminalIdOf(till.publicKey, crypto), deviceIdOf(phone.publicKey, crypto)];
  const account = await world.openAccount();
  await store.createEnrolmentCode({ codeHash: "till", for: { payeeId: SHOP }, expiresAt: START });
  await store.createEnrolmentCode({ codeHash: "phone", for: { account }, expiresAt: START });
  const about = { label: "", at: START };
  const keyOf = ({ publicKey }: typeof till) => encodeCbor(publicKeyToCbor(publicKey));
  await store.enrolTerminal({ codeHash: "till", terminalId, publicKey: keyOf(till), ...about });
  await store.enrolDevice({ codeHash: "phone", deviceId, publicKey: keyOf(phone), protection: 2, ...about });
  const asked: string[] = [];
  const looking = Object.assign(Object.create(store) as MemoryIssuerStore, {
    device: (id: typeof deviceId) => {
      asked.push("device");
      return store.device(id);
    },
    terminal: (id: typeof terminalId) => {
      asked.push("terminal");
      return store.terminal(id);
    },
    useNonce: async () => true,
  });
  const nonceSecret = new Uint8Array(32).fill(7);
  const context = { store: looking, crypto, clock: world.clock, nonceSecret };
  const call = async (purpose: CallPurpose, signer: typeof till, callerId: typeof terminalId | typeof deviceId) => {
    const { nonce } = makeNonce({ now: START, secret: nonceSecret, random: systemRandom, crypto });
    const about = { callerId, nonce, content: Uint8Array.of(0x80), issuedAt: START };
    return openCall(purpose, await writeSignedCall(purpose, about, { signer, crypto }), context);
  };
  return {
    asked,
    context,
    ofTill: (purpose: CallPurpose) => call(purpose, till, terminalId),
    ofPhone: (purpose: CallPurpose) => call(purpose, phone, deviceId),
    ofNobody: (purpose: CallPurpose) => {
      const signer = generateNodeSigner();
      return call(purpose, signer, terminalIdOf(signer.publicKey, crypto));
    },
  };
}

test("whoever makes a call of its kind is found by one question", async () => {
  const { asked, context, ofTill, ofPhone } = await openWorld();
  await terminalCaller(await ofTill("upload"), context);
  assert.deepEqual(asked.splice(0), ["terminal"]);
  await deviceCaller(await ofPhone("sync"), context);
  assert.deepEqual(asked.splice(0), ["device"]);
});

test("who makes a call of the other kind is named as what it is, and of either where both may call", async () => {
  const { context, ofTill, ofPhone, ofNobody } = await openWorld();
  const unknown = (detail: string | undefined) => ({ code: "CALLER_UNKNOWN", detail });
  await assert.rejects(async () => terminalCaller(await ofPhone("upload"), context), unknown("not a terminal"));
  await assert.rejects(async () => deviceCaller(await ofTill("sync"), context), unknown("not a wallet device"));
  for (const find of [terminalCaller, deviceCaller, anyCaller])
    await assert.rejects(async () => find(await ofNobody("outcomes"), context), unknown(undefined));
  assert.equal((await anyCaller(await ofTill("outcomes"), context)).kind, "terminal");
  assert.equal((await anyCaller(await ofPhone("outcomes"), context)).kind, "device");
});
