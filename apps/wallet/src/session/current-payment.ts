import type { MessageId } from "@cairn/messages";

/** The payment whose code is on the screen: after a crash or a restart it is shown again. */
const PLACE = "cairn-wallet-showing";

export const currentPayment = (): MessageId | undefined =>
  (localStorage.getItem(PLACE) ?? undefined) as MessageId | undefined;
export const setCurrentPayment = (paymentId: MessageId): void => localStorage.setItem(PLACE, paymentId);
export const clearCurrentPayment = (): void => localStorage.removeItem(PLACE);
