import type { TillRefundAnswer, TillRefundOrder } from "@cairn/issuer/client";
import type { MessageId } from "@cairn/messages";
import { noteRefund, settleRefundNotes } from "./refund-notes.ts";
import type { SettingsMemory } from "./settings.ts";

/** The call of the issuer's server that this step needs. */
export type RefundCalls = { refund(order: TillRefundOrder): Promise<TillRefundAnswer> };
export type RefundPorts = {
  readonly calls: RefundCalls;
  readonly settings: SettingsMemory;
  readonly nowMs: () => number;
};

/** How a payment stands: what was taken, given back, and waits. @throws ClientError */
export async function askRefund(paymentId: MessageId, ports: RefundPorts): Promise<TillRefundAnswer> {
  const answer = await ports.calls.refund({ paymentId, amountMinor: 0n, key: "ask" });
  settleRefundNotes(ports.settings, { paymentId, refundedMinor: answer.refundedMinor });
  return answer;
}

/**
 * Gives back a part, named by what had been given back before: the same order twice, after a lost answer or a crash, is
 * one refund. A refund that waits for the payee's money keeps its name, and the same order completes it.
 * @throws ClientError
 */
export async function giveBack(
  order: { readonly paymentId: MessageId; readonly amountMinor: bigint; readonly beforeMinor: bigint },
  ports: RefundPorts,
): Promise<TillRefundAnswer> {
  const { paymentId, amountMinor, beforeMinor } = order;
  const at = Math.floor(ports.nowMs() / 1000);
  const note = { paymentId, amountMinor: amountMinor.toString(), beforeMinor: beforeMinor.toString(), at };
  noteRefund(ports.settings, { ...note, isDone: false });
  await ports.settings.flushed();
  const answer = await ports.calls.refund({ paymentId, amountMinor, key: `at-${beforeMinor}` });
  noteRefund(ports.settings, { ...note, isDone: true });
  return answer;
}
