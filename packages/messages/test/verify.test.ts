import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeMessage,
  isRefusal,
  KEY_USE,
  payeeCertificate,
  type Refusal,
  restoreVerified,
  statusList,
  trustAnchors,
  userCertificate,
  verifyPayeeCertificate,
  verifyStatusList,
  verifyUnder,
  verifyUserCertificate,
} from "@cairn/messages";
import { testKey } from "../../../vectors/keys.ts";
import {
  certificate,
  crypto,
  issuer,
  KINDS,
  payee,
  signStatusList,
  signTrustList,
  signUser,
  trustedKey,
} from "../../../vectors/world.ts";

const list = await signStatusList();
type Context = Parameters<typeof verifyUserCertificate>[1];
const VERIFIERS = [
  [
    KEY_USE.userCertificates,
    (context: Context) => verifyUserCertificate(decodeMessage(userCertificate, certificate.bytes, crypto), context),
    certificate,
  ],
  [
    KEY_USE.payeeCertificates,
    (context: Context) => verifyPayeeCertificate(decodeMessage(payeeCertificate, payee.bytes, crypto), context),
    payee,
  ],
  [
    KEY_USE.statusLists,
    (context: Context) => verifyStatusList(decodeMessage(statusList, list.bytes, crypto), context),
    list,
  ],
] as const;
const codeOf = (value: object): string | undefined => (isRefusal(value) ? (value as Refusal).code : undefined);
const contextOf = async (uses: number): Promise<Context> => ({
  anchors: trustAnchors(await signTrustList({ keys: [trustedKey("issuer", { uses })] }), crypto),
  crypto,
});

test("each kind is verified under a key that may sign it, and under no other", async () => {
  for (const [use, verify, sample] of VERIFIERS) {
    for (let uses = 1; uses <= 7; uses++) {
      const verified = await verify(await contextOf(uses));
      if ((uses & use) === 0) assert.equal(codeOf(verified), "ISSUER_KEY_NOT_ALLOWED", `use ${use} of ${uses}`);
      else assert.ok("content" in verified && verified.messageId === sample.messageId, `use ${use} of ${uses}`);
    }
  }
});

test("a certificate signed by another key than its kid names is refused, not thrown", async () => {
  const forged = await signUser({}, testKey("other-issuer"));
  const decoded = decodeMessage(userCertificate, forged.bytes, crypto);
  assert.equal(codeOf(await verifyUserCertificate(decoded, await contextOf(7))), "SIGNATURE_INVALID");
});

test("a fault of the crypto port is thrown on, never taken for a bad signature", async () => {
  const fault = new TypeError("broken port");
  const broken = { ...crypto, verifyEs256: () => Promise.reject(fault) };
  const decoded = decodeMessage(userCertificate, certificate.bytes, crypto);
  await assert.rejects(verifyUnder(decoded, issuer.publicKey, broken), fault);
});

test("what was verified and stored comes back the same", () => {
  for (const { kind, sample } of Object.values(KINDS)) {
    const restored = restoreVerified<object>(
      kind as Parameters<typeof restoreVerified<object>>[0],
      sample.bytes,
      crypto,
    );
    assert.deepEqual(restored, { content: sample.content, messageId: sample.messageId, bytes: sample.bytes });
  }
});
