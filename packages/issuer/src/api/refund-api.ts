import { Type } from "@sinclair/typebox";
import { Minor } from "./wire.ts";

/** Refunds under /v1/operator. */
export const Refund = Type.Object(
  { amountMinor: Minor, idempotencyKey: Type.String({ minLength: 1, maxLength: 64 }) },
  { additionalProperties: false },
);
/** `repeated`: this key gave it back before, and nothing moved. */
export const RefundAnswer = Type.Object({ repeated: Type.Boolean() });
