import type { MessageId, PayeeId } from "@cairn/messages";
import type { TSchema } from "@sinclair/typebox";
import * as api from "../api/money-api.ts";
import { RefundAnswer } from "../api/refund-api.ts";
import type { Decoded } from "../api/wire.ts";
import type { OperatorClientOptions } from "./operator-client.ts";
import { Transport } from "./transport.ts";

type Order = { readonly amountMinor: bigint; readonly idempotencyKey: string };

/** Online money. Repeat a call with the same key after a lost answer: nothing is done twice. All methods throw `ClientError`. */
export class MoneyClient {
  readonly #transport: Transport;

  constructor(options: OperatorClientOptions) {
    this.#transport = new Transport(options);
  }

  withdraw(account: number, order: Order) {
    return this.#post(`/accounts/${account}/withdrawals`, order, api.MoneyAnswer);
  }

  transfer(account: number, order: Order & { readonly to: number }) {
    return this.#post(`/accounts/${account}/transfers`, order, api.MoneyAnswer);
  }

  pay(account: number, order: Order & { readonly payeeId: PayeeId }) {
    return this.#post(`/accounts/${account}/payments`, order, api.MoneyAnswer);
  }

  /** Gives a settled payment back, in full or in part. */
  refund(paymentId: MessageId, order: Order) {
    return this.#post(`/payments/${paymentId}/refunds`, order, RefundAnswer);
  }

  #post<Answer extends TSchema>(path: string, order: Order, answer: Answer): Promise<Decoded<Answer>> {
    const bytes = new TextEncoder().encode(JSON.stringify({ ...order, amountMinor: order.amountMinor.toString() }));
    return this.#transport.json(
      { method: "POST", path: `/v1/operator${path}`, body: { type: "application/json", bytes } },
      answer,
    );
  }
}
