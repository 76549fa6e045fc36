import type { IssuanceCause, IssuanceDecision, IssuingRefusalCode } from "@cairn/issue";
import {
  type CertificateId,
  isClosingRecord,
  MessageError,
  type MessageId,
  readSyncRecord,
  splitRecords,
} from "@cairn/messages";
import type { AccountRecord, CertificateRecord, DeviceRecord, InboxRecord } from "@cairn/stores";
import type { PaymentOutcomeText } from "../api/device-api.ts";
import type { RecordFault } from "../settlement/record-codes.ts";
import { deviceCaller } from "./callers.ts";
import { recordClosing } from "./closings.ts";
import { takeIn } from "./intake.ts";
import { finishSigning, type Issued, issueCertificate } from "./issuing.ts";
import { outcomeText } from "./outcomes.ts";
import type { ServerContext } from "./server-context.ts";
import { asMalformed, openCall } from "./signed-calls.ts";

export type SyncWishes = {
  readonly ahead: boolean;
  readonly holds: readonly CertificateId[];
  /**
   * The date of the status list that the wallet took home last, seconds since 1970: what was decided well before then it
   * has heard. Left out: it hears of everything.
   */
  readonly since?: number | undefined;
  /** What made the server look; a sync when it is left out. */
  readonly cause?: IssuanceCause;
};
export type RecordReply = { readonly paymentId: MessageId | undefined; readonly fault: RecordFault | undefined };
export type SyncResult = {
  readonly account: AccountRecord;
  readonly decision: IssuanceDecision;
  readonly certificate: Issued | undefined;
  readonly records: readonly RecordReply[];
  readonly payments: readonly PaymentOutcomeText[];
};

/**
 * A wallet comes home: its payments are kept for settlement, its closings count at once, then the server decides
 * whether it gets a new certificate, and tells what became of earlier payments.
 * @throws ServiceError CALL_MALFORMED, NONCE_INVALID, CALLER_UNKNOWN, CALL_SIGNATURE_INVALID, CALLER_FROZEN, INBOX_FULL
 */
export async function syncDevice(body: Uint8Array, wishes: SyncWishes, context: ServerContext): Promise<SyncResult> {
  const call = openCall("sync", body, context);
  const device = await deviceCaller(call, context);
  const records = asMalformed(() => splitRecords(call.content));
  const replies = await keepRecords(records, device, context);
  const brought = new Set<MessageId>();
  for (const { paymentId } of replies) if (paymentId !== undefined) brought.add(paymentId);
  // Whoever heard that a payment to them is settled finds the money in the account.
  await context.credits.caughtUp();
  return { ...(await answerDevice(device, { ...wishes, brought }, context)), records: replies };
}

/**
 * What a device that is online is told: a certificate or why there is none, its account, what became of its payments.
 * Of those that it has brought in this very call, `brought`, it hears whenever they were decided.
 */
export async function answerDevice(
  device: DeviceRecord,
  wishes: SyncWishes & { readonly brought?: ReadonlySet<MessageId> },
  context: ServerContext,
): Promise<SyncResult> {
  await context.sources.refresh(device.account);
  const event = wishes.ahead
    ? ({ kind: "requested-ahead" } as const)
    : ({ kind: "device-online", cause: wishes.cause ?? "sync" } as const);
  const { decision, account, issued, ...decidedOn } = await issueCertificate(device, event, context);
  // Under one that has just been issued nothing was paid yet.
  const certificates = decidedOn.certificates.filter(({ deviceId }) => deviceId === device.deviceId);
  return {
    account,
    decision,
    certificate:
      issued ?? (mayRedeliver(account, decision) ? await redeliver(certificates, wishes, context) : undefined),
    records: [],
    payments: await paymentsOf(certificates, wishes, context),
  };
}

