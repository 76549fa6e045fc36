import { decodePublicKey, type P256PublicKey, publicKeysEqual } from "@cairn/cose";
import {
  type IssuerId,
  type PayeeCertificate,
  payeeCertificate,
  type Refusal,
  refusal,
  refuseTrustList,
  restoreVerified,
  type StatusList,
  statusList,
  type TrustAnchors,
  trustAnchors,
  trustList,
  type Verified,
} from "@cairn/messages";
import { CollectError } from "./collect-error.ts";
import type { StoredSetup } from "./journal.ts";
import { honestNow, type TerminalPorts } from "./ports.ts";

/** What a terminal relies on, decoded. */
export type Setup = {
  readonly rootKey: P256PublicKey;
  readonly rootKeyBytes: Uint8Array;
  readonly anchors: TrustAnchors;
  readonly statusList: Verified<StatusList>;
  readonly payeeCertificate: Verified<PayeeCertificate>;
  /** Who certified the payee: the terminal's own issuer. */
  readonly issuerId: IssuerId;
  readonly guests: readonly Guest[];
};

/** Another issuer of the trust list that knows this terminal, so that what its payers pay is uploaded to it. */
export type Guest = {
  readonly issuerId: IssuerId;
  readonly url: string;
  readonly statusList: Verified<StatusList>;
};

/** The setup at one moment, with the time that the terminal goes by. */
export type Held = { readonly setup: Setup; readonly revision: number; readonly now: number };

/** The ports and the setup in use, shared by all steps of one terminal. */
export type TerminalContext = TerminalPorts & {
  /** @throws CollectError NOT_ENROLLED, TERMINAL_KEY_DIFFERS. */
  hold(): Promise<Held>;
  /** As `hold`, undefined before enrolment. */
  holdIfEnrolled(): Promise<Held | undefined>;
};

/** Decodes the setup once for each revision: a status list can be megabytes. */
export function terminalContext(ports: TerminalPorts): TerminalContext {
  let decoded: { setup: Setup; revision: number } | undefined;

  async function holdIfEnrolled(): Promise<Held | undefined> {
    const { setupRevision, issuerTime } = await ports.journal.marks();
    if (setupRevision === 0) return undefined;
    if (decoded?.revision !== setupRevision) {
      const stored = await ports.journal.setup();
      if (stored === undefined) return undefined;
      decoded = { setup: restoreSetup(stored.setup, ports), revision: stored.revision };
    }
    const { setup, revision } = decoded;
    return { setup, revision, now: honestNow(ports.clock, Math.max(issuerTime, newestListTime(setup))) };
  }

  async function hold(): Promise<Held> {
    const held = await holdIfEnrolled();
    if (held === undefined) throw new CollectError("NOT_ENROLLED", "This terminal is not enrolled yet.");
    return held;
  }

  return { ...ports, hold, holdIfEnrolled };
}

function restoreSetup(stored: StoredSetup, { crypto, signer }: TerminalPorts): Setup {
  const certificate = restoreVerified(payeeCertificate, stored.payeeCertificate, crypto);
  if (!publicKeysEqual(certificate.content.terminalKey, signer.publicKey)) {
    throw new CollectError("TERMINAL_KEY_DIFFERS", "This journal belongs to a terminal with another key.");
  }
  const anchors = trustAnchors(restoreVerified(trustList, stored.trustList, crypto), crypto);
  return {
    rootKey: rootKeyOf(stored.rootKey),
    rootKeyBytes: stored.rootKey,
    anchors,
    statusList: restoreVerified(statusList, stored.statusList, crypto),
    payeeCertificate: certificate,
    issuerId: stored.issuerId ?? onlyIssuer(anchors),
    guests: stored.guests.map((guest) => ({
      ...guest,
      statusList: restoreVerified(statusList, guest.statusList, crypto),
    })),
  };
}

/** Journals from before there were several issuers hold a list that names one. */
function onlyIssuer({ list }: TrustAnchors): IssuerId {
  const [first] = list.content.keys;
  if (first === undefined) throw new CollectError("NOT_ENROLLED", "This terminal's trust list names no issuer.");
  return first.issuerId;
}

/** @throws CodedError when the bytes are not one COSE_Key. */
export function rootKeyOf(bytes: Uint8Array): P256PublicKey {
  return decodePublicKey(bytes);
}

export function newestListTime(setup: Setup): number {
  return Math.max(
    setup.anchors.list.content.issuedAt,
    setup.statusList.content.issuedAt,
    setup.payeeCertificate.content.issuedAt,
    ...setup.guests.map((guest) => guest.statusList.content.issuedAt),
  );
}

/** An expired trust list may still name a key that was withdrawn since. */
export function refuseHeldTrustList(setup: Setup, now: number): Refusal | undefined {
  return refuseTrustList(setup.anchors.list, { held: undefined, now });
}

/**
 * Whether the status list is older than the payee's terms allow for a guaranteed sale. The list's own expiry rules
 * whether a fetched list may be taken; how long a terminal may go without fetching is agreed in its certificate.
 */
export function refuseHeldStatusList(
  list: StatusList,
  terms: PayeeCertificate["terms"],
  now: number,
): Refusal | undefined {
  const ageSeconds = now - list.issuedAt;
  return ageSeconds > terms.maximumOfflineSeconds ? refusal("STATUS_LIST_STALE", `${ageSeconds} s old`) : undefined;
}
