import { type CborValue, decodeCbor } from "@cairn/cose";
import {
  IDENTIFIER_BYTES,
  identifier,
  MAXIMUM_RECORDS,
  MessageError,
  type MessageId,
  splitRecords,
} from "@cairn/messages";
import type { TerminalRecord } from "@cairn/stores";
import type { PaymentOutcomeText } from "../api/device-api.ts";
import { anyCaller, type Caller, terminalCaller } from "./callers.ts";
import { takeIn } from "./intake.ts";
import { outcomesFor } from "./outcomes.ts";
import { currentPayeeCertificate } from "./payee-certificates.ts";
import type { ServerContext } from "./server-context.ts";
import { asMalformed, type OpenedCall, openCall, openFollowing } from "./signed-calls.ts";
import type { RecordReply } from "./syncing.ts";

/**
 * A terminal brings what it accepted. Every record is durable before the answer says "received"; settlement follows.
 * @throws ServiceError CALL_MALFORMED, NONCE_INVALID, CALLER_UNKNOWN, CALL_SIGNATURE_INVALID, CALLER_FROZEN, INBOX_FULL
 */
export async function receiveUpload(
  body: Uint8Array,
  context: ServerContext,
): Promise<{ readonly records: readonly RecordReply[]; readonly payeeCertificate: Uint8Array }> {
  const call = openCall("upload", body, context);
  const terminal = await terminalCaller(call, context);
  const records = await keepRecords(call, terminal, context);
  const { bytes } = await currentPayeeCertificate(terminal, context);
  return { records, payeeCertificate: bytes };
}

export type ReceivedPortion = { readonly terminal: TerminalRecord; readonly records: readonly RecordReply[] };

/**
 * Portion after portion of one terminal's stream, each durable before it is given on. The next portion is not looked at
 * before this one was taken, so whoever does not read the answers is not read either.
 * @param portions Each is the body of an upload by itself; all but the first bear a nonce that follows from the one before.
 * @throws as `receiveUpload`, in the middle too: what was given on before stays received.
 */
export async function* receivePortions(
  portions: AsyncIterable<Uint8Array>,
  context: ServerContext,
): AsyncGenerator<ReceivedPortion, void, undefined> {
  let previous: OpenedCall | undefined;
  for await (const body of portions) {
    const call: OpenedCall =
      previous === undefined ? openCall("upload", body, context) : openFollowing(previous, body, context);
    // Asked for anew each time: a terminal that was blocked meanwhile brings nothing more.
    const terminal = await terminalCaller(call, context);
    yield { terminal, records: await keepRecords(call, terminal, context) };
    previous = call;
  }
}

async function keepRecords(
  call: OpenedCall,
  terminal: TerminalRecord,
  context: ServerContext,
): Promise<readonly RecordReply[]> {
  const records = asMalformed(() => splitRecords(call.content));
  const bringer = {
    sender: { kind: "terminal", payeeId: terminal.payeeId },
    senderId: terminal.terminalId,
    receivedAt: context.clock.nowSeconds(),
  } as const;
  const taken = records.map((bytes) => takeIn(bytes, bringer, context));
  if (taken.length > 0) {
    await context.inboxLimit.admit(taken.length);
    await context.store.receive(taken.map(({ row }) => row));
    context.wakeWorker();
  }
  return taken.map(({ row, fault }) => ({ paymentId: row.paymentId, fault }));
}

/** @throws ServiceError CALL_MALFORMED, NONCE_INVALID, CALLER_UNKNOWN, CALL_SIGNATURE_INVALID, CALLER_FROZEN */
export async function tellOutcomes(body: Uint8Array, context: ServerContext): Promise<readonly PaymentOutcomeText[]> {
  const { paymentIds, caller } = await askedOutcomes(body, context);
  return outcomesFor(paymentIds, caller, context.store);
}

/** Who asks, and for which payments. @throws as `tellOutcomes` */
export async function askedOutcomes(
  body: Uint8Array,
  context: ServerContext,
): Promise<{ readonly paymentIds: readonly MessageId[]; readonly caller: Caller }> {
  const call = openCall("outcomes", body, context);
  const caller = await anyCaller(call, context);
  return { paymentIds: asMalformed(() => readPaymentIds(decodeCbor(call.content))), caller };
}

function readPaymentIds(value: CborValue): readonly MessageId[] {
  if (!Array.isArray(value)) throw new MessageError("BUNDLE_MALFORMED", "payment ids");
  if (value.length > MAXIMUM_RECORDS) throw new MessageError("MESSAGE_TOO_LARGE", "payment ids");
  return value.map((bytes) => {
    if (!(bytes instanceof Uint8Array) || bytes.length !== IDENTIFIER_BYTES.messageId)
      throw new MessageError("MESSAGE_FIELD_INVALID", "payment id");
    return identifier<MessageId>(bytes, IDENTIFIER_BYTES.messageId);
  });
}
