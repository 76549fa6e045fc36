import type { MessageId } from "@cairn/messages";
import type { SignedClosing, State } from "./state.ts";

export const closingOf = (
  certificateId: SignedClosing["certificateId"],
  sequence: number,
  spentMinor: bigint,
): SignedClosing => ({
  certificateId,
  sequence,
  spentMinor,
  messageId: `${certificateId.slice(0, 2)}${sequence}${spentMinor}`.padEnd(64, "c") as MessageId,
});

export function withClosing(state: State, signed: SignedClosing): readonly SignedClosing[] {
  const isThere = state.closings.some(({ messageId }) => messageId === signed.messageId);
  const byId = (left: SignedClosing, right: SignedClosing) => (left.messageId < right.messageId ? -1 : 1);
  return isThere ? state.closings : [...state.closings, signed].toSorted(byId);
}
