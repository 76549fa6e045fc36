import { type AccountNumber, partitionOf } from "@cairn/issue";
import {
  type CertificateId,
  chainHashOf,
  currency,
  type DeviceId,
  encodeSyncRecord,
  encodeUploadRecord,
  type MessageId,
  type PayeeCertificateId,
  type PayeeId,
  type RequestHash,
  type TerminalId,
} from "@cairn/messages";
import { type SettlementItem, type SettlementOutcome, settle } from "@cairn/settle";
import type { InboxRecord, IssuerStore, PreparedCertificate } from "@cairn/stores";

/** A small issuer's world for the store's tests: identifiers of the right form, accounts with money, payments to settle. */

export const NOW = 1_800_000_000;
export const DAY = 86_400;
export const EUR = currency("EUR");
export const POLICY = { uploadDeadlineSeconds: 7 * DAY };

const hex = (number: number, bytes: number): string => number.toString(16).padStart(bytes * 2, "0");
export const certificateId = (number: number): CertificateId => hex(number, 16) as CertificateId;
export const messageId = (number: number): MessageId => hex(number, 8).padEnd(64, "0") as MessageId;
export const deviceId = (number: number): DeviceId => hex(0xde00_0000 + number, 8) as DeviceId;
export const terminalId = (number: number): TerminalId => hex(0x7e00_0000 + number, 8) as TerminalId;
export const payeeCertificateId = (number: number): PayeeCertificateId => hex(number, 8) as PayeeCertificateId;
export const payeeId = (number: number): PayeeId => `SHOP-${number}` as PayeeId;
export const requestHash = (number: number): RequestHash => hex(number, 16) as RequestHash;
export const someBytes = (number: number): Uint8Array => Uint8Array.of(number >> 16, number >> 8, number);

export const aPayee = (number: number) => ({
  payeeId: payeeId(number),
  name: `Shop ${number}`,
  currency: EUR,
  perPaymentCapMinor: 5_000n,
  storedTotalCapMinor: 50_000n,
  perCertificateCapMinor: 20_000n,
  maximumOfflineSeconds: 3 * DAY,
  createdAt: NOW,
});

export type AccountSetup = { readonly balanceMinor?: bigint; readonly lineMinor?: bigint };

/** An account with its money, an enrolled device (of the account's number) and nothing else. */
export async function openAccount(
  store: IssuerStore,
  { balanceMinor = 10_000n, lineMinor = 0n }: AccountSetup = {},
): Promise<AccountNumber> {
  const account = await store.createAccount({ name: "Ada", currency: EUR, createdAt: NOW });
  const credit = { lineMinor, overdueMinor: 0n, scoreBand: "B", informedAt: NOW } as const;
  await store.setCredit(account, credit);
  if (balanceMinor > 0n) await store.topUp({ account, amountMinor: balanceMinor, idempotencyKey: "opening", at: NOW });
  await enrolDevice(store, account, account);
  return account;
}

export async function enrolDevice(store: IssuerStore, account: AccountNumber, number: number) {
  const codeHash = `device code ${number}`;
  await store.createEnrolmentCode({ codeHash, for: { account }, expiresAt: NOW + DAY });
  const device = { deviceId: deviceId(number), publicKey: someBytes(number), protection: 2, label: "phone" } as const;
  return store.enrolDevice({ codeHash, ...device, at: NOW });
}

export async function enrolTerminal(store: IssuerStore, shop: number, number: number) {
  await store.createPayee(aPayee(shop));
  const codeHash = `terminal code ${number}`;
  await store.createEnrolmentCode({ codeHash, for: { payeeId: payeeId(shop) }, expiresAt: NOW + DAY });
  const terminal = { terminalId: terminalId(number), publicKey: someBytes(number), label: "till" };
  return store.enrolTerminal({ codeHash, ...terminal, at: NOW });
}

/** Prepares a certificate for the account's own device. */
export async function issue(
  store: IssuerStore,
  account: AccountNumber,
  changes: Partial<PreparedCertificate> = {},
): Promise<CertificateId> {
  return store.prepareCertificate(account, deviceId(account), (view) => {
    const prepared = {
      certificateId: certificateId(account * 1_000 + view.nextSerial),
      serial: view.nextSerial,
      statusIndex: view.statusIndex,
      deviceId: view.device.deviceId,
      messageId: messageId(account * 1_000 + view.nextSerial),
      toBeSigned: someBytes(1),
      limitMinor: 5_000n,
      perPaymentCapMinor: 5_000n,
      allowanceMinor: 8_000n,
      heldMinor: 4_000n,
      issuedAhead: false,
      protection: view.device.protection,
      issuedAt: NOW,
      expiresAt: NOW + DAY,
      explanation: '{"because":"of a test"}',
      ...changes,
    };
    return { result: prepared.certificateId, prepared };
  });
}

