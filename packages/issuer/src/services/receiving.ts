import { type CborValue, decodeCbor } from "@cairn/cose";
import { type AccountNumber, partitionOf } from "@cairn/issue";
import {
  type DeviceId,
  IDENTIFIER_BYTES,
  identifier,
  identifierFromText,
  MAXIMUM_NAME_BYTES,
  MessageError,
  type PayeeId,
  type TerminalId,
} from "@cairn/messages";
import type {
  AccountRecord,
  DeviceRecord,
  IssuerStore,
  MovementDecision,
  PayeeRecord,
  TerminalRecord,
} from "@cairn/stores";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import { deviceCaller } from "./callers.ts";
import { enrolmentCodeFor } from "./enrolment-codes.ts";
import { accountReceivingAs } from "./receiver-credits.ts";
import { checkedReceiverId, makeReceiverId } from "./receiver-ids.ts";
import type { ServerContext } from "./server-context.ts";
import { ServiceError } from "./service-error.ts";
import { asMalformed, openCall } from "./signed-calls.ts";

/**
 * Any wallet can be paid: its account becomes a payee of its own, and the wallet enrols a second key as a terminal of
 * it. From there on everything is as with any other terminal, except that what is settled goes on into the account
 * (receiver-credits.ts). Decision: docs/decisions/0086-a-wallet-receives-as-a-terminal.md.
 */
export type ReceivingTerms = Pick<
  PayeeRecord,
  "perPaymentCapMinor" | "storedTotalCapMinor" | "perCertificateCapMinor" | "maximumOfflineSeconds"
>;

/**
 * What one person hands another, in a currency with two decimals. Lower than a shop's: whoever has copied a device's key
 * can make payees of this kind as easily as wallets, and the sum of their ceilings bounds what that costs.
 */
export const DEFAULT_RECEIVING: ReceivingTerms = {
  perPaymentCapMinor: 20_000n,
  storedTotalCapMinor: 50_000n,
  perCertificateCapMinor: 20_000n,
  maximumOfflineSeconds: 7 * 86_400,
};

/** A wallet has one such key, and another one when it was set up anew. Each is looked up when the device is lost. */
const MOST_KEYS_OF_A_DEVICE = 16;

const Receiving = Type.Object({
  payeeId: Type.String(),
  /** Which key of which device: a lost phone's terminal is blocked with it. */
  terminals: Type.Array(
    Type.Object({
      deviceId: Type.String(),
      terminalId: Type.String(),
      /** It is blocked because its device was reported lost, and for no other reason. */
      isLost: Type.Optional(Type.Boolean()),
    }),
  ),
});
type Receiving = Static<typeof Receiving>;

/**
 * Gives the calling wallet a one-time code for a terminal of its own account's payee. It is good for the key that the
 * wallet names and for no other: what is named is what is blocked when the wallet is lost. A key belongs to the wallet
 * that named it first. Nobody else can have known it then: it is in no message before it is enrolled.
 * @throws ServiceError RECEIVING_OFF, ACCOUNT_FROZEN, RECEIVING_KEYS_FULL, KEY_ALREADY_ENROLLED, and those of signed
 *   calls.
 */
export async function openReceiving(
  body: Uint8Array,
  context: ServerContext,
): Promise<{ readonly payeeId: PayeeId; readonly code: string; readonly expiresAt: number }> {
  const { store, receiving, clock, log } = context;
  const call = openCall("receiving", body, context);
  const device = await deviceCaller(call, context);
  const terminalId = asMalformed(() => readTerminalId(decodeCbor(call.content)));
  if (receiving === undefined) throw new ServiceError("RECEIVING_OFF");
  const account = await store.account(device.account);
  if (account === undefined) throw new Error("A device of no account.");
  if (account.status === "frozen") throw new ServiceError("ACCOUNT_FROZEN");
  const enrolled = await store.terminal(terminalId);
  if (enrolled !== undefined && enrolled.payeeId !== (await receivingOf(account.account, store))?.payeeId)
    throw new ServiceError("KEY_ALREADY_ENROLLED");
  const payeeId = await payeeOf(account, { device, terminalId }, context);
  if (payeeId === "keys-full") throw new ServiceError("RECEIVING_KEYS_FULL");
  if (payeeId === "anothers-key") throw new ServiceError("KEY_ALREADY_ENROLLED");
  if ((await store.payee(payeeId)) === undefined) {
    const { name, currency } = account;
    await store.createPayee({ payeeId, name: shownName(name), currency, ...receiving, createdAt: clock.nowSeconds() });
    log.info({ account: account.account, payeeId }, "account receives as a payee");
  }
  return { payeeId, ...(await enrolmentCodeFor({ payeeId, terminalId }, context)) };
}

