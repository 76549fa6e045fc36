import { type CryptoPort, decompress, keyThumbprint, type P256PublicKey } from "@cairn/cose";
import {
  CLOCK_SKEW_SECONDS,
  MAXIMUM_ISSUER_ID_BYTES,
  MAXIMUM_NAME_BYTES,
  MAXIMUM_TRUST_LIST_BYTES,
  MAXIMUM_TRUST_LIST_ENTRIES,
  MAXIMUM_URL_BYTES,
} from "./bounds.ts";
import { type Refusal, refusal } from "./codes.ts";
import {
  bytesId,
  coseKey,
  formedText,
  listOf,
  listVersion,
  oneOf,
  required,
  row,
  shownText,
  timeSeconds,
} from "./fields.ts";
import {
  type DeviceId,
  IDENTIFIER_BYTES,
  type IssuerId,
  identifier,
  isIssuerId,
  type KeyId,
  type TerminalId,
} from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind, type Verified } from "./message.ts";
import { MessageError } from "./message-error.ts";

/** What an issuer key may sign: a sum of these bits. */
export const KEY_USE = { userCertificates: 1, payeeCertificates: 2, statusLists: 4 } as const;
export type KeyUse = (typeof KEY_USE)[keyof typeof KEY_USE];

export type TrustedKey = {
  readonly issuerId: IssuerId;
  readonly issuerName: string;
  /** Where uploads for this issuer go: an http or https URL. */
  readonly issuerUrl: string;
  readonly key: P256PublicKey;
  /** The key may have signed things dated from here on, seconds since 1970. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** Sum of {@link KEY_USE} bits. */
  readonly uses: number;
};

/** Root-signed: the issuer keys that a device may rely on. A withdrawn key is simply no longer in it. Spec: messages.md "Trust list". */
export type TrustList = {
  /** Which root key signed (header `kid`). */
  readonly rootKeyId: KeyId;
  readonly issuedAt: number;
  /** After this time a device relies on it no longer. */
  readonly expiresAt: number;
  /** Grows with every new list; a device never goes back. */
  readonly version: number;
  readonly keys: readonly TrustedKey[];
};

const isHttpUrl = (text: string): text is string => /^https?:\/\/[\x21-\x7e]+$/.test(text);

export const trustList: MessageKind<TrustList> = defineMessage({
  name: "trust-list",
  keyId: { name: "rootKeyId", codec: bytesId<KeyId>(IDENTIFIER_BYTES.keyId) },
  maximumBytes: MAXIMUM_TRUST_LIST_BYTES,
  fields: {
    expiresAt: required(LABEL.expiresAt, timeSeconds),
    issuedAt: required(LABEL.issuedAt, timeSeconds),
    keys: required(
      LABEL.trustedKeys,
      listOf(
        row({
          issuerId: formedText<IssuerId>(isIssuerId, MAXIMUM_ISSUER_ID_BYTES),
          issuerName: shownText(MAXIMUM_NAME_BYTES),
          issuerUrl: formedText(isHttpUrl, MAXIMUM_URL_BYTES),
          key: coseKey,
          validFrom: timeSeconds,
          validUntil: timeSeconds,
          uses: oneOf([1, 2, 3, 4, 5, 6, 7]),
        }),
        MAXIMUM_TRUST_LIST_ENTRIES,
      ),
    ),
    version: required(LABEL.listVersion, listVersion),
  },
  check: ({ issuedAt, expiresAt, keys }) => {
    if (expiresAt <= issuedAt) throw new MessageError("MESSAGE_INCONSISTENT", "expires before it begins");
    // A key that is no point of the curve has no thumbprint: refused here, so that no look-up can fail on it later.
    for (const { key } of keys) decompress(key);
  },
});

const thumbprintStart = (key: P256PublicKey, length: number, crypto: CryptoPort): Uint8Array =>
  keyThumbprint(key, crypto.sha256).subarray(0, length);

/** How messages name an issuer or root key: the first 4 bytes of its thumbprint (RFC 9679). */
export function keyIdOf(key: P256PublicKey, crypto: CryptoPort): KeyId {
  return identifier<KeyId>(thumbprintStart(key, IDENTIFIER_BYTES.keyId, crypto), IDENTIFIER_BYTES.keyId);
}