/** Payments first, so that they are durable before a closing is acted upon. */
async function keepRecords(
  records: readonly Uint8Array[],
  device: DeviceRecord,
  context: ServerContext,
): Promise<readonly RecordReply[]> {
  const receivedAt = context.clock.nowSeconds();
  const sender = { kind: "payer", account: device.account } as const;
  const rows: InboxRecord[] = [];
  const closings: { readonly index: number; readonly bytes: Uint8Array }[] = [];
  const replies: RecordReply[] = [];
  for (const [index, bytes] of records.entries()) {
    const closing = closingIn(bytes);
    if (closing !== undefined) {
      closings.push({ index, bytes: closing });
      replies.push({ paymentId: undefined, fault: undefined });
    } else {
      const { row, fault } = takeIn(bytes, { sender, senderId: device.deviceId, receivedAt }, context);
      rows.push(row);
      replies.push({ paymentId: row.paymentId, fault });
    }
  }
  if (rows.length > 0) {
    await context.inboxLimit.admit(rows.length);
    await context.store.receive(rows);
    context.wakeWorker();
  }
  for (const { index, bytes } of closings) {
    const fault = await recordClosing(bytes, { device, closedAt: receivedAt }, context);
    replies[index] = { paymentId: undefined, fault };
  }
  return replies;
}

function closingIn(bytes: Uint8Array): Uint8Array | undefined {
  if (!isClosingRecord(bytes)) return undefined;
  try {
    const record = readSyncRecord(bytes);
    return record.kind === "closing" ? record.closing : undefined;
  } catch (error) {
    if (error instanceof MessageError) return undefined;
    throw error;
  }
}

/** Want of room says nothing against a certificate that was issued before, and may be what takes the room. */
const WANT_OF_ROOM: readonly IssuingRefusalCode[] = ["EXPOSURE_AT_CAP", "DAILY_CAP_REACHED"];

/** Not to an account that would be refused a new one for what it is, whatever came between issuing and delivering. */
function mayRedeliver({ status, unresolvedConflicts }: AccountRecord, decision: IssuanceDecision): boolean {
  if (status !== "active" || unresolvedConflicts > 0) return false;
  return (
    decision.kind === "none" ||
    (decision.kind === "refuse" && decision.reasons.every(({ code }) => WANT_OF_ROOM.includes(code)))
  );
}

/** The device's newest certificate that can still be used, when the wallet does not have it: an answer was lost. */
async function redeliver(
  certificates: readonly CertificateRecord[],
  { holds }: SyncWishes,
  context: ServerContext,
): Promise<Issued | undefined> {
  const now = context.clock.nowSeconds();
  const newest = certificates
    .filter(({ closing, revokedAt, expiresAt }) => closing === undefined && revokedAt === undefined && expiresAt > now)
    .reduce<CertificateRecord | undefined>(
      (best, other) => (best === undefined || other.serial > best.serial ? other : best),
      undefined,
    );
  if (newest === undefined || holds.includes(newest.certificateId)) return undefined;
  return { certificateId: newest.certificateId, bytes: await finishSigning(newest, context) };
}

/** Certificates whose payments a wallet still hears of: the newest few, which are those that it still has. */
const REPORTED_CERTIFICATES = 8;
/** A list is some minutes old when it is taken home, and another program's clock and transaction take some time. */
const HEARD_SLACK_SECONDS = 3_600;

async function paymentsOf(
  certificates: readonly CertificateRecord[],
  { since, brought }: { readonly since?: number | undefined; readonly brought?: ReadonlySet<MessageId> },
  { store }: ServerContext,
): Promise<readonly PaymentOutcomeText[]> {
  const heardUntil = since === undefined ? 0 : since - HEARD_SLACK_SECONDS;
  const newest = certificates.toSorted((left, right) => right.serial - left.serial).slice(0, REPORTED_CERTIFICATES);
  const payments: PaymentOutcomeText[] = [];
  for (const { certificateId } of newest) {
    for (const outcome of await store.outcomesOfCertificate(certificateId))
      if (outcome.decidedAt >= heardUntil || brought?.has(outcome.paymentId) === true)
        payments.push(outcomeText(outcome));
  }
  return payments;
}