type OwnedKey = Pick<DeviceRecord, "account" | "deviceId">;

/**
 * A device is gone, and with it the key that it receives with. Of a loss each key remembers that the loss blocked it, and
 * not a person: only that is undone when the device is found.
 */
export async function blockReceiving(
  device: OwnedKey,
  { isLoss }: { readonly isLoss: boolean },
  context: StoreContext,
): Promise<void> {
  const { store } = context;
  const known = await receivingTerminals(device, context);
  const active = known.filter(({ status }) => status === "active").map(({ terminalId }) => terminalId);
  // Noted first: whoever dies in between reports again, and finds them active still.
  await noteLoss(device.account, context, (each) =>
    each.deviceId !== device.deviceId
      ? each.isLost
      : isLoss && (each.isLost || active.includes(identifierOf(each.terminalId))),
  );
  for (const terminalId of active) await store.setTerminalStatus(terminalId, "frozen");
}

/** The device was found: the keys that its loss blocked receive again. */
export async function unblockReceiving({ account, deviceId }: OwnedKey, context: StoreContext): Promise<void> {
  for (const { terminalId, isLost } of await receivingTerminals({ account, deviceId }, context))
    if (isLost) await context.store.setTerminalStatus(terminalId, "active");
  await noteLoss(account, context, (each) => each.deviceId !== deviceId && each.isLost);
}

/** A person has decided on a terminal: from now on that counts, and not that its wallet was lost. */
export async function forgetLoss({ payeeId, terminalId }: TerminalRecord, context: StoreContext): Promise<void> {
  const account = await accountReceivingAs(payeeId, context.store);
  if (account !== undefined) await noteLoss(account, context, (each) => each.terminalId !== terminalId && each.isLost);
}

/** Of the account's receiving terminals those of one device: they are lost and found with it. */
async function receivingTerminals(
  { account, deviceId }: OwnedKey,
  { store }: StoreContext,
): Promise<readonly (TerminalRecord & { readonly isLost: boolean })[]> {
  const receiving = await receivingOf(account, store);
  if (receiving === undefined) return [];
  const known: (TerminalRecord & { readonly isLost: boolean })[] = [];
  const { payeeId, terminals } = receiving;
  for (const each of terminals) {
    if (each.deviceId !== deviceId) continue;
    const terminal = await store.terminal(identifierOf(each.terminalId));
    // A wallet may have named any id: only what was enrolled for this account's payee is its own.
    if (terminal?.payeeId === payeeId) known.push({ ...terminal, isLost: each.isLost === true });
  }
  return known;
}

function noteLoss(
  account: AccountNumber,
  { store }: StoreContext,
  isLost: (each: Receiving["terminals"][number]) => boolean | undefined,
): Promise<void> {
  const record = recordOf(account);
  return store.move({ partition: partitionOf(account), records: [record] }, (view): MovementDecision<void> => {
    const held = view.record(record);
    if (held === undefined) return { result: undefined };
    const { payeeId, terminals } = readReceiving(held);
    const noted = terminals.map((each) => {
      const { deviceId, terminalId } = each;
      return isLost(each) ? { deviceId, terminalId, isLost: true } : { deviceId, terminalId };
    });
    const body = JSON.stringify({ payeeId, terminals: noted });
    return { result: undefined, ...(body === held ? {} : { records: [{ ...record, body }] }) };
  });
}

