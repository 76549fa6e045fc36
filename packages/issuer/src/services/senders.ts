import { type DeviceId, IDENTIFIER_BYTES, identifierFromText, type TerminalId } from "@cairn/messages";
import type { InboxRecord, IssuerStore } from "@cairn/stores";
import type { Sender } from "../settlement/context.ts";

/** For whom the sender of a record speaks, as enrolled. */
export async function senderOf(
  { broughtBy, senderId }: Pick<InboxRecord, "broughtBy" | "senderId">,
  store: IssuerStore,
): Promise<Sender | undefined> {
  if (broughtBy === "terminal") {
    const terminalId = identifierFromText<TerminalId>(senderId, IDENTIFIER_BYTES.terminalId);
    const terminal = terminalId === undefined ? undefined : await store.terminal(terminalId);
    return terminal === undefined ? undefined : { kind: "terminal", payeeId: terminal.payeeId };
  }
  const deviceId = identifierFromText<DeviceId>(senderId, IDENTIFIER_BYTES.deviceId);
  const device = deviceId === undefined ? undefined : await store.device(deviceId);
  return device === undefined ? undefined : { kind: "payer", account: device.account };
}
