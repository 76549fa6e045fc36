import { type CryptoPort, publicKeysEqual } from "@cairn/cose";
import {
  isOlderCopy,
  isRefusal,
  isRevoked,
  type Refusal,
  refusal,
  refuseStatusList,
  refuseTrustList,
  refuseUserCertificate,
  restoreVerified,
  type StatusList,
  statusList,
  type TrustAnchors,
  type TrustList,
  trustList,
  type UserCertificate,
  userCertificate,
  type Verified,
  verifyUserCertificate,
} from "@cairn/messages";
import type { SyncBatch } from "./build-sync.ts";
import { isPayRefusal, type PayRefusal, refused } from "./codes.ts";
import { anchorsAfter, judgeStatusList, judgeTrustList, tryDecode } from "./judge-lists.ts";
import { type OfferedOutcome, outcomeWrites } from "./outcomes.ts";
import { honestNow, type WalletPorts } from "./ports.ts";
import { commitWallet, deviceKeyOf, readWallet, rootKeyOf, type Wallet } from "./wallet.ts";
import type { Decision, StoredIdentity, WalletWrite } from "./wallet-store.ts";

/** What a server answers to a sync, as far as the wallet acts on it. */
export type SyncAnswer = {
  readonly trustList: Uint8Array;
  readonly statusList: Uint8Array;
  readonly certificate: Uint8Array | null;
  readonly records: readonly {
    readonly index: number;
    readonly state: "received" | "refused";
    readonly code: string | null;
    readonly sentence: string | null;
  }[];
  readonly payments: readonly OfferedOutcome[];
};

/** What was taken home, and what was turned away; a part that is turned away does not stop the others. */
export type SyncApplied = {
  /** A certificate that this wallet did not have before. */
  readonly certificate: UserCertificate | undefined;
  readonly refusals: readonly {
    readonly part: "trust-list" | "status-list" | "certificate";
    readonly refusal: PayRefusal;
  }[];
};

type Judged = {
  readonly trustList: Verified<TrustList> | Refusal;
  readonly statusList: Verified<StatusList> | Refusal;
  readonly certificate: Verified<UserCertificate> | PayRefusal | undefined;
};

/**
 * Takes the answer to a sync home, all in one durable write. Verified before: the trust list under the pinned root key
 * and not older than the one held; the status list and the certificate under issuer keys of the newest trust list; the
 * certificate is for this device's key, in this wallet's currency, and valid. Certificates that are held already stay
 * as they are, closed ones closed. Outcomes are merged (outcomes.ts). Applying an answer twice changes nothing.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function applySyncAnswer(
  ports: WalletPorts,
  input: { readonly answer: SyncAnswer; readonly entries: SyncBatch["entries"] },
): Promise<SyncApplied> {
  const { identity, now } = await readWallet(ports, { kind: "none" });
  const judged = await judgeAnswer(ports, input.answer, { identity, now });
  const paymentIds = input.answer.payments.map(({ paymentId }) => paymentId);
  return await commitWallet(ports, { kind: "ids", paymentIds }, (wallet) =>
    decideOnWallet(wallet, judged, input, ports),
  );
}

async function judgeAnswer(
  { crypto, clock }: WalletPorts,
  answer: SyncAnswer,
  { identity, now }: { readonly identity: StoredIdentity; readonly now: number },
): Promise<Judged> {
  const heldTrust = restoreVerified(trustList, identity.trustList, crypto);
  const heldStatus = restoreVerified(statusList, identity.statusList, crypto);
  const rootKey = rootKeyOf(identity.rootKey);
  const { issuerId } = identity;
  const trust = await judgeTrustList(answer.trustList, { rootKey, held: heldTrust, now }, crypto);
  const anchors = anchorsAfter(trust, heldTrust, crypto);
  const later = honestNow(clock, Math.max(now, anchors.list.content.issuedAt));
  const status = await judgeStatusList(answer.statusList, { anchors, issuerId, held: heldStatus, now: later }, crypto);
  const latest = isRefusal(status) ? later : honestNow(clock, Math.max(later, status.content.issuedAt));
  const certificate =
    answer.certificate === null
      ? undefined
      : await judgeCertificate(answer.certificate, { anchors, identity, now: latest }, crypto);
  return { trustList: trust, statusList: status, certificate };
}

async function judgeCertificate(
  bytes: Uint8Array,
  against: { readonly anchors: TrustAnchors; readonly identity: StoredIdentity; readonly now: number },
  crypto: WalletPorts["crypto"],
): Promise<Verified<UserCertificate> | PayRefusal> {
  const decoded = tryDecode(userCertificate, bytes, crypto);
  if (isRefusal(decoded)) return decoded;
  const verified = await verifyUserCertificate(decoded, {
    anchors: against.anchors,
    crypto,
    issuerId: against.identity.issuerId,
  });
  if (isRefusal(verified)) return verified;
  const { deviceKey, terms, issuedAt } = verified.content;
  if (!publicKeysEqual(deviceKey, deviceKeyOf(against.identity)))
    return refused("CERTIFICATE_OF_ANOTHER_DEVICE").refusal;
  if (terms.currency !== against.identity.currency) return refusal("CURRENCY_MISMATCH");
  // The issuer has just signed: its time is as good as ours when our clock is slow.
  return refuseUserCertificate(verified.content, Math.max(against.now, issuedAt)) ?? verified;
}

function decideOnWallet(
  wallet: Wallet,
  judged: Judged,
  { answer, entries }: { readonly answer: SyncAnswer; readonly entries: SyncBatch["entries"] },
  { crypto }: WalletPorts,
): Decision<SyncApplied> {
  const certificate = takeCertificate(judged.certificate, wallet, crypto);
  const parts = [
    takeTrustList(judged.trustList, wallet, crypto),
    certificate,
    takeStatusList(judged.statusList, wallet, certificate.added, crypto),
  ];
  const delivered = answer.records.flatMap(({ index, state }): WalletWrite[] => {
    const entry = entries[index];
    if (state !== "received" || entry?.kind !== "closing") return [];
    return [{ kind: "closing-delivered", certificateId: entry.certificateId }];
  });
  const writes = [
    ...parts.flatMap((part) => part.writes),
    ...delivered,
    ...outcomeWrites(wallet.payments, answer.payments, wallet.now),
  ];
  return { result: { certificate: certificate.added, refusals: parts.flatMap((part) => part.refusals) }, writes };
}

type Taken = { readonly writes: readonly WalletWrite[]; readonly refusals: SyncApplied["refusals"] };

const turnedAway = (part: SyncApplied["refusals"][number]["part"], reason: PayRefusal): Taken => ({
  writes: [],
  refusals: [{ part, refusal: reason }],
});

/** Asked again under the lock: another process may have taken a newer list home in the meantime. */
function takeTrustList(offered: Judged["trustList"], { identity, now }: Wallet, crypto: CryptoPort): Taken {
  if (isRefusal(offered)) return turnedAway("trust-list", offered);
  const held = restoreVerified(trustList, identity.trustList, crypto);
  const reason = refuseTrustList(offered, { held, now });
  if (reason !== undefined) return turnedAway("trust-list", reason);
  const writes: WalletWrite[] = [...seen(offered.content.issuedAt, identity)];
  if (offered.messageId !== held.messageId) writes.push({ kind: "trust-list", bytes: offered.bytes });
  return { writes, refusals: [] };
}