/**
 * A terminal that has just been enrolled, as it is from then on: blocked, if it is the receiving key of a wallet that is
 * blocked. Its code may have been drawn before the wallet was lost. Whoever reports the loss blocks what is enrolled by
 * then, and has blocked the wallet before; so either of the two sees the other.
 */
export async function blockedWithItsWallet(terminal: TerminalRecord, context: StoreContext): Promise<TerminalRecord> {
  const { store } = context;
  const { terminalId, payeeId, status } = terminal;
  const account = await accountReceivingAs(payeeId, store);
  if (account === undefined || status === "frozen") return terminal;
  const named = (await receivingOf(account, store))?.terminals.find((each) => each.terminalId === terminalId);
  const deviceId = named === undefined ? undefined : deviceIdOf(named.deviceId);
  if (deviceId === undefined || (await store.device(deviceId))?.status !== "frozen") return terminal;
  await noteLoss(account, context, (each) => each.terminalId === terminalId || each.isLost);
  await store.setTerminalStatus(terminalId, "frozen");
  return { ...terminal, status: "frozen" };
}

type StoreContext = { readonly store: IssuerStore };

async function receivingOf(account: AccountNumber, store: IssuerStore): Promise<Receiving | undefined> {
  const record = recordOf(account);
  const body = await store.move({ partition: partitionOf(account), records: [record] }, (view) => ({
    result: view.record(record),
  }));
  return body === undefined ? undefined : readReceiving(body);
}

type PayeeOrWhyNot = PayeeId | "keys-full" | "anothers-key";

/** The payee that an account receives as: made once, in the account's own partition, so that money has no way to go. */
function payeeOf(
  { account }: AccountRecord,
  { device, terminalId }: { readonly device: DeviceRecord; readonly terminalId: TerminalId },
  { store, random }: ServerContext,
): Promise<PayeeOrWhyNot> {
  const partition = partitionOf(account);
  const record = recordOf(account);
  return store.move({ partition, records: [record] }, (view): MovementDecision<PayeeOrWhyNot> => {
    const held = view.record(record);
    const { payeeId, terminals } =
      held === undefined ? { payeeId: makeReceiverId(partition, random), terminals: [] } : readReceiving(held);
    const others = terminals.filter((each) => each.terminalId !== terminalId);
    const before = terminals.find((each) => each.terminalId === terminalId);
    if (before !== undefined && before.deviceId !== device.deviceId) return { result: "anothers-key" };
    if (others.filter(({ deviceId }) => deviceId === device.deviceId).length >= MOST_KEYS_OF_A_DEVICE)
      return { result: "keys-full" };
    const next: Receiving = { payeeId, terminals: [...others, before ?? { deviceId: device.deviceId, terminalId }] };
    return {
      result: checkedReceiverId(payeeId),
      records: [
        { ...record, body: JSON.stringify(next) },
        ...(held === undefined
          ? [{ kind: "receiver" as const, id: payeeId, body: JSON.stringify({ account, moves: 0 }) }]
          : []),
      ],
    };
  });
}

/** As much of a name as certificates carry. */
function shownName(name: string): string {
  let shown = name.normalize("NFC");
  while (Buffer.byteLength(shown) > MAXIMUM_NAME_BYTES) shown = [...shown].slice(0, -1).join("");
  return shown.trim();
}

const recordOf = (account: AccountNumber) => ({ kind: "receiving", id: account.toString() }) as const;
const readReceiving = (body: string): Receiving => Value.Parse(Receiving, JSON.parse(body));
const identifierOf = (hex: string): TerminalId =>
  identifier<TerminalId>(new Uint8Array(Buffer.from(hex, "hex")), IDENTIFIER_BYTES.terminalId);
const deviceIdOf = (hex: string): DeviceId | undefined => identifierFromText<DeviceId>(hex, IDENTIFIER_BYTES.deviceId);

function readTerminalId(value: CborValue): TerminalId {
  if (!(value instanceof Uint8Array) || value.length !== IDENTIFIER_BYTES.terminalId)
    throw new MessageError("MESSAGE_FIELD_INVALID", "terminal id");
  return identifier<TerminalId>(value, IDENTIFIER_BYTES.terminalId);
}
