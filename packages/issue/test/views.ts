import {
  type AccountView,
  accountNumber,
  type CertificateView,
  type DeviceView,
  type IssuanceEvent,
  type IssuingView,
} from "@cairn/issue";
import { type CertificateId, currency, type DeviceId, identifier } from "@cairn/messages";

export const NOW = 1_800_000_000;
export const DAY = 86_400;
export const EUR = currency("EUR");
export const ONLINE: IssuanceEvent = { kind: "device-online" };
export const AHEAD: IssuanceEvent = { kind: "requested-ahead" };

export const deviceId = (number: number): DeviceId => identifier<DeviceId>(new Uint8Array(8).fill(number), 8);
export const certificateId = (number: number): CertificateId => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setUint32(12, number);
  return identifier<CertificateId>(bytes, 16);
};

/** 1,000.00 of balance and 400.00 of free credit at score B: an allowance of 960.00 under the defaults. */
export function anAccount(
  changes: Partial<AccountView> = {},
  credit: Partial<AccountView["credit"]> = {},
): AccountView {
  return {
    account: accountNumber(7),
    status: "active",
    currency: EUR,
    balanceMinor: 100_000n,
    unresolvedConflicts: 0,
    ...changes,
    credit: {
      lineMinor: 50_000n,
      usedMinor: 10_000n,
      overdueMinor: 0n,
      dues: [],
      scoreBand: "B",
      informedAt: NOW - 3_600,
      ...credit,
    },
  };
}

export function aDevice(changes: Partial<DeviceView> = {}): DeviceView {
  return {
    deviceId: deviceId(1),
    status: "active",
    protection: 2,
    replacesDeviceId: undefined,
    enrolledAt: NOW - 30 * DAY,
    ...changes,
  };
}

/** Of device 1: half used, well within its validity, issued on the allowance that the account still has. */
export function aCertificate(changes: Partial<CertificateView> = {}): CertificateView {
  return {
    certificateId: certificateId(1),
    deviceId: deviceId(1),
    issuedAt: NOW - 2 * DAY,
    expiresAt: NOW + 8 * DAY,
    limitMinor: 20_000n,
    allowanceMinor: 96_000n,
    protection: 2,
    heldMinor: 20_000n,
    issuedAhead: false,
    settledMinor: 10_000n,
    releasedMinor: 0n,
    revokedAt: undefined,
    restoredAt: undefined,
    closing: undefined,
    ...changes,
  };
}

export function aView(changes: Partial<IssuingView> = {}): IssuingView {
  return { account: anAccount(), device: aDevice(), certificates: [], ...changes };
}

export function aClosing(spentMinor: bigint): { sequence: number; spentMinor: bigint; closedAt: number } {
  return { sequence: 1, spentMinor, closedAt: NOW - 60 };
}
