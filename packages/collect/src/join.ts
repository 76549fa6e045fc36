import { publicKeysEqual } from "@cairn/cose";
import { type IssuerId, isIssuerId, isRefusal, type Refusal, refusal, refusalFromError } from "@cairn/messages";
import { changeSetup } from "./apply-lists.ts";
import { CollectError } from "./collect-error.ts";
import type { Enrolment } from "./enrol.ts";
import { judgePayeeCertificate, judgeStatusList, judgeTrustList } from "./judge-lists.ts";
import { type Refused, refused } from "./outcomes.ts";
import { type Guest, rootKeyOf, type Setup, type TerminalContext } from "./setup.ts";

/** Another issuer's answer to the enrolment of this terminal's key, and where its uploads go. */
export type GuestEnrolment = Enrolment & { readonly issuerId: string; readonly url: string };
export type JoinOutcome = { readonly kind: "joined"; readonly issuerId: IssuerId } | Refused;

/**
 * Lets the terminal take payments of another issuer of its trust list. That issuer must know this terminal's key, for the
 * same payee and in the same currency, as it will be asked to pay for what is uploaded; requests go on standing under
 * the own issuer's payee certificate. Joining again takes home what is newer, and the new address.
 * @throws CollectError NOT_ENROLLED, ROOT_KEY_DIFFERS, SETUP_CONTENDED.
 */
export async function joinIssuer(context: TerminalContext, offered: GuestEnrolment): Promise<JoinOutcome> {
  const { issuerId } = offered;
  const { setup } = await context.hold();
  if (!isIssuerId(issuerId)) return refused(refusal("ISSUER_UNKNOWN", "not an issuer's id"));
  if (issuerId === setup.issuerId) return refused(refusal("ISSUER_UNKNOWN", "it is this terminal's own issuer"));
  expectRoot(offered.rootKey, setup);
  const [against] = await changeSetup(context, async ({ setup, now }) => {
    const judged = await judgeGuest(context, { ...offered, issuerId }, { setup, now });
    if (isRefusal(judged)) return { next: setup, refusals: [judged] };
    const guests = [...setup.guests.filter((guest) => guest.issuerId !== issuerId), judged.guest];
    return { next: { ...setup, anchors: judged.anchors, guests }, refusals: [] };
  });
  return against === undefined ? { kind: "joined", issuerId } : refused(against);
}

function expectRoot(bytes: Uint8Array, setup: Setup): void {
  let isSame: boolean;
  try {
    isSame = publicKeysEqual(rootKeyOf(bytes), setup.rootKey);
  } catch (error) {
    refusalFromError(error);
    isSame = false;
  }
  if (!isSame) throw new CollectError("ROOT_KEY_DIFFERS", "That issuer stands under another root key.");
}

async function judgeGuest(
  { crypto, signer }: TerminalContext,
  offered: GuestEnrolment & { readonly issuerId: IssuerId },
  { setup, now }: { readonly setup: Setup; readonly now: number },
): Promise<{ readonly guest: Guest; readonly anchors: Setup["anchors"] } | Refusal> {
  const { issuerId, url } = offered;
  const known = { crypto, now };
  const judged = await judgeTrustList(offered.trustList, { ...known, rootKey: setup.rootKey, held: setup.anchors });
  // A server may lag behind with the common list: then the newer one that is held is the one to go by.
  if (isRefusal(judged) && judged.code !== "TRUST_LIST_ROLLBACK") return judged;
  const anchors = isRefusal(judged) ? setup.anchors : judged;
  const held = setup.guests.find((guest) => guest.issuerId === issuerId)?.statusList;
  const statusList = await judgeStatusList(offered.statusList, { ...known, anchors, issuerId, held });
  if (isRefusal(statusList)) return statusList;
  const ownKey = signer.publicKey;
  const payee = await judgePayeeCertificate(offered.payeeCertificate, {
    ...known,
    anchors,
    issuerId,
    ownKey,
    held: undefined,
  });
  if (isRefusal(payee)) return payee;
  const own = setup.payeeCertificate.content;
  if (payee.content.payeeId !== own.payeeId) return refusal("PAYEE_CERTIFICATE_MISMATCH", "for another payee");
  if (payee.content.terms.currency !== own.terms.currency) return refusal("CURRENCY_MISMATCH", "another currency");
  return { guest: { issuerId, url, statusList }, anchors };
}
