import { resumeCollecting } from "@cairn/app-kit";
import type { ReceiveStep } from "../screens/receive-flow.tsx";
import type { Wallet } from "./open-wallet.ts";

/** How many of the newest lines are looked through for what was being received. */
const RESUME_DEPTH = 20;

/** Where receiving was when the app ended: a request that is still open, or what was paid for it and not seen. */
export async function resumeReceiving({
  receiver,
  step,
}: Pick<Wallet, "receiver" | "step">): Promise<ReceiveStep | undefined> {
  const { terminal, isReady } = receiver;
  const requestId = step.request();
  if (requestId === undefined || !(await isReady())) return undefined;
  const resumed = resumeCollecting(await terminal.history({ limit: RESUME_DEPTH }), requestId);
  if (resumed?.kind === "paid") {
    const { acceptance, guaranteed } = resumed.entry;
    const receiptCode = await terminal.receiptCode(acceptance.paymentId);
    return { at: "received", outcome: { kind: "accepted", acceptance, guaranteed, receiptCode }, asked: undefined };
  }
  if (resumed === undefined) return undefined;
  const { request } = resumed.entry;
  const codeText = await terminal.requestCode(resumed.entry.requestId);
  return codeText === undefined
    ? undefined
    : { at: "ask", asked: { requestId: resumed.entry.requestId, request, codeText } };
}
