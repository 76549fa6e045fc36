import { CodedError, type CryptoPort, type P256PublicKey } from "@cairn/cose";
import {
  type CallPurpose,
  type Decoded,
  type DeviceId,
  followingNonce,
  isRefusal,
  readSignedCall,
  type SignedCall,
  type TerminalId,
  verifyUnder,
} from "@cairn/messages";
import type { IssuerStore } from "@cairn/stores";
import type { ClockWatch } from "../clock-watch.ts";
import type { Clock } from "../ports.ts";
import { nonceExpiry } from "./server-nonce.ts";
import { ServiceError } from "./service-error.ts";

export type CallContext = {
  readonly store: IssuerStore;
  readonly crypto: CryptoPort;
  readonly clock: Clock;
  readonly nonceSecret: Uint8Array;
  readonly clockWatch?: Pick<ClockWatch, "mayForget"> | undefined;
};

/** A call whose envelope is well-formed and names its content, with a nonce of ours; nobody knows yet who sent it. */
export type OpenedCall = {
  readonly callerId: DeviceId | TerminalId;
  readonly envelope: Decoded<SignedCall>;
  /** Undefined: the nonce follows from the portion before it, so there is none to remember. */
  readonly nonceExpiresAt: number | undefined;
  readonly content: Uint8Array;
};

/** @throws ServiceError CALL_MALFORMED, NONCE_INVALID */
export function openCall(purpose: CallPurpose, body: Uint8Array, context: CallContext): OpenedCall {
  const { envelope, content } = readCall(purpose, body, context.crypto);
  const { nonce, callerId } = envelope.unverified;
  const { clock, crypto, nonceSecret: secret } = context;
  const nonceExpiresAt = nonceExpiry(nonce, { now: clock.nowSeconds(), secret, crypto });
  if (nonceExpiresAt === undefined) throw new ServiceError("NONCE_INVALID");
  return { callerId, envelope, nonceExpiresAt, content };
}

/**
 * A further portion of a stream: by the same caller, and bound to the portion before it, so that it is worth nothing
 * outside this connection, in another order or a second time.
 * @throws ServiceError CALL_MALFORMED, NONCE_INVALID
 */
export function openFollowing(
  previous: OpenedCall,
  body: Uint8Array,
  context: Pick<CallContext, "crypto">,
): OpenedCall {
  const { envelope, content } = readCall("upload", body, context.crypto);
  const { nonce, callerId } = envelope.unverified;
  if (callerId !== previous.callerId || nonce !== followingNonce(previous.envelope.messageId))
    throw new ServiceError("NONCE_INVALID", "not the portion that follows");
  return { callerId, envelope, nonceExpiresAt: undefined, content };
}

/**
 * Checks the caller's signature and uses the nonce up, in this order, so that nobody can spend another's nonce.
 * @throws ServiceError CALL_SIGNATURE_INVALID, NONCE_INVALID
 */
export async function authenticate(call: OpenedCall, key: P256PublicKey, context: CallContext): Promise<void> {
  if (isRefusal(await verifyUnder(call.envelope, key, context.crypto)))
    throw new ServiceError("CALL_SIGNATURE_INVALID");
  const { envelope, nonceExpiresAt } = call;
  if (nonceExpiresAt === undefined) return;
  const now = context.clock.nowSeconds();
  const mayForget = context.clockWatch?.mayForget;
  if (!(await context.store.useNonce(envelope.unverified.nonce, nonceExpiresAt, now, mayForget)))
    throw new ServiceError("NONCE_INVALID");
}

function readCall(purpose: CallPurpose, body: Uint8Array, crypto: CryptoPort) {
  return asMalformed(() => readSignedCall(purpose, body, crypto));
}

/** Runs a strict reader on what a caller sent; its coded errors become CALL_MALFORMED, with their code as the detail. */
export function asMalformed<Value>(read: () => Value): Value {
  try {
    return read();
  } catch (error) {
    if (error instanceof CodedError) throw new ServiceError("CALL_MALFORMED", error.code, { cause: error });
    throw error;
  }
}
