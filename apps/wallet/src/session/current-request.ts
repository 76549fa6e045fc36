/** The request that this wallet shows to be paid: after a crash or a restart it is found again. */
const PLACE = "cairn-wallet-asking";

export const currentRequest = (): string | undefined => localStorage.getItem(PLACE) ?? undefined;
export const setCurrentRequest = (requestId: string): void => localStorage.setItem(PLACE, requestId);
export const clearCurrentRequest = (): void => localStorage.removeItem(PLACE);
