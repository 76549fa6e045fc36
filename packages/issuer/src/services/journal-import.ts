import { decodeMessage, payeeCertificate, readUploadRecord, terminalIdOf } from "@cairn/messages";
import type { TerminalRecord } from "@cairn/stores";
import { takeIn } from "./intake.ts";
import type { ServerContext } from "./server-context.ts";
import { ServiceError } from "./service-error.ts";
import { asMalformed } from "./signed-calls.ts";
import type { RecordReply } from "./syncing.ts";

/**
 * The operator brings records out of the exported journal of a terminal that is lost or broken. Each is taken in as if
 * its terminal had brought it, so that one that was uploaded before changes nothing: the signatures in it decide, not
 * who carries it. Spec: messages.md "Upload records".
 * @throws ServiceError CALL_MALFORMED for bytes that are no upload record, TERMINAL_UNKNOWN, INBOX_FULL; then nothing is kept.
 */
export async function importJournal(
  records: readonly Uint8Array[],
  context: ServerContext,
): Promise<readonly RecordReply[]> {
  const receivedAt = context.clock.nowSeconds();
  const taken = await Promise.all(
    records.map(async (bytes) => {
      const { payeeId, terminalId } = await terminalOf(bytes, context);
      return takeIn(bytes, { sender: { kind: "terminal", payeeId }, senderId: terminalId, receivedAt }, context);
    }),
  );
  await context.inboxLimit.admit(taken.length);
  await context.store.receive(taken.map(({ row }) => row));
  context.wakeWorker();
  return taken.map(({ row, fault }) => ({ paymentId: row.paymentId, fault }));
}

/** The terminal whose key the record's payee certificate names. Settlement verifies that certificate. */
async function terminalOf(bytes: Uint8Array, { crypto, store }: ServerContext): Promise<TerminalRecord> {
  const terminalId = asMalformed(() => {
    const record = readUploadRecord(bytes);
    return terminalIdOf(
      decodeMessage(payeeCertificate, record.payeeCertificate, crypto).unverified.terminalKey,
      crypto,
    );
  });
  const terminal = await store.terminal(terminalId);
  if (terminal === undefined) throw new ServiceError("TERMINAL_UNKNOWN");
  return terminal;
}
