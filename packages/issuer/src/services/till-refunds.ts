import { type CborValue, decodeCbor } from "@cairn/cose";
import { IDENTIFIER_BYTES, identifier, MAXIMUM_MINOR, MessageError, type MessageId } from "@cairn/messages";
import { terminalCaller } from "./callers.ts";
import { type RefundStanding, refund, refundStanding } from "./refunds.ts";
import type { ServerContext } from "./server-context.ts";
import { ServiceError } from "./service-error.ts";
import { asMalformed, openCall } from "./signed-calls.ts";

export type TillRefund = RefundStanding & { readonly repeated: boolean };

/**
 * A terminal gives back what was paid to its payee, at any till of it, in full or in part; or asks, with an amount of
 * zero, how much was given back so far. What was paid to others is PAYMENT_UNKNOWN, so that nobody learns of it.
 * @throws ServiceError TILL_REFUNDS_OFF, PAYMENT_UNKNOWN, PAYMENT_NOT_SETTLED, AMOUNT_OUT_OF_RANGE and those of
 *   `refund` and of signed calls.
 */
export async function refundFromTill(body: Uint8Array, context: ServerContext): Promise<TillRefund> {
  const { store, log, push } = context;
  const call = openCall("refund", body, context);
  const { payeeId, terminalId } = await terminalCaller(call, context);
  const { paymentId, amountMinor, key } = asMalformed(() => readOrder(decodeCbor(call.content)));
  const [outcome] = await store.outcomes([paymentId]);
  if (outcome === undefined || outcome.payeeId !== payeeId) throw new ServiceError("PAYMENT_UNKNOWN");
  if (amountMinor === 0n) return { ...(await refundStanding(paymentId, context)), repeated: true };
  if (!context.tillRefunds) throw new ServiceError("TILL_REFUNDS_OFF");
  // Keys of one terminal never meet those of another, or the operator's.
  const order = { paymentId, amountMinor, idempotencyKey: `${terminalId}:${key}` };
  const { repeated } = await refund(order, context);
  log.info({ paymentId, amountMinor: amountMinor.toString(), terminalId, repeated }, "refund from a till");
  if (outcome.account !== undefined) push.accountChanged(outcome.account, "settlement-posted");
  return { ...(await refundStanding(paymentId, context)), repeated };
}

const KEY_FORM = /^[A-Za-z0-9-]{1,32}$/;

function readOrder(value: CborValue): { paymentId: MessageId; amountMinor: bigint; key: string } {
  if (!Array.isArray(value) || value.length !== 3) throw new MessageError("BUNDLE_MALFORMED", "refund");
  const [id, amount, key] = value;
  if (!(id instanceof Uint8Array) || id.length !== IDENTIFIER_BYTES.messageId)
    throw new MessageError("MESSAGE_FIELD_INVALID", "payment id");
  if (typeof amount !== "number" || amount < 0 || amount > MAXIMUM_MINOR)
    throw new MessageError("MESSAGE_FIELD_INVALID", "amount");
  if (typeof key !== "string" || !KEY_FORM.test(key)) throw new MessageError("MESSAGE_FIELD_INVALID", "key");
  return { paymentId: identifier<MessageId>(id, IDENTIFIER_BYTES.messageId), amountMinor: BigInt(amount), key };
}
