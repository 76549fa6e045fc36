import type { MessageId, PaymentRequest, Refusal } from "@cairn/messages";
import type { Acceptance } from "./model.ts";

/** What the steps answer. A refusal is a value: its code and sentence are for the cashier. */
export type Refused = { readonly kind: "refused"; readonly refusal: Refusal };

export type ChargeOutcome =
  | {
      readonly kind: "requested";
      readonly requestId: MessageId;
      readonly request: PaymentRequest;
      /** To be shown to the payer. */
      readonly codeText: string;
    }
  | Refused;

export type AcceptanceOutcome =
  | {
      readonly kind: "accepted";
      readonly acceptance: Acceptance;
      /** Paid without review if the issuer keeps its terms; why not is in `acceptance.risk`. */
      readonly guaranteed: boolean;
      /** To be shown to the payer; undefined for an open payment that is not captured yet. */
      readonly receiptCode: string | undefined;
    }
  | (Refused & {
      /** With PAYMENT_REPLAYED: the one time that the payment was accepted. */
      readonly earlier?: Acceptance;
    });

export type CaptureOutcome =
  | { readonly kind: "captured"; readonly acceptance: Acceptance; readonly receiptCode: string }
  | Refused;

export type VoidOutcome =
  | { readonly kind: "voided"; readonly requestId: MessageId; readonly voidedAt: number; readonly codeText: string }
  | Refused;

export const refused = (refusal: Refusal): Refused => ({ kind: "refused", refusal });
