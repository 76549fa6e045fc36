import { type IssuerId, isRefusal, type Refusal } from "@cairn/messages";
import { CollectError } from "./collect-error.ts";
import type { TerminalJournal } from "./journal.ts";
import { judgePayeeCertificate, judgeStatusList, judgeTrustList, type OfferedLists } from "./judge-lists.ts";
import type { Guest, Setup, TerminalContext } from "./setup.ts";

/** Tries before giving up when other processes change the setup at the same moment. */
const MAXIMUM_TRIES = 8;

/**
 * Takes home what is genuine and newer; what is not is refused by itself and the one held stays. Spec: protocol
 * "Getting online again". Answers with the refusals, none when all was well.
 * @throws CollectError NOT_ENROLLED, SETUP_CONTENDED.
 */
export function applyLists(context: TerminalContext, offered: OfferedLists): Promise<readonly Refusal[]> {
  return changeSetup(context, (held) => judgeAll(context, offered, held));
}

/** As {@link applyLists}, what a guest issuer's server offers: the common trust list, and its own status list. */
export function applyGuestLists(
  context: TerminalContext,
  issuerId: IssuerId,
  offered: Pick<OfferedLists, "trustList" | "statusList">,
): Promise<readonly Refusal[]> {
  return changeSetup(context, (held) => judgeGuest(context, { issuerId, offered }, held));
}

type HeldSetup = { readonly setup: Setup; readonly now: number };
type Change = { readonly next: Setup; readonly refusals: readonly Refusal[] };

/** Judges and stores, again when another process was faster. @throws CollectError NOT_ENROLLED, SETUP_CONTENDED. */
export async function changeSetup(
  context: TerminalContext,
  judge: (held: HeldSetup) => Promise<Change>,
): Promise<readonly Refusal[]> {
  for (let tried = 0; tried < MAXIMUM_TRIES; tried++) {
    const { setup, revision, now } = await context.hold();
    const { next, refusals } = await judge({ setup, now });
    if (isSame(setup, next) || (await storeSetup(context.journal, next, revision))) return refusals;
  }
  throw new CollectError("SETUP_CONTENDED", "Another process keeps changing the lists. Try again.");
}

/** False when the setup is no longer the one of `expectedRevision`. */
export function storeSetup(journal: TerminalJournal, setup: Setup, expectedRevision: number): Promise<boolean> {
  return journal.replaceSetup(
    {
      rootKey: setup.rootKeyBytes,
      trustList: setup.anchors.list.bytes,
      statusList: setup.statusList.bytes,
      payeeCertificate: setup.payeeCertificate.bytes,
      payeeCertificateId: setup.payeeCertificate.content.payeeCertificateId,
      issuerId: setup.issuerId,
      guests: setup.guests.map((guest) => ({ ...guest, statusList: guest.statusList.bytes })),
    },
    expectedRevision,
  );
}

/** The trust list first: it says who may have signed the other two. */
async function judgeAll(
  { crypto, signer }: TerminalContext,
  offered: OfferedLists,
  { setup, now }: HeldSetup,
): Promise<Change> {
  const refusals: Refusal[] = [];
  const orHeld = <Value extends object>(judged: Value | Refusal, held: Value): Value => {
    if (!isRefusal(judged)) return judged;
    refusals.push(judged);
    return held;
  };
  const known = { crypto, now };
  const { rootKey } = setup;
  const judgedAnchors = await judgeTrustList(offered.trustList, { ...known, rootKey, held: setup.anchors });
  const anchors = orHeld(judgedAnchors, setup.anchors);
  const judgedStatus = await judgeStatusList(offered.statusList, {
    ...known,
    anchors,
    issuerId: setup.issuerId,
    held: setup.statusList,
  });
  const judgedPayee = await judgePayeeCertificate(offered.payeeCertificate, {
    ...known,
    anchors,
    issuerId: setup.issuerId,
    ownKey: signer.publicKey,
    held: setup.payeeCertificate,
  });
  const next: Setup = {
    ...setup,
    anchors,
    statusList: orHeld(judgedStatus, setup.statusList),
    payeeCertificate: orHeld(judgedPayee, setup.payeeCertificate),
  };
  return { next, refusals };
}

async function judgeGuest(
  { crypto }: TerminalContext,
  guest: { readonly issuerId: IssuerId; readonly offered: Pick<OfferedLists, "trustList" | "statusList"> },
  { setup, now }: HeldSetup,
): Promise<Change> {
  const refusals: Refusal[] = [];
  const known = { crypto, now };
  const { issuerId, offered } = guest;
  const judged = await judgeTrustList(offered.trustList, { ...known, rootKey: setup.rootKey, held: setup.anchors });
  if (isRefusal(judged)) refusals.push(judged);
  const anchors = isRefusal(judged) ? setup.anchors : judged;
  const guests: Guest[] = [];
  for (const each of setup.guests) {
    if (each.issuerId !== issuerId) {
      guests.push(each);
      continue;
    }
    const statusList = await judgeStatusList(offered.statusList, {
      ...known,
      anchors,
      issuerId,
      held: each.statusList,
    });
    if (isRefusal(statusList)) refusals.push(statusList);
    guests.push(isRefusal(statusList) ? each : { ...each, statusList });
  }
  return { next: { ...setup, anchors, guests }, refusals };
}

const namesOf = ({ guests }: Setup): string =>
  guests.map(({ issuerId, url, statusList }) => `${issuerId} ${url} ${statusList.messageId}`).join();

function isSame(held: Setup, next: Setup): boolean {
  return (
    held.anchors.list.messageId === next.anchors.list.messageId &&
    held.statusList.messageId === next.statusList.messageId &&
    held.payeeCertificate.messageId === next.payeeCertificate.messageId &&
    namesOf(held) === namesOf(next)
  );
}
