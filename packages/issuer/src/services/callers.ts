import { decodePublicKey, type P256PublicKey } from "@cairn/cose";
import { type DeviceId, IDENTIFIER_BYTES, identifierFromText, type TerminalId } from "@cairn/messages";
import type { DeviceRecord, TerminalRecord } from "@cairn/stores";
import { ServiceError } from "./service-error.ts";
import { authenticate, type CallContext, type OpenedCall } from "./signed-calls.ts";

export type Caller =
  | { readonly kind: "device"; readonly device: DeviceRecord }
  | { readonly kind: "terminal"; readonly terminal: TerminalRecord };

/** The enrolled device that signed the call. A frozen account's device may call: it brings its payments home. */
export async function deviceCaller(call: OpenedCall, context: CallContext): Promise<DeviceRecord> {
  const caller = await authenticated(call, "device", context);
  if (caller.kind !== "device") throw new ServiceError("CALLER_UNKNOWN", "not a wallet device");
  return caller.device;
}

export async function terminalCaller(call: OpenedCall, context: CallContext): Promise<TerminalRecord> {
  const caller = await authenticated(call, "terminal", context);
  if (caller.kind !== "terminal") throw new ServiceError("CALLER_UNKNOWN", "not a terminal");
  return caller.terminal;
}

/** @throws ServiceError CALLER_UNKNOWN, CALL_SIGNATURE_INVALID, NONCE_INVALID, CALLER_FROZEN, in this order. */
export function anyCaller(call: OpenedCall, context: CallContext): Promise<Caller> {
  return authenticated(call, "terminal", context);
}

/** @param likely What it is looked for as first: a question of the store less when it is that. */
async function authenticated(call: OpenedCall, likely: Caller["kind"], context: CallContext): Promise<Caller> {
  const caller =
    (await findCaller(call, likely, context)) ??
    (await findCaller(call, likely === "device" ? "terminal" : "device", context));
  if (caller === undefined) throw new ServiceError("CALLER_UNKNOWN");
  const record = caller.kind === "device" ? caller.device : caller.terminal;
  await authenticate(call, storedKey(record.publicKey), context);
  if (record.status === "frozen") throw new ServiceError("CALLER_FROZEN");
  return caller;
}

/** Both kinds of id are the first bytes of a key's thumbprint; one key is enrolled as one or the other. */
async function findCaller(call: OpenedCall, kind: Caller["kind"], { store }: CallContext): Promise<Caller | undefined> {
  if (kind === "device") {
    const deviceId = identifierFromText<DeviceId>(call.callerId, IDENTIFIER_BYTES.deviceId);
    const device = deviceId === undefined ? undefined : await store.device(deviceId);
    return device === undefined ? undefined : { kind, device };
  }
  const terminalId = identifierFromText<TerminalId>(call.callerId, IDENTIFIER_BYTES.terminalId);
  const terminal = terminalId === undefined ? undefined : await store.terminal(terminalId);
  return terminal === undefined ? undefined : { kind, terminal };
}

/** A public key as the store keeps it: an encoded COSE_Key. */
export function storedKey(bytes: Uint8Array): P256PublicKey {
  return decodePublicKey(bytes);
}
