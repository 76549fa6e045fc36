import { isRefusal, type Refusal } from "@cairn/messages";
import { CollectError } from "./collect-error.ts";
import type { TerminalJournal } from "./journal.ts";
import { judgePayeeCertificate, judgeStatusList, judgeTrustList, type OfferedLists } from "./judge-lists.ts";
import type { Setup, TerminalContext } from "./setup.ts";

/** Tries before giving up when other processes change the setup at the same moment. */
const MAXIMUM_TRIES = 8;

/**
 * Takes home what is genuine and newer; what is not is refused by itself and the one held stays. Spec: protocol
 * "Getting online again". Answers with the refusals, none when all was well.
 * @throws CollectError NOT_ENROLLED, SETUP_CONTENDED.
 */
export async function applyLists(context: TerminalContext, offered: OfferedLists): Promise<readonly Refusal[]> {
  for (let tried = 0; tried < MAXIMUM_TRIES; tried++) {
    const { setup, revision, now } = await context.hold();
    const { next, refusals } = await judgeAll(context, offered, { setup, now });
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
    },
    expectedRevision,
  );
}

/** The trust list first: it says who may have signed the other two. */
async function judgeAll(
  { crypto, signer }: TerminalContext,
  offered: OfferedLists,
  { setup, now }: { readonly setup: Setup; readonly now: number },
): Promise<{ readonly next: Setup; readonly refusals: readonly Refusal[] }> {
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
  const judgedStatus = await judgeStatusList(offered.statusList, { ...known, anchors, held: setup.statusList });
  const judgedPayee = await judgePayeeCertificate(offered.payeeCertificate, {
    ...known,
    anchors,
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

function isSame(held: Setup, next: Setup): boolean {
  return (
    held.anchors.list.messageId === next.anchors.list.messageId &&
    held.statusList.messageId === next.statusList.messageId &&
    held.payeeCertificate.messageId === next.payeeCertificate.messageId
  );
}
