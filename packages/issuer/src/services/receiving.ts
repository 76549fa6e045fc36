import { type CborValue, decodeCbor } from "@cairn/cose";
import { type AccountNumber, type Partition, partitionOf } from "@cairn/issue";
import {
  IDENTIFIER_BYTES,
  identifier,
  isPayeeId,
  MAXIMUM_NAME_BYTES,
  MessageError,
  type PayeeId,
  type TerminalId,
} from "@cairn/messages";
import {
  type AccountRecord,
  type DeviceRecord,
  type IssuerStore,
  type PayeeRecord,
  partitionOfId,
} from "@cairn/stores";
import { type Static, Type } from "@sinclair/typebox";
import { Value } from "@sinclair/typebox/value";
import type { Random } from "../ports.ts";
import { deviceCaller } from "./callers.ts";
import { createEnrolmentCode } from "./enrolment-codes.ts";
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

/** Long enough for the call that follows at once; nobody types this code. */
const CODE_VALIDITY_SECONDS = 600;
/** A wallet has one such key, and another one when it was set up anew. Each is looked up when the device is lost. */
const MOST_KEYS_OF_A_DEVICE = 16;

const Receiving = Type.Object({
  payeeId: Type.String(),
  /** Which key of which device: a lost phone's terminal is blocked with it. */
  terminals: Type.Array(Type.Object({ deviceId: Type.String(), terminalId: Type.String() })),
});
type Receiving = Static<typeof Receiving>;

/**
 * Gives the calling wallet a one-time code for a terminal of its own account's payee. It is good for the key that the
 * wallet names and for no other: what is named is what is blocked when the wallet is lost.
 * @throws ServiceError RECEIVING_OFF, ACCOUNT_FROZEN, RECEIVING_KEYS_FULL, and those of signed calls.
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
  const payeeId = await payeeOf(account, { device, terminalId }, context);
  if (payeeId === undefined) throw new ServiceError("RECEIVING_KEYS_FULL");
  if ((await store.payee(payeeId)) === undefined) {
    const { name, currency } = account;
    await store.createPayee({ payeeId, name: shownName(name), currency, ...receiving, createdAt: clock.nowSeconds() });
    log.info({ account: account.account, payeeId }, "account receives as a payee");
  }
  const terms = { validitySeconds: CODE_VALIDITY_SECONDS, onlyFor: terminalId };
  return { payeeId, ...(await createEnrolmentCode({ payeeId }, terms, context)) };
}

/** Of the account's receiving terminals those of one device: they are lost and found with it. */
export async function receivingTerminals(
  { account, deviceId }: Pick<DeviceRecord, "account" | "deviceId">,
  { store }: { readonly store: IssuerStore },
): Promise<readonly TerminalId[]> {
  const record = recordOf(account);
  const body = await store.move({ partition: partitionOf(account), records: [record] }, (view) => ({
    result: view.record(record),
  }));
  if (body === undefined) return [];
  const known: TerminalId[] = [];
  const { payeeId, terminals } = readReceiving(body);
  for (const each of terminals) {
    const terminalId = identifierOf(each.terminalId);
    // A wallet may have named any id: only what was enrolled for this account's payee is its own.
    if (each.deviceId === deviceId && (await store.terminal(terminalId))?.payeeId === payeeId) known.push(terminalId);
  }
  return known;
}

/**
 * The payee that an account receives as: made once, in the account's own partition, so that money has no way to go.
 * Undefined when the device has named too many keys.
 */
function payeeOf(
  { account }: AccountRecord,
  { device, terminalId }: { readonly device: DeviceRecord; readonly terminalId: TerminalId },
  { store, random }: ServerContext,
): Promise<PayeeId | undefined> {
  const partition = partitionOf(account);
  const offered = makePayeeId(partition, random);
  const record = recordOf(account);
  return store.move({ partition, records: [record] }, (view) => {
    const held = view.record(record);
    const { payeeId, terminals } = held === undefined ? { payeeId: offered, terminals: [] } : readReceiving(held);
    const others = terminals.filter((each) => each.terminalId !== terminalId);
    if (others.filter(({ deviceId }) => deviceId === device.deviceId).length >= MOST_KEYS_OF_A_DEVICE)
      return { result: undefined };
    const next: Receiving = { payeeId, terminals: [...others, { deviceId: device.deviceId, terminalId }] };
    return {
      result: checkedPayeeId(payeeId),
      records: [
        { ...record, body: JSON.stringify(next) },
        ...(held === undefined
          ? [{ kind: "receiver" as const, id: payeeId, body: JSON.stringify({ account, moves: 0 }) }]
          : []),
      ],
    };
  });
}

const BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** Random, and of the account's partition: about 256 tries of a cheap hash. It tells nothing of the account. */
function makePayeeId(partition: Partition, random: Random): PayeeId {
  for (;;) {
    const text = Array.from(random.bytes(12), (byte) => BASE32[byte & 31]).join("");
    const payeeId = checkedPayeeId(`P-${text}`);
    if (partitionOfId(payeeId) === partition) return payeeId;
  }
}

/** As much of a name as certificates carry. */
function shownName(name: string): string {
  let shown = name.normalize("NFC");
  while (Buffer.byteLength(shown) > MAXIMUM_NAME_BYTES) shown = [...shown].slice(0, -1).join("");
  return shown.trim();
}

function checkedPayeeId(text: string): PayeeId {
  if (!isPayeeId(text)) throw new Error("A payee id of ours has not the form of one.");
  return text;
}

const recordOf = (account: AccountNumber) => ({ kind: "receiving", id: account.toString() }) as const;
const readReceiving = (body: string): Receiving => Value.Parse(Receiving, JSON.parse(body));
const identifierOf = (hex: string): TerminalId =>
  identifier<TerminalId>(new Uint8Array(Buffer.from(hex, "hex")), IDENTIFIER_BYTES.terminalId);

function readTerminalId(value: CborValue): TerminalId {
  if (!(value instanceof Uint8Array) || value.length !== IDENTIFIER_BYTES.terminalId)
    throw new MessageError("MESSAGE_FIELD_INVALID", "terminal id");
  return identifier<TerminalId>(value, IDENTIFIER_BYTES.terminalId);
}
