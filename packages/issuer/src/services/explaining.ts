import {
  type AccountNumber,
  type CertificateView,
  type DeviceView,
  explainIssuance,
  exposureOf,
  holdOf,
  type IssuanceExplanation,
  type IssuingPolicy,
} from "@cairn/issue";
import type { DeviceId, KeyProtection } from "@cairn/messages";
import type { AccountRecord, CertificateRecord } from "@cairn/stores";
import { fingerprintOf, type PolicyInForce } from "../policy/policy-source.ts";
import { stateOf } from "./certificate-life.ts";
import type { ServerContext } from "./server-context.ts";
import { ServiceError } from "./service-error.ts";

export type Question = {
  readonly account: AccountNumber;
  /** Default: every device of the account that is not blocked; without any, one that does not exist yet. */
  readonly deviceId: DeviceId | undefined;
  /** As if the key were guarded like this. */
  readonly protection: KeyProtection | undefined;
  /** As if the device asked for a certificate ahead. */
  readonly ahead: boolean;
  /** Default: the one in force. */
  readonly policy: IssuingPolicy | undefined;
};

export type Answer = {
  readonly account: AccountRecord;
  readonly inForce: PolicyInForce;
  /** What every open certificate of the account counts, whichever device holds it. */
  readonly open: readonly OpenCertificate[];
  readonly devices: readonly { readonly device: DeviceView; readonly explanation: IssuanceExplanation }[];
};
export type OpenCertificate = {
  readonly certificate: CertificateView;
  readonly state: ReturnType<typeof stateOf>;
  readonly exposureMinor: bigint;
  readonly heldMinor: bigint;
};

/** Of an account without devices: how its first one would fare. */
const NOBODY_YET = "0000000000000000" as DeviceId;

/**
 * A dry run: what a device that is online would be given now, and why. Nothing is issued, written or asked of the
 * operator's own systems. @throws ServiceError ACCOUNT_UNKNOWN, DEVICE_UNKNOWN
 */
export async function explain(question: Question, context: ServerContext): Promise<Answer> {
  const { store, clock, policies } = context;
  const now = clock.nowSeconds();
  const account = await store.account(question.account);
  if (account === undefined) throw new ServiceError("ACCOUNT_UNKNOWN");
  const certificates = await store.certificatesOf(question.account);
  const inForce =
    question.policy === undefined
      ? policies.at(now)
      : { policy: question.policy, fingerprint: fingerprintOf(question.policy) };
  const { policy } = inForce;
  const event = question.ahead ? ({ kind: "requested-ahead" } as const) : ({ kind: "device-online" } as const);
  return {
    account,
    inForce,
    open: openOf(certificates, policy, now),
    devices: (await devicesAsked(question, context)).map((device) => ({
      device,
      explanation: explainIssuance({ view: { account, device, certificates }, event, policy, now }),
    })),
  };
}

async function devicesAsked(
  { account, deviceId, protection }: Question,
  { store, clock }: ServerContext,
): Promise<readonly DeviceView[]> {
  const all = await store.devicesOf(account);
  const named = all.find((device) => device.deviceId === deviceId);
  if (deviceId !== undefined && named === undefined) throw new ServiceError("DEVICE_UNKNOWN");
  const asked: readonly DeviceView[] = named === undefined ? all.filter(({ status }) => status === "active") : [named];
  const first: DeviceView = {
    deviceId: NOBODY_YET,
    status: "active",
    protection: 2,
    replacesDeviceId: undefined,
    enrolledAt: clock.nowSeconds(),
  };
  return (asked.length > 0 ? asked : [first]).map((device) =>
    protection === undefined ? device : { ...device, protection },
  );
}

function openOf(
  certificates: readonly CertificateRecord[],
  policy: IssuingPolicy,
  now: number,
): readonly OpenCertificate[] {
  return certificates
    .map((certificate) => ({
      certificate,
      state: stateOf(certificate, policy, now),
      exposureMinor: exposureOf(certificate, policy, now),
      heldMinor: holdOf(certificate, policy, now),
    }))
    .filter(({ exposureMinor }) => exposureMinor > 0n);
}
