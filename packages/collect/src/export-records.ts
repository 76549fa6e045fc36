import type { TerminalContext } from "./setup.ts";
import { encodedEntries } from "./upload.ts";

/**
 * The upload record of everything that no issuer has settled, own issuer first, oldest first: a copy outside this
 * terminal from which issuers can settle when the terminal is lost. Nothing changes in the journal. Uncaptured open
 * payments are not among them: what they take is not known. Spec: messages.md "Upload records".
 * @throws CollectError NOT_ENROLLED
 */
export async function exportRecords(context: TerminalContext): Promise<readonly Uint8Array[]> {
  const { setup } = await context.hold();
  const records: Uint8Array[] = [];
  for (const guestIssuerId of [undefined, ...setup.guests.map(({ issuerId }) => issuerId)]) {
    const entries = await context.journal.toUpload({
      limit: Number.MAX_SAFE_INTEGER,
      which: "unsettled",
      guestIssuerId,
    });
    for await (const { record } of encodedEntries(context, entries)) records.push(record);
  }
  return records;
}
