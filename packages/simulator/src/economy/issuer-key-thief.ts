import {
  type CertificateId,
  IDENTIFIER_BYTES,
  identifier,
  signMessage,
  type UserCertificate,
  userCertificate,
} from "@cairn/messages";
import { wait } from "../parties/party.ts";
import type { SimulatedTerminal } from "../parties/terminal.ts";
import type { SimulatedWallet } from "../parties/wallet.ts";
import { STYLES, showForged, type TakenKey, takeKey, uploadForged } from "./forger.ts";
import type { World } from "./world.ts";

const HOUR_MS = 3_600_000;
const VALIDITY_SECONDS = 7 * 86_400;
/** More than any policy gives. */
const LIMIT_MINOR = 1_000_000n;
/** A payee is in league with the thief, and brings what it never accepted. */
const HAS_A_TILL = 0.3;

/** Which certificates a thief signs: each is genuine by its signature, and none was issued. */
const KINDS = ["under another's id", "under an id of nobody's", "a higher limit for a phone of its own"] as const;

/**
 * Who has a signing key of the issuer's, one that signs now or one of before, pays all over town with certificates of
 * its own making. What honest people have is never touched by it, and what tills took for it is paid by nobody:
 * docs/security/threat-model.md, "server key theft".
 */
export async function payWithForgedCertificates(
  world: World,
  wallet: SimulatedWallet,
  terminal: SimulatedTerminal,
): Promise<void> {
  const { random } = world.kernel.cause;
  const forged = await forgeCertificate(world, wallet);
  if (forged === undefined) return;
  const purchases = random.between(2, 5);
  for (let number = 0; number < purchases; number += 1) {
    await wait(world, random.below(4 * HOUR_MS));
    const everywhere = [...world.terminals, ...world.receivers.values()];
    await showForged(world, forged, random.pick(everywhere), { style: random.pick(STYLES) });
  }
  if (!random.chance(HAS_A_TILL)) return;
  world.truth.evilTerminals.add(terminal.terminalId);
  await uploadForged(world, forged, terminal);
}

/** Like the certificate that the phone has, which was shown at a till. */
async function forgeCertificate(world: World, wallet: SimulatedWallet): Promise<TakenKey | undefined> {
  const taken = await takeKey(world, wallet);
  if (taken === undefined) return undefined;
  const { signatures } = world.surroundings;
  const { random, id } = world.kernel.cause;
  const { issuer } = world;
  const kind = random.pick(KINDS);
  const key = random.pick(issuer.keys.all());
  const signer = kind === "a higher limit for a phone of its own" ? wallet.signer : signatures.signer(`thief ${id}`);
  const { certificate } = taken;
  const certificateId =
    kind === "under an id of nobody's"
      ? identifier<CertificateId>(random.bytes(IDENTIFIER_BYTES.certificateId), IDENTIFIER_BYTES.certificateId)
      : certificate.certificateId;
  const now = issuer.nowSeconds();
  const content: UserCertificate = {
    ...certificate,
    issuerKeyId: key.keyId,
    certificateId,
    deviceKey: signer.publicKey,
    issuedAt: now,
    expiresAt: now + VALIDITY_SECONDS,
    terms: { ...certificate.terms, limitMinor: LIMIT_MINOR, perPaymentCapMinor: LIMIT_MINOR },
  };
  const { bytes } = await signMessage(userCertificate, content, { signer: key.signer, crypto: signatures.crypto });
  const by = "the thief of the issuer's key";
  world.tell(() => `${by} signs a certificate, ${kind}, after ${wallet.name}'s`);
  return { ...taken, signer, by, isForged: true, certificate: content, bytes, sequence: 0, spentMinor: 0n };
}