/** What the wallet knows already is not written again: most syncs bring home nothing new. */
function seen(newestSeen: number, identity: StoredIdentity): readonly WalletWrite[] {
  return newestSeen > identity.newestSeen ? [{ kind: "newest-seen", newestSeen }] : [];
}

function takeCertificate(
  offered: Judged["certificate"],
  { certificates, identity }: Wallet,
  crypto: CryptoPort,
): Taken & { readonly added: UserCertificate | undefined } {
  const nothing = { writes: [], refusals: [], added: undefined };
  if (offered === undefined) return nothing;
  if (isPayRefusal(offered)) return { ...turnedAway("certificate", offered), added: undefined };
  const { bytes, content, messageId } = offered;
  const { certificateId, issuedAt, terms } = content;
  const known = certificates.find((each) => each.certificateId === certificateId);
  if (known === undefined) {
    const writes: WalletWrite[] = [
      { kind: "certificate", certificateId, bytes, limitMinor: terms.limitMinor },
      ...seen(issuedAt, identity),
    ];
    return { writes, refusals: [], added: content };
  }
  if (restoreVerified(userCertificate, known.bytes, crypto).messageId === messageId) return nothing;
  const reason = refusal("CERTIFICATE_MISMATCH", "another certificate of the same id is held");
  return { ...turnedAway("certificate", reason), added: undefined };
}

function takeStatusList(
  offered: Judged["statusList"],
  { identity, held, now }: Wallet,
  added: UserCertificate | undefined,
  crypto: CryptoPort,
): Taken {
  if (isRefusal(offered)) return turnedAway("status-list", offered);
  const before = restoreVerified(statusList, identity.statusList, crypto);
  const list = isOlderCopy(offered, before) ? before : offered;
  const reason = refuseStatusList(list, { held: before, now });
  if (reason !== undefined) return turnedAway("status-list", reason);
  const { bytes, content, messageId } = list;
  const writes: WalletWrite[] = [...seen(content.issuedAt, identity)];
  if (messageId !== before.messageId) writes.push({ kind: "status-list", bytes });
  for (const { certificate, revoked } of held)
    if (!revoked && isRevoked(content, certificate.terms.statusIndex))
      writes.push({ kind: "revoked", certificateId: certificate.certificateId });
  if (added !== undefined && isRevoked(content, added.terms.statusIndex))
    writes.push({ kind: "revoked", certificateId: added.certificateId });
  return { writes, refusals: [] };
}
