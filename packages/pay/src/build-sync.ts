import {
  type CertificateId,
  closing,
  encodeSyncRecord,
  joinRecords,
  MAXIMUM_BODY_BYTES,
  MAXIMUM_RECORDS,
  type MessageId,
  prepareMessage,
  restoreVerified,
  type SyncRecord,
  statusList,
  trustAnchors,
  trustList,
} from "@cairn/messages";
import { type ClosingPolicy, type ClosingReason, DEFAULT_CLOSING_POLICY, decideClosing } from "./decide-closing.ts";
import { draftOf, signDraft } from "./draft.ts";
import type { WalletPorts } from "./ports.ts";
import { signatureFor } from "./show-payment.ts";
import { commitWallet, readWallet, type Wallet } from "./wallet.ts";
import type { StoredCertificate, StoredPayment, WalletWrite } from "./wallet-store.ts";

/** What a record of a sync speaks of, by its place: the answer names places. */
export type SyncEntry =
  | { readonly kind: "closing"; readonly certificateId: CertificateId }
  | { readonly kind: "payment"; readonly paymentId: MessageId };

export type SyncBatch = {
  /** The content of the signed call with purpose "sync". */
  readonly content: Uint8Array;
  readonly entries: readonly SyncEntry[];
  /** Ids of certificates that this wallet has, newest first: the server delivers a current one that is missing here. */
  readonly holds: readonly CertificateId[];
  /** The date of the status list that this wallet took home with the last answer: what was decided well before, it has heard. */
  readonly since: number;
  /** There was more to bring than fits one call: sync again. */
  readonly more: boolean;
  readonly closed: readonly {
    readonly certificateId: CertificateId;
    readonly because: ClosingReason;
  }[];
};

export type SyncWish = {
  /** Gives every certificate back, for a new one: what the user asks for before a trip. Default false. */
  readonly closeAll?: boolean;
  readonly closingPolicy?: ClosingPolicy;
};

/** As many as the server's API takes. */
const MAXIMUM_HOLDS = 16;
/** Room for the envelope of the signed call. */
const CONTENT_BYTES = MAXIMUM_BODY_BYTES - 4_096;

/**
 * Gets ready what a sync brings home: signs payments that a crash left unsigned, so that the chain the server sees has
 * no hole; closes certificates that are due (decide-closing.ts), each closing durable before it is signed; then
 * closings that the server has not confirmed and all payments without its last word. Repeatable at will.
 * @throws PayError NOT_ENROLLED, WALLET_KEY_DIFFERS.
 */
export async function buildSync(ports: WalletPorts, wish: SyncWish = {}): Promise<SyncBatch> {
  let looked = await closeDueCertificates(ports, wish);
  if (looked.wallet.payments.some(isUnsigned)) {
    await signPayments(ports, looked.wallet.payments.filter(isUnsigned));
    const { closed: before } = looked;
    looked = await closeDueCertificates(ports, wish);
    looked = { closed: [...before, ...looked.closed], wallet: looked.wallet };
  }
  const { closed } = looked;
  const hasClosings = closed.length > 0 || looked.wallet.certificates.some(isUnsignedClosing);
  if (hasClosings) await signClosings(ports);
  const wallet = hasClosings ? await readWallet(ports, { kind: "unfinished" }) : looked.wallet;
  const { content, entries, more } = fill(recordsOf(wallet));
  const since = restoreVerified(statusList, wallet.identity.statusList, ports.crypto).content.issuedAt;
  const holds = wallet.certificates.map(({ certificateId }) => certificateId).toReversed();
  return { content, entries, more, closed, since, holds: holds.slice(0, MAXIMUM_HOLDS) };
}

const isUnsigned = ({ signed }: StoredPayment): boolean => signed === undefined;
const isUnsignedClosing = ({ closing: its }: StoredCertificate): boolean =>
  its !== undefined && its.signed === undefined;

async function signPayments(ports: WalletPorts, unsigned: readonly StoredPayment[]): Promise<void> {
  for (const durable of unsigned) {
    const { paymentId } = durable;
    const signed = await signatureFor(ports, durable);
    await commitWallet(ports, { kind: "none" }, () => ({
      result: undefined,
      writes: [{ kind: "signature", paymentId, signed }],
    }));
  }
}

