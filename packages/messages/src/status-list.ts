import { type CborValue, readValue } from "@cairn/cose";
import { zlibSync } from "fflate";
import { MAXIMUM_STATUS_LIST_BYTES, MAXIMUM_STATUS_LIST_INFLATED_BYTES, MAXIMUM_URL_BYTES } from "./bounds.ts";
import { type Refusal, refusal } from "./codes.ts";
import { bytesId, type Codec, durationSeconds, formedText, required, timeSeconds } from "./fields.ts";
import { IDENTIFIER_BYTES, type KeyId } from "./identifiers.ts";
import { inflateZlib } from "./inflate.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind, type Verified } from "./message.ts";
import { MessageError } from "./message-error.ts";
import { sameBytes } from "./same-bytes.ts";

/**
 * Issuer-signed: which certificates are withdrawn. A Token Status List in CWT form (IETF draft-ietf-oauth-status-list,
 * section 5.2): tag 18, `typ` application/statuslist+cwt, no signed context, one bit a certificate, zlib-compressed.
 */
export type StatusList = {
  readonly issuerKeyId: KeyId;
  /** The list's own URI. */
  readonly uri: string;
  readonly issuedAt: number;
  readonly expiresAt: number;
  /** How often a device that can should fetch a new one. */
  readonly timeToLiveSeconds: number;
  /** One bit a certificate, least significant first; 1 is withdrawn. Length in bytes = certificates / 8, rounded up. */
  readonly bits: Uint8Array;
};

const isUri = (text: string): text is string => /^[a-z][a-z0-9+.-]*:[\x21-\x7e]+$/.test(text);

type Compression = { readonly bits: Uint8Array; readonly compressed: Uint8Array };
/** A list is signed and read anew all the time, mostly with the bits that it had before. Nobody writes into what was read. */
let written: Compression | undefined;
let read: Compression | undefined;

function compress(bits: Uint8Array): Uint8Array {
  if (written === undefined || !sameBytes(written.bits, bits))
    written = { bits: new Uint8Array(bits), compressed: zlibSync(bits, { level: 9 }) };
  return written.compressed;
}

function inflate(compressed: Uint8Array): Uint8Array {
  if (read === undefined || !sameBytes(read.compressed, compressed))
    read = {
      bits: inflateZlib(compressed, MAXIMUM_STATUS_LIST_INFLATED_BYTES),
      compressed: new Uint8Array(compressed),
    };
  return read.bits;
}

/** The `StatusList` map of the standard. Its two keys are text, the only text keys in all of Cairn. */
const compressedBits: Codec<Uint8Array> = {
  write: (bits, name) => {
    if (!(bits instanceof Uint8Array)) throw new MessageError("MESSAGE_FIELD_INVALID", `${name}: must be bytes`);
    if (bits.length > MAXIMUM_STATUS_LIST_INFLATED_BYTES) throw new MessageError("MESSAGE_TOO_LARGE", name);
    return new Map<string, CborValue>([
      ["bits", 1],
      ["lst", compress(bits)],
    ]);
  },
  read: (cursor, name) => {
    const value = readValue(cursor);
    const compressed =
      value instanceof Map && value.size === 2 && value.get("bits") === 1 ? value.get("lst") : undefined;
    if (!(compressed instanceof Uint8Array))
      throw new MessageError("MESSAGE_FIELD_INVALID", `${name}: one bit a certificate`);
    return inflate(compressed);
  },
};

export const statusList: MessageKind<StatusList> = defineMessage({
  name: "status-list",
  form: { context: "", tagged: true },
  type: "application/statuslist+cwt",
  maximumBytes: MAXIMUM_STATUS_LIST_BYTES,
  keyId: { name: "issuerKeyId", codec: bytesId<KeyId>(IDENTIFIER_BYTES.keyId) },
  fields: {
    uri: required(LABEL.subject, formedText(isUri, MAXIMUM_URL_BYTES)),
    expiresAt: required(LABEL.expiresAt, timeSeconds),
    issuedAt: required(LABEL.issuedAt, timeSeconds),
    bits: required(LABEL.statusList, compressedBits),
    timeToLiveSeconds: required(LABEL.timeToLive, durationSeconds),
  },
  check: ({ issuedAt, expiresAt }) => {
    if (expiresAt <= issuedAt) throw new MessageError("MESSAGE_INCONSISTENT", "expires before it begins");
  },
});

/**
 * The bits of a list in which the given indices are withdrawn. `size` is the number of certificates it covers.
 * @throws RangeError for an index outside the list: a withdrawal must never get lost in silence.
 */
export function statusBits(input: { readonly size: number; readonly revoked: Iterable<number> }): Uint8Array {
  const bits = new Uint8Array(Math.ceil(input.size / 8));
  for (const index of input.revoked) {
    if (!Number.isInteger(index) || index < 0 || index >= input.size)
      throw new RangeError(`Index ${index} is outside a list of ${input.size}.`);
    const at = Math.floor(index / 8);
    bits[at] = (bits[at] ?? 0) | (1 << (index & 7));
  }
  return bits;
}

/** A certificate newer than the list is beyond its end and not withdrawn as far as the list knows. */
export function isRevoked(list: StatusList, statusIndex: number): boolean {
  const byte = list.bits[Math.floor(statusIndex / 8)];
  return byte !== undefined && ((byte >> (statusIndex & 7)) & 1) === 1;
}

/** Whether a list is older than the one held and tells nothing else: it takes nothing back, and is no news. */
export function isOlderCopy(
  { content }: Verified<StatusList>,
  held: Verified<StatusList> | undefined,
): held is Verified<StatusList> {
  return held !== undefined && content.issuedAt < held.content.issuedAt && sameBytes(content.bits, held.content.bits);
}

/** Whether a newly fetched list may replace the one held. */
export function refuseStatusList(
  offered: Verified<StatusList>,
  against: { readonly held: Verified<StatusList> | undefined; readonly now: number },
): Refusal | undefined {
  const { held, now } = against;
  if (held !== undefined && offered.content.issuedAt < held.content.issuedAt) return refusal("STATUS_LIST_ROLLBACK");
  if (offered.content.expiresAt < now) return refusal("STATUS_LIST_STALE");
  return undefined;
}
