import { CodedError, type CryptoPort, publicKeysEqual } from "@cairn/cose";
import {
  decodeMessage,
  type IssuerId,
  isRefusal,
  type PayeeCertificate,
  payeeCertificate,
  type Refusal,
  refusal,
  refusalFromError,
  type TrustAnchors,
} from "@cairn/messages";
import { applyLists, storeSetup } from "./apply-lists.ts";
import { CollectError } from "./collect-error.ts";
import { judgePayeeCertificate, judgeStatusList, judgeTrustList, type OfferedLists } from "./judge-lists.ts";
import { type Refused, refused } from "./outcomes.ts";
import { rootKeyOf, type Setup, type TerminalContext } from "./setup.ts";

/** The server's answer to an enrolment; `rootKey` is an encoded COSE_Key. */
export type Enrolment = OfferedLists & { readonly rootKey: Uint8Array };

export type EnrolmentOutcome = { readonly kind: "enrolled"; readonly payee: PayeeCertificate } | Refused;

/**
 * Pins the root key and stores the first lists and payee certificate, all of them or nothing. Enrolling again with the
 * same root key takes home what is newer.
 * @throws CollectError ROOT_KEY_DIFFERS, TERMINAL_KEY_DIFFERS, SETUP_CONTENDED.
 */
export async function enrol(context: TerminalContext, enrolment: Enrolment): Promise<EnrolmentOutcome> {
  const held = await context.holdIfEnrolled();
  const first = held === undefined ? await judgeEnrolment(context, enrolment) : undefined;
  if (first !== undefined) {
    if (isRefusal(first)) return refused(first);
    if (await storeSetup(context.journal, first, 0)) return enrolled(first);
    // Another process enrolled at the same moment: its root key is the pinned one.
  }
  return enrolAgain(context, enrolment);
}

async function enrolAgain(context: TerminalContext, enrolment: Enrolment): Promise<EnrolmentOutcome> {
  const { setup } = await context.hold();
  const rootKey = readRootKey(enrolment.rootKey);
  if (isRefusal(rootKey)) return refused(rootKey);
  if (!publicKeysEqual(rootKey, setup.rootKey)) {
    throw new CollectError("ROOT_KEY_DIFFERS", "This terminal is enrolled under another root key.");
  }
  const [against] = await applyLists(context, enrolment);
  return against === undefined ? enrolled((await context.hold()).setup) : refused(against);
}

async function judgeEnrolment(
  { crypto, clock, signer }: TerminalContext,
  { rootKey: rootKeyBytes, ...offered }: Enrolment,
): Promise<Setup | Refusal> {
  const known = { crypto, now: clock.nowSeconds() };
  const rootKey = readRootKey(rootKeyBytes);
  if (isRefusal(rootKey)) return rootKey;
  const anchors = await judgeTrustList(offered.trustList, { ...known, rootKey, held: undefined });
  if (isRefusal(anchors)) return anchors;
  const issuerId = issuerOfPayee(offered.payeeCertificate, anchors, crypto);
  const statusList = await judgeStatusList(offered.statusList, { ...known, anchors, issuerId, held: undefined });
  if (isRefusal(statusList)) return statusList;
  const payee = await judgePayeeCertificate(offered.payeeCertificate, {
    ...known,
    anchors,
    issuerId,
    ownKey: signer.publicKey,
    held: undefined,
  });
  if (isRefusal(payee)) return payee;
  if (issuerId === undefined) return refusal("ISSUER_UNKNOWN");
  return { rootKey, rootKeyBytes, anchors, statusList, payeeCertificate: payee, issuerId, guests: [] };
}

/** Whose key the payee certificate names. Its signature is verified under that issuer's keys alone. */
function issuerOfPayee(bytes: Uint8Array, anchors: TrustAnchors, crypto: CryptoPort): IssuerId | undefined {
  try {
    const { issuerKeyId } = decodeMessage(payeeCertificate, bytes, crypto).unverified;
    return anchors.keysById.get(issuerKeyId)?.[0]?.issuerId;
  } catch (error) {
    // It is judged, and refused for its own reason, when its turn comes.
    if (error instanceof CodedError) return undefined;
    throw error;
  }
}

function readRootKey(bytes: Uint8Array) {
  try {
    return rootKeyOf(bytes);
  } catch (error) {
    return refusalFromError(error);
  }
}

const enrolled = (setup: Setup): EnrolmentOutcome => ({ kind: "enrolled", payee: setup.payeeCertificate.content });
