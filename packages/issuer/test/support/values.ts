import { nodeCrypto } from "@cairn/cose/node";
import { currency, isPayeeId, type PayeeId } from "@cairn/messages";

export const crypto = nodeCrypto();
export const EUR = currency("EUR");

export function payeeId(text: string): PayeeId {
  if (!isPayeeId(text)) throw new Error(`${text} is not a payee id.`);
  return text;
}
