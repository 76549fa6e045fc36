import { type CryptoPort, newBytes, type Signer, splitCborSequence } from "@cairn/cose";
import { MAXIMUM_BODY_BYTES } from "./bounds.ts";
import { digestText } from "./digest-text.ts";
import { bytesId, required, timeSeconds } from "./fields.ts";
import {
  type ContentHash,
  type DeviceId,
  IDENTIFIER_BYTES,
  type MessageId,
  type ServerNonce,
  shorten,
  type TerminalId,
} from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { type Decoded, decodeMessage, defineMessage, type MessageKind, signMessage } from "./message.ts";
import { MessageError } from "./message-error.ts";

/**
 * The envelope around every call of a device to a server: signed by the caller's key over the server's nonce and the
 * hash of what follows. Who steals a call cannot repeat it, alter it or make it theirs. Spec: messages.md "Signed calls".
 */
export type SignedCall = {
  /** First 8 bytes of the thumbprint of the caller's key (header `kid`). */
  readonly callerId: DeviceId | TerminalId;
  readonly nonce: ServerNonce;
  readonly contentHash: ContentHash;
  readonly issuedAt: number;
};

export type CallPurpose =
  | "enrolment"
  | "upload"
  | "sync"
  | "outcomes"
  | "devices"
  | "loss"
  | "events"
  | "receiving"
  | "refund";

const callKind = (purpose: CallPurpose): MessageKind<SignedCall> =>
  defineMessage({
    name: `call-${purpose}`,
    keyId: { name: "callerId", codec: bytesId<DeviceId | TerminalId>(IDENTIFIER_BYTES.deviceId) },
    fields: {
      issuedAt: required(LABEL.issuedAt, timeSeconds),
      nonce: required(LABEL.nonce, bytesId<ServerNonce>(IDENTIFIER_BYTES.serverNonce)),
      contentHash: required(LABEL.contentHash, bytesId<ContentHash>(IDENTIFIER_BYTES.contentHash)),
    },
  });

export const signedCall: { readonly [Purpose in CallPurpose]: MessageKind<SignedCall> } = {
  enrolment: callKind("enrolment"),
  upload: callKind("upload"),
  sync: callKind("sync"),
  outcomes: callKind("outcomes"),
  devices: callKind("devices"),
  loss: callKind("loss"),
  events: callKind("events"),
  receiving: callKind("receiving"),
  refund: callKind("refund"),
};

/** The body of an HTTP call: the envelope, then its content, as one CBOR sequence (RFC 8742). */
export async function writeSignedCall(
  purpose: CallPurpose,
  call: {
    readonly callerId: DeviceId | TerminalId;
    readonly nonce: ServerNonce;
    readonly content: Uint8Array;
    readonly issuedAt: number;
  },
  by: { readonly signer: Signer; readonly crypto: CryptoPort },
): Promise<Uint8Array> {
  const { callerId, nonce, content, issuedAt } = call;
  const contentHash = contentHashOf(content, by.crypto);
  const envelope = await signMessage(signedCall[purpose], { callerId, nonce, contentHash, issuedAt }, by);
  const body = newBytes(envelope.bytes.length + content.length);
  body.set(envelope.bytes);
  body.set(content, envelope.bytes.length);
  return body;
}

/**
 * Splits a body into its envelope and the content, and checks that the one names the other. The envelope's signature
 * and nonce are still to be checked.
 * @throws CodedError on anything malformed; MessageError MESSAGE_INCONSISTENT when the content is not the one signed.
 */
export function readSignedCall(
  purpose: CallPurpose,
  body: Uint8Array,
  crypto: CryptoPort,
): { readonly envelope: Decoded<SignedCall>; readonly content: Uint8Array } {
  if (body.length > MAXIMUM_BODY_BYTES) throw new MessageError("MESSAGE_TOO_LARGE", `call of ${body.length} bytes`);
  const first = firstItem(body);
  const envelope = decodeMessage(signedCall[purpose], first, crypto);
  const content = body.subarray(first.length);
  if (contentHashOf(content, crypto) !== envelope.unverified.contentHash) {
    throw new MessageError("MESSAGE_INCONSISTENT", "the content is not the one that was signed");
  }
  return { envelope, content };
}

/**
 * The nonce of a portion that follows another one of the same stream: it names that one, so a stream is one chain whose
 * first link bears a nonce of the server. Spec: messages.md "Upload streams".
 * @param previous Message id of the envelope before it.
 */
export const followingNonce = (previous: MessageId): ServerNonce =>
  shorten<ServerNonce>(previous, IDENTIFIER_BYTES.serverNonce);

function firstItem(body: Uint8Array): Uint8Array {
  for (const item of splitCborSequence(body)) return item;
  throw new MessageError("BUNDLE_MALFORMED", "an empty call");
}

function contentHashOf(content: Uint8Array, crypto: CryptoPort): ContentHash {
  return digestText(content, crypto) as ContentHash;
}
