import { MAXIMUM_PAYEE_ID_BYTES } from "./bounds.ts";
import { formedText, optional, required, timeSeconds } from "./fields.ts";
import { isPayeeId, type PayeeId } from "./identifiers.ts";
import { LABEL } from "./labels.ts";
import { defineMessage, type MessageKind } from "./message.ts";
import { MessageError } from "./message-error.ts";
import { type ChainLink, certificateKeyId, chainLinkFields } from "./payment.ts";

/**
 * Device-signed, shown first, answering no request: up to `amountMinor`, for about a minute. The payee's capture fixes
 * the amount. With `audience` only that payee can capture it. Spec: messages.md "Open payment".
 */
export type OpenPayment = ChainLink & { readonly expiresAt: number; readonly audience?: PayeeId };

export const openPayment: MessageKind<OpenPayment> = defineMessage({
  name: "open-payment",
  keyId: certificateKeyId,
  fields: {
    ...chainLinkFields,
    expiresAt: required(LABEL.expiresAt, timeSeconds),
    audience: optional(LABEL.audience, formedText<PayeeId>(isPayeeId, MAXIMUM_PAYEE_ID_BYTES)),
  },
  check: ({ issuedAt, expiresAt }) => {
    if (expiresAt <= issuedAt) throw new MessageError("MESSAGE_INCONSISTENT", "expires before it begins");
  },
});
