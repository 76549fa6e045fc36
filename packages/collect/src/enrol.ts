import { publicKeysEqual } from "@cairn/cose";
import { isRefusal, type PayeeCertificate, type Refusal, refusalFromError } from "@cairn/messages";
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
  const [refusal] = await applyLists(context, enrolment);
  return refusal === undefined ? enrolled((await context.hold()).setup) : refused(refusal);
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
  const statusList = await judgeStatusList(offered.statusList, { ...known, anchors, held: undefined });
  if (isRefusal(statusList)) return statusList;
  const payeeCertificate = await judgePayeeCertificate(offered.payeeCertificate, {
    ...known,
    anchors,
    ownKey: signer.publicKey,
    held: undefined,
  });
  if (isRefusal(payeeCertificate)) return payeeCertificate;
  return { rootKey, rootKeyBytes, anchors, statusList, payeeCertificate };
}

function readRootKey(bytes: Uint8Array) {
  try {
    return rootKeyOf(bytes);
  } catch (error) {
    return refusalFromError(error);
  }
}

const enrolled = (setup: Setup): EnrolmentOutcome => ({ kind: "enrolled", payee: setup.payeeCertificate.content });
