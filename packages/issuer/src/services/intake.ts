import { type CryptoPort, Scratch } from "@cairn/cose";
import { type CertificateIdCipher, partitionOf } from "@cairn/issue";
import { type DeviceId, digestText, type MessageId, type TerminalId } from "@cairn/messages";
import type { InboxRecord } from "@cairn/stores";
import type { Sender } from "../settlement/context.ts";
import { type DecodingContext, decodeRecord, paymentIdOf, readingOf } from "../settlement/decode-record.ts";
import { openedId } from "../settlement/opened-ids.ts";
import { isRecordFault, type RecordFault } from "../settlement/record-codes.ts";
import { refuseSender } from "../settlement/verify-records.ts";

export type IntakeContext = DecodingContext & { readonly certificateIdCipher: CertificateIdCipher };
export type Bringer = {
  readonly sender: Sender;
  readonly senderId: TerminalId | DeviceId;
  /** Seconds since 1970. */
  readonly receivedAt: number;
};
/** What goes into the inbox, and what can already be said of it. */
export type TakenIn = { readonly row: InboxRecord; readonly fault: RecordFault | undefined };

/**
 * A look at one record before it is kept: strictly decoded, brought by the right sender, and in whose partition it
 * belongs. No signature is looked at yet, so that an upload is answered fast. A record with a fault is kept all the
 * same: settlement finds the same fault and writes it down.
 */
export function takeIn(bytes: Uint8Array, bringer: Bringer, context: IntakeContext): TakenIn {
  const { crypto, certificateIdCipher } = context;
  const { sender, senderId, receivedAt } = bringer;
  const broughtBy = sender.kind;
  const recordHash = recordHashOf(bytes, senderId, crypto);
  const read = decodeRecord(bytes, broughtBy, context);
  const certificateId = isRecordFault(read) ? undefined : read.certificateId;
  const opened = certificateId === undefined ? undefined : openedId(certificateId, certificateIdCipher);
  const fault = isRecordFault(read) ? read : refuseSender(read, sender, opened);
  const paymentId: MessageId | undefined = isRecordFault(read) ? undefined : paymentIdOf(read);
  const partition = opened === undefined ? anyPartition(recordHash) : partitionOf(opened.account);
  const decoded = readingOf({ bytes, broughtBy }, read);
  const row = { inboxId: 0, recordHash, partition, broughtBy, senderId, paymentId, bytes, receivedAt, decoded };
  return { row, fault };
}

/** What belongs to no account touches no account's state: any partition will do, the same one each time. */
const anyPartition = (recordHash: string): number => Number.parseInt(recordHash.slice(0, 2), 16);

/** The same bytes from the same sender are one record. */
export function recordHashOf(bytes: Uint8Array, senderId: TerminalId | DeviceId, crypto: CryptoPort): string {
  const length = senderId.length / 2 + bytes.length;
  const both = SCRATCH.first(length) ?? Buffer.alloc(length);
  both.write(senderId, "hex");
  both.set(bytes, senderId.length / 2);
  return digestText(both, crypto);
}

/** A buffer for each record would cost as much as its hash. */
const SCRATCH = new Scratch(Buffer.alloc(4096));