/** An account with a certificate under which payments can be settled. */
export async function openPayer(store: IssuerStore, setup: AccountSetup = {}) {
  const account = await openAccount(store, setup);
  return { account, certificate: await issue(store, account), partition: partitionOf(account) };
}

export type Payer = Awaited<ReturnType<typeof openPayer>>;

/** The number-th payment of a certificate that pays 10.00 each time, accepted by till 1 of shop 1. */
export function aPayment(payer: Payer, number = 1, changes: Partial<SettlementItem> = {}): SettlementItem {
  const id = (step: number): MessageId => messageId(payer.account * 0x10000 + step);
  const amountMinor = changes.amountMinor ?? 1_000n;
  return {
    inboxId: 0,
    paymentId: id(number),
    kind: "payment",
    certificateId: payer.certificate,
    sequence: number,
    spentMinor: 1_000n * BigInt(number - 1) + amountMinor,
    amountMinor,
    previous: chainHashOf(id(number - 1)),
    requestHash: requestHash(payer.account * 0x10000 + number),
    receivedAt: NOW,
    broughtBy: "terminal",
    payeeWord: aWord({ takenMinor: amountMinor }),
    voided: false,
    refusal: undefined,
    ...changes,
  };
}

export function aWord(changes: Partial<NonNullable<SettlementItem["payeeWord"]>> = {}) {
  return {
    payeeId: payeeId(1),
    terminalId: terminalId(1),
    perCertificateCapMinor: 20_000n,
    maximumOfflineSeconds: 3 * DAY,
    acceptedAt: NOW,
    takenMinor: 1_000n,
    ...changes,
  };
}

export const payersCopy = (item: SettlementItem): SettlementItem => ({
  ...item,
  broughtBy: "payer",
  payeeWord: undefined,
});

/** What stands for a payment as its payer signed it. */
export const signedPayment = (paymentId: MessageId): Uint8Array => Buffer.from(paymentId.slice(0, 16), "hex");

/** A record that brings a payment, as its bringer encodes it; messages beside the payment are no messages. */
export function recordBytes(
  { paymentId, kind, broughtBy }: Pick<SettlementItem, "paymentId" | "kind" | "broughtBy">,
  certificate: Uint8Array = someBytes(1),
): Uint8Array {
  const [payment, payeeCertificate, word] = [signedPayment(paymentId), someBytes(2), someBytes(3)];
  if (broughtBy === "payer")
    return encodeSyncRecord(
      kind === "payment"
        ? { kind, certificate, payment, payeeCertificate, request: word, receipt: undefined, requestVoid: undefined }
        : { kind, certificate, payment, payeeCertificate: undefined, receipt: undefined },
    );
  return encodeUploadRecord(
    kind === "payment"
      ? { kind, payeeCertificate, request: word, certificate, payment }
      : { kind, payeeCertificate, capture: word, certificate, payment },
  );
}

let nextRecord = 1;
/** An inbox record that was never seen before, unless its hash is given. */
export function aRecord(payer: Pick<Payer, "partition">, changes: Partial<InboxRecord> = {}): InboxRecord {
  const number = nextRecord++;
  return {
    inboxId: 0,
    recordHash: hex(number, 32),
    partition: payer.partition,
    broughtBy: "terminal",
    senderId: terminalId(1),
    paymentId: undefined,
    bytes: someBytes(number),
    receivedAt: NOW,
    ...changes,
  };
}

/** Receives a record for each item, takes them and settles them: the way of an upload. All of one payer. */
export async function settleItems(
  store: IssuerStore,
  payer: Payer,
  items: readonly SettlementItem[],
  at: number = NOW,
): Promise<readonly SettlementOutcome[]> {
  const sent = items.map((item) => {
    const sender =
      item.broughtBy === "terminal" ? (item.payeeWord?.terminalId ?? terminalId(1)) : deviceId(payer.account);
    const { broughtBy, paymentId, receivedAt } = item;
    return aRecord(payer, { broughtBy, senderId: sender, paymentId, receivedAt, bytes: recordBytes(item) });
  });
  await store.receive(sent);
  const hashes = new Set(sent.map((record) => record.recordHash));
  const records = (await takeOf(store, payer.partition)).filter((record) => hashes.has(record.recordHash));
  if (records.length === 0) return [];
  const inboxIds = new Map(records.map((record) => [record.recordHash, record.inboxId]));
  const settled = items.map((item, index) => ({ ...item, inboxId: inboxIds.get(sent[index]?.recordHash ?? "") ?? 0 }));
  return store.settle({
    partition: payer.partition,
    records,
    items: settled,
    decide: (state, taken) => settle(state, taken, { now: at, policy: POLICY }),
    rejected: [],
    at,
  });
}

/** Everything that waits in one partition. What waits in others stays there. */
async function takeOf(store: IssuerStore, partition: number): Promise<readonly InboxRecord[]> {
  const except = new Set(Array.from({ length: 256 }, (_, other) => other).filter((other) => other !== partition));
  return (await store.takeBatch(10_000, { except }))?.records ?? [];
}
