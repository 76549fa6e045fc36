import { Type } from "@sinclair/typebox";
import { Account } from "./operator-api.ts";
import { AccountText, Minor, PayeeIdText } from "./wire.ts";

/** Online money under /v1/operator: what is sent and what is answered. */
const strict = { additionalProperties: false } as const;
const order = { amountMinor: Minor, idempotencyKey: Type.String({ minLength: 1, maxLength: 64 }) };

export const Withdrawal = Type.Object(order, strict);
export const Transfer = Type.Object({ ...order, to: AccountText }, strict);
export const OnlinePayment = Type.Object({ ...order, payeeId: PayeeIdText }, strict);
/** The account as it stands now. `repeated`: the key was used for the same before, and nothing moved. */
export const MoneyAnswer = Type.Object({ repeated: Type.Boolean(), account: Account });