export function terminalIdOf(key: P256PublicKey, crypto: CryptoPort): TerminalId {
  return identifier<TerminalId>(thumbprintStart(key, IDENTIFIER_BYTES.terminalId, crypto), IDENTIFIER_BYTES.terminalId);
}

export function deviceIdOf(key: P256PublicKey, crypto: CryptoPort): DeviceId {
  return identifier<DeviceId>(thumbprintStart(key, IDENTIFIER_BYTES.deviceId, crypto), IDENTIFIER_BYTES.deviceId);
}

/** A trust list made ready for look-ups: key ids are hashes and are computed once. */
export type TrustAnchors = {
  readonly list: Verified<TrustList>;
  readonly keysById: ReadonlyMap<KeyId, readonly TrustedKey[]>;
};

/** The same list, the same anchors: whoever caches what was verified goes by that. */
const anchored = new WeakMap<Verified<TrustList>, TrustAnchors>();
/** By content: a list that is remembered as decoded may be verified again, and its keys are what they were. */
const idsOf = new WeakMap<TrustList, TrustAnchors["keysById"]>();

export function trustAnchors(list: Verified<TrustList>, crypto: CryptoPort): TrustAnchors {
  const known = anchored.get(list);
  if (known !== undefined) return known;
  const keysById = idsOf.get(list.content) ?? sortedByKeyId(list.content, crypto);
  idsOf.set(list.content, keysById);
  const anchors = { list, keysById };
  anchored.set(list, anchors);
  return anchors;
}

function sortedByKeyId({ keys }: TrustList, crypto: CryptoPort): TrustAnchors["keysById"] {
  const keysById = new Map<KeyId, TrustedKey[]>();
  for (const trusted of keys) {
    const id = keyIdOf(trusted.key, crypto);
    keysById.set(id, [...(keysById.get(id) ?? []), trusted]);
  }
  return keysById;
}

/**
 * The keys that may have signed a message with this `kid`. Four bytes are a hint, not a name: when two issuers' keys
 * share them, each is tried.
 */
export function trustedKeys(
  anchors: TrustAnchors,
  wanted: {
    readonly keyId: KeyId;
    readonly use: KeyUse;
    readonly signedAt: number;
    /** Only this issuer's keys; undefined: any issuer's. */
    readonly issuerId?: string | undefined;
  },
): readonly TrustedKey[] | Refusal {
  const { keyId, use, signedAt, issuerId } = wanted;
  const valid: TrustedKey[] = [];
  let isKnown = false;
  let isAllowed = false;
  for (const trusted of anchors.keysById.get(keyId) ?? []) {
    if (issuerId !== undefined && trusted.issuerId !== issuerId) continue;
    isKnown = true;
    if ((trusted.uses & use) === 0) continue;
    isAllowed = true;
    if (trusted.validFrom <= signedAt && signedAt <= trusted.validUntil) valid.push(trusted);
  }
  if (valid.length > 0) return valid;
  if (!isKnown) return refusal("ISSUER_UNKNOWN", `key ${keyId}`);
  if (!isAllowed) return refusal("ISSUER_KEY_NOT_ALLOWED", `key ${keyId}`);
  return refusal("ISSUER_KEY_NOT_VALID", `key ${keyId} at ${signedAt}`);
}

/** Whether a newly fetched list may replace the one held. Equal lists may: syncing twice is harmless. */
export function refuseTrustList(
  offered: Verified<TrustList>,
  against: { readonly held: Verified<TrustList> | undefined; readonly now: number },
): Refusal | undefined {
  const { held, now } = against;
  if (held !== undefined && offered.content.version < held.content.version) return refusal("TRUST_LIST_ROLLBACK");
  if (held !== undefined && offered.content.version === held.content.version && offered.messageId !== held.messageId) {
    return refusal("TRUST_LIST_ROLLBACK", "another list of the same version");
  }
  if (offered.content.expiresAt + CLOCK_SKEW_SECONDS < now) return refusal("TRUST_LIST_EXPIRED");
  return undefined;
}
