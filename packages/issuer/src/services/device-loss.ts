import { type CborValue, decodeCbor } from "@cairn/cose";
import { type DeviceId, IDENTIFIER_BYTES, identifier, MessageError } from "@cairn/messages";
import type { DeviceRecord } from "@cairn/stores";
import { deviceCaller } from "./callers.ts";
import { blockReceiving, unblockReceiving } from "./receiving.ts";
import type { ServerContext } from "./server-context.ts";
import { ServiceError } from "./service-error.ts";
import { asMalformed, openCall } from "./signed-calls.ts";

/** Stored with each certificate that a loss withdraws, so that finding the device gives back exactly those. */
const LOSS_REASON = "Device reported lost.";
const REPLACEMENT_REASON = "Device replaced by another one.";

export type WithdrawalContext = Pick<ServerContext, "store" | "clock" | "statusLists" | "log" | "push">;

/**
 * A device is lost: it is blocked, as is the key that it receives with, gets no certificate, and all that it holds are withdrawn. Their unspent part counts
 * as exposure until the upload deadline, because terminals that are offline cannot know. Twice changes nothing more.
 * Gives how many certificates were withdrawn. @throws ServiceError DEVICE_UNKNOWN
 */
export async function reportLoss(deviceId: DeviceId, context: WithdrawalContext): Promise<number> {
  return withdrawDevice(deviceId, LOSS_REASON, context);
}

/** A new key took the device's place: the old one is done with, in the same way as a lost one. Twice changes nothing more. */
export async function retireDevice(deviceId: DeviceId, context: WithdrawalContext): Promise<number> {
  return withdrawDevice(deviceId, REPLACEMENT_REASON, context);
}

async function withdrawDevice(deviceId: DeviceId, reason: string, context: WithdrawalContext): Promise<number> {
  const { store, clock, statusLists, log } = context;
  const device = await known(deviceId, context);
  const now = clock.nowSeconds();
  // Blocked first: no certificate can be issued to it between looking and withdrawing.
  await store.setDeviceStatus(deviceId, "frozen");
  await blockReceiving(device, { isLoss: reason === LOSS_REASON }, context);
  let withdrawn = 0;
  for (const { certificateId, deviceId: holder, revokedAt } of await store.certificatesOf(device.account)) {
    if (holder !== deviceId || revokedAt !== undefined) continue;
    if ((await store.revokeCertificate(certificateId, now, reason)) === "revoked") withdrawn++;
  }
  statusLists.markChanged();
  log.info({ deviceId, withdrawn, reason }, "device withdrawn");
  context.push.accountChanged(device.account, "certificate-changed");
  return withdrawn;
}

/**
 * It was found, or never lost: the device may call again, the keys to receive with that its loss blocked as well, and certificates that its loss withdrew are good again where
 * no conflict speaks against its key. Gives how many. @throws ServiceError DEVICE_UNKNOWN
 */
export async function reportFound(deviceId: DeviceId, context: ServerContext): Promise<number> {
  const { store, clock, statusLists, log } = context;
  const device = await known(deviceId, context);
  const now = clock.nowSeconds();
  await store.setDeviceStatus(deviceId, "active");
  await unblockReceiving(device, context);
  let restored = 0;
  for (const { certificateId, deviceId: holder, revocationReason } of await store.certificatesOf(device.account)) {
    if (holder !== deviceId || revocationReason !== LOSS_REASON) continue;
    if ((await store.restoreCertificate(certificateId, now)) === "restored") restored++;
  }
  statusLists.markChanged();
  log.info({ deviceId, restored }, "device found");
  context.push.accountChanged(device.account, "certificate-changed");
  return restored;
}

/**
 * The account's own devices, as one of them asks.
 * @throws ServiceError CALL_MALFORMED, NONCE_INVALID, CALLER_UNKNOWN, CALL_SIGNATURE_INVALID, CALLER_FROZEN
 */
export async function tellDevices(
  body: Uint8Array,
  context: ServerContext,
): Promise<{ readonly caller: DeviceRecord; readonly devices: readonly DeviceRecord[] }> {
  const call = openCall("devices", body, context);
  const caller = await deviceCaller(call, context);
  if (call.content.length > 0) throw new ServiceError("CALL_MALFORMED", "BUNDLE_MALFORMED");
  return { caller, devices: await context.store.devicesOf(caller.account) };
}

/**
 * One device of an account reports another one of it lost. What names no device of the account is DEVICE_UNKNOWN, so
 * that nobody learns of other accounts' devices.
 * @throws ServiceError as `tellDevices`, DEVICE_UNKNOWN
 */
export async function takeLossReport(body: Uint8Array, context: ServerContext): Promise<number> {
  const call = openCall("loss", body, context);
  const caller = await deviceCaller(call, context);
  const deviceId = asMalformed(() => readDeviceId(decodeCbor(call.content)));
  const lost = await context.store.device(deviceId);
  if (lost?.account !== caller.account) throw new ServiceError("DEVICE_UNKNOWN");
  return reportLoss(deviceId, context);
}

function readDeviceId(value: CborValue): DeviceId {
  if (!(value instanceof Uint8Array) || value.length !== IDENTIFIER_BYTES.deviceId)
    throw new MessageError("MESSAGE_FIELD_INVALID", "device id");
  return identifier<DeviceId>(value, IDENTIFIER_BYTES.deviceId);
}

async function known(deviceId: DeviceId, { store }: Pick<ServerContext, "store">): Promise<DeviceRecord> {
  const device = await store.device(deviceId);
  if (device === undefined) throw new ServiceError("DEVICE_UNKNOWN");
  return device;
}