type Looked = { readonly closed: SyncBatch["closed"]; readonly wallet: Wallet };

/** What there was to bring, and which certificates were closed: none with a payment that is not signed yet. */
function closeDueCertificates(ports: WalletPorts, wish: SyncWish): Promise<Looked> {
  const asked = wish.closeAll ?? false;
  const policy = wish.closingPolicy ?? DEFAULT_CLOSING_POLICY;
  return commitWallet<Looked>(ports, { kind: "unfinished" }, (wallet) => {
    const { held, identity, now } = wallet;
    const { keysById } = trustAnchors(restoreVerified(trustList, identity.trustList, ports.crypto), ports.crypto);
    const closed: SyncBatch["closed"][number][] = [];
    const writes: WalletWrite[] = [];
    for (const each of held) {
      const decision = decideClosing(each, {
        now,
        asked,
        isTrusted: keysById.has(each.certificate.issuerKeyId),
        policy,
      });
      if (decision.kind === "keep") continue;
      const { certificateId } = decision.content;
      const draft = draftOf(prepareMessage(closing, decision.content, ports.crypto));
      closed.push({ certificateId, because: decision.because });
      writes.push({ kind: "closing", certificateId, draft });
    }
    return { result: { closed, wallet }, writes };
  });
}

async function signClosings(ports: WalletPorts): Promise<void> {
  const { certificates } = await readWallet(ports, { kind: "none" });
  for (const { certificateId, closing: its } of certificates) {
    if (its === undefined || its.signed !== undefined) continue;
    const signed = await signDraft(closing, its.draft, ports);
    await commitWallet(ports, { kind: "none" }, () => ({
      result: undefined,
      writes: [{ kind: "closing-signature", certificateId, signed }],
    }));
  }
}

type Entry = { readonly entry: SyncEntry; readonly record: SyncRecord };

function recordsOf({ certificates, payments }: Wallet): Entry[] {
  const closings = certificates.flatMap(({ certificateId, closing: its }): Entry[] =>
    its?.signed === undefined || its.delivered
      ? []
      : [{ entry: { kind: "closing", certificateId }, record: { kind: "closing", closing: its.signed } }],
  );
  const byId = new Map(certificates.map((certificate) => [certificate.certificateId, certificate]));
  const brought = payments.toSorted(byNeed).flatMap((durable): Entry[] => {
    const record = recordOf(durable, byId.get(durable.certificateId));
    return record === undefined ? [] : [{ entry: { kind: "payment", paymentId: durable.paymentId }, record }];
  });
  return [...closings, ...brought];
}

/** What the server has never heard of comes first, then what it was told longest ago, so that nothing starves. */
function byNeed(left: StoredPayment, right: StoredPayment): number {
  return (left.outcome?.heardAt ?? -1) - (right.outcome?.heardAt ?? -1);
}

function recordOf(durable: StoredPayment, certificate: StoredCertificate | undefined): SyncRecord | undefined {
  const { signed, request, payeeCertificate, receipt, requestVoid } = durable;
  if (certificate === undefined || signed === undefined) return undefined;
  const own = { certificate: certificate.bytes, payment: signed };
  if (durable.kind === "open-payment") return { kind: "open-payment", ...own, payeeCertificate, receipt };
  if (request === undefined || payeeCertificate === undefined) return undefined;
  return { kind: "payment", ...own, payeeCertificate, request, receipt, requestVoid };
}

function fill(all: readonly Entry[]): Pick<SyncBatch, "content" | "entries" | "more"> {
  const entries: SyncEntry[] = [];
  const records: Uint8Array[] = [];
  let bytes = 0;
  for (const { entry, record } of all) {
    const encoded = encodeSyncRecord(record);
    if (records.length === MAXIMUM_RECORDS || bytes + encoded.length > CONTENT_BYTES) break;
    bytes += encoded.length;
    records.push(encoded);
    entries.push(entry);
  }
  return { content: joinRecords(records), entries, more: entries.length < all.length };
}
