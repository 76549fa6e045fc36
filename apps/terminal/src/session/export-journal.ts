import type { Terminal } from "@cairn/collect";

/**
 * Everything that the issuer has not settled, as one CBOR sequence (RFC 8742) of upload records: the signed payments
 * themselves, so that the issuer can settle them from the file when this device is lost. Spec: messages.md "Upload records".
 */
export async function exportJournal(terminal: Terminal): Promise<Uint8Array> {
  const records = await terminal.exportRecords();
  const bytes = new Uint8Array(records.reduce((length, record) => length + record.length, 0));
  let offset = 0;
  for (const record of records) {
    bytes.set(record, offset);
    offset += record.length;
  }
  return bytes;
}
