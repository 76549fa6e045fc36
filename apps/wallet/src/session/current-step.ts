import type { MessageId } from "@cairn/messages";
import type { DurableNotes } from "@cairn/stores/browser";

/** What this wallet shows at the moment: after a crash or a restart it is found again. */
export type CurrentStep = {
  /** The payment whose code is on the screen. */
  payment(): MessageId | undefined;
  /** The request that waits to be paid. */
  request(): string | undefined;
  /** Durable when it resolves. */
  showPayment(paymentId: MessageId): Promise<void>;
  showRequest(requestId: string): Promise<void>;
  /** Nothing waits to be shown again. */
  leave(): void;
};

const [PAYMENT, REQUEST] = ["payment", "request"];

export function currentStep(notes: DurableNotes): CurrentStep {
  async function keep(place: string, id: string): Promise<void> {
    notes.setItem(place, id);
    await notes.flushed();
  }
  return {
    payment: () => (notes.getItem(PAYMENT) ?? undefined) as MessageId | undefined,
    request: () => notes.getItem(REQUEST) ?? undefined,
    showPayment: (paymentId) => keep(PAYMENT, paymentId),
    showRequest: (requestId) => keep(REQUEST, requestId),
    leave() {
      notes.removeItem(PAYMENT);
      notes.removeItem(REQUEST);
    },
  };
}
