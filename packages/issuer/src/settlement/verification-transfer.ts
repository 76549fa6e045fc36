import type { MessageId, TerminalId, TrustAnchors } from "@cairn/messages";
import type { PayeeWord, SettlementItem } from "@cairn/settle";
import type { RequestVoidRecord } from "@cairn/stores";
import type { Sender } from "./context.ts";
import type { UploadedRecord, VerifiedRecords } from "./verify-records.ts";

/**
 * How records go to a verifying thread and what was made of them comes back: columns rather than objects, and all bytes
 * in one buffer that changes hands. Cloning objects with their names costs as much as half a signature each.
 */
export type VerificationJob = {
  readonly jobId: number;
  /** Only when they are others than those of the job before. */
  readonly anchors: TrustAnchors | undefined;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly ends: Uint32Array<ArrayBuffer>;
  readonly inboxIds: Float64Array<ArrayBuffer>;
  readonly receivedAt: Float64Array<ArrayBuffer>;
  /** 1 when a payer brought it. */
  readonly byPayer: Uint8Array<ArrayBuffer>;
  /** Positions in `senderIds`. */
  readonly senders: Uint16Array<ArrayBuffer>;
  readonly senderIds: readonly UploadedRecord["senderId"][];
  /** For whom each of them speaks. */
  readonly sendersKnown: readonly (Sender | undefined)[];
};

/** A position in `ends` is the record's in the job. */
export type VerificationAnswer = {
  readonly jobId: number;
  readonly items: readonly ItemRow[];
  readonly words: readonly WordRow[];
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly rejected: readonly {
    readonly position: number;
    readonly paymentId: MessageId | undefined;
    readonly code: string;
    readonly sentence: string;
  }[];
  readonly voids: readonly RequestVoidRecord[];
  readonly faulty: readonly { readonly position: number; readonly error: unknown }[];
  readonly wrongHintsOf: readonly UploadedRecord["senderId"][];
};

type ItemRow = readonly [
  position: number,
  paymentId: SettlementItem["paymentId"],
  end: number,
  isOpen: boolean,
  certificateId: SettlementItem["certificateId"],
  sequence: number,
  spentMinor: bigint,
  amountMinor: bigint,
  previous: SettlementItem["previous"],
  requestHash: SettlementItem["requestHash"],
  word: number,
  acceptedAt: number,
  takenMinor: bigint,
  voided: boolean,
  refusal: SettlementItem["refusal"],
];
type WordRow = Omit<PayeeWord, "acceptedAt" | "takenMinor">;

const NO_WORD = -1;

export function packJob(
  jobId: number,
  records: readonly UploadedRecord[],
  context: { readonly anchors: TrustAnchors | undefined; readonly senderOf: (senderId: string) => Sender | undefined },
): VerificationJob {
  const count = records.length;
  const ends = new Uint32Array(count);
  const inboxIds = new Float64Array(count);
  const receivedAt = new Float64Array(count);
  const byPayer = new Uint8Array(count);
  const senders = new Uint16Array(count);
  const senderIds: UploadedRecord["senderId"][] = [];
  const known = new Map<string, number>();
  const bytes = joined(records.map((record) => record.bytes));
  let end = 0;
  for (const [position, record] of records.entries()) {
    let sender = known.get(record.senderId);
    if (sender === undefined) {
      sender = senderIds.push(record.senderId) - 1;
      known.set(record.senderId, sender);
    }
    end += record.bytes.length;
    ends[position] = end;
    inboxIds[position] = record.inboxId;
    receivedAt[position] = record.receivedAt;
    byPayer[position] = record.broughtBy === "payer" ? 1 : 0;
    senders[position] = sender;
  }
  const sendersKnown = senderIds.map(context.senderOf);
  return {
    jobId,
    anchors: context.anchors,
    bytes,
    ends,
    inboxIds,
    receivedAt,
    byPayer,
    senders,
    senderIds,
    sendersKnown,
  };
}

export function unpackJob(job: VerificationJob): readonly UploadedRecord[] {
  const records: UploadedRecord[] = [];
  let begin = 0;
  for (const [position, end] of job.ends.entries()) {
    const senderId = job.senderIds[job.senders[position] ?? 0];
    if (senderId === undefined) throw new RangeError("A record without its sender.");
    records.push({
      inboxId: job.inboxIds[position] ?? 0,
      receivedAt: job.receivedAt[position] ?? 0,
      broughtBy: job.byPayer[position] === 1 ? "payer" : "terminal",
      senderId,
      bytes: job.bytes.subarray(begin, end),
    });
    begin = end;
  }
  return records;
}

export function packAnswer(
  jobId: number,
  records: readonly UploadedRecord[],
  { items, rejected, voids, faulty, wrongHintsOf }: VerifiedRecords<UploadedRecord>,
): VerificationAnswer {
  const positions = new Map(records.map((record, position) => [record.inboxId, position]));
  const positionOf = (inboxId: number): number => positions.get(inboxId) ?? 0;
  const words = new WordTable();
  let end = 0;
  const rows = items.map((item): ItemRow => {
    const word = item.payeeWord;
    end += item.bytes.length;
    return [
      positionOf(item.inboxId),
      item.paymentId,
      end,
      item.kind === "open-payment",
      item.certificateId,
      item.sequence,
      item.spentMinor,
      item.amountMinor,
      item.previous,
      item.requestHash,
      word === undefined ? NO_WORD : words.indexOf(word),
      word?.acceptedAt ?? 0,
      word?.takenMinor ?? 0n,
      item.voided,
      item.refusal,
    ];
  });
  return {
    jobId,
    items: rows,
    words: words.rows,
    bytes: joined(items.map((item) => item.bytes)),
    rejected: rejected.map(({ record, paymentId, code, sentence }) => ({
      position: positionOf(record.inboxId),
      paymentId,
      code,
      sentence,
    })),
    voids,
    faulty: faulty.map(({ record, error }) => ({ position: positionOf(record.inboxId), error })),
    wrongHintsOf,
  };
}

/** @param records Those of the job, in its order. */
export function unpackAnswer<Uploaded extends UploadedRecord>(
  answer: VerificationAnswer,
  records: readonly Uploaded[],
): VerifiedRecords<Uploaded> {
  const recordAt = (position: number): Uploaded => {
    const record = records[position];
    if (record === undefined) throw new RangeError("An answer about no record of the job.");
    return record;
  };
  let begin = 0;
  const items = answer.items.map((row): SettlementItem => {
    const { inboxId, receivedAt, broughtBy } = recordAt(row[0]);
    const bytes = answer.bytes.subarray(begin, row[2]);
    begin = row[2];
    const word = answer.words[row[10]];
    return {
      inboxId,
      paymentId: row[1],
      bytes,
      kind: row[3] ? "open-payment" : "payment",
      certificateId: row[4],
      sequence: row[5],
      spentMinor: row[6],
      amountMinor: row[7],
      previous: row[8],
      requestHash: row[9],
      receivedAt,
      broughtBy,
      payeeWord:
        word === undefined
          ? undefined
          : {
              payeeId: word.payeeId,
              terminalId: word.terminalId,
              perCertificateCapMinor: word.perCertificateCapMinor,
              maximumOfflineSeconds: word.maximumOfflineSeconds,
              acceptedAt: row[11],
              takenMinor: row[12],
            },
      voided: row[13],
      refusal: row[14],
    };
  });
  return {
    items,
    rejected: answer.rejected.map(({ position, paymentId, code, sentence }) => ({
      record: recordAt(position),
      paymentId,
      code,
      sentence,
    })),
    voids: answer.voids,
    faulty: answer.faulty.map(({ position, error }) => ({ record: recordAt(position), error })),
    wrongHintsOf: answer.wrongHintsOf,
  };
}

/** A batch holds thousands of payments and a handful of payees. */
class WordTable {
  readonly rows: WordRow[] = [];
  readonly #known = new Map<TerminalId, number[]>();

  indexOf({ payeeId, terminalId, perCertificateCapMinor, maximumOfflineSeconds }: PayeeWord): number {
    const known = this.#known.get(terminalId) ?? [];
    // A terminal's certificates may differ in their terms.
    const same = known.find((index) => {
      const row = this.rows[index];
      return (
        row?.payeeId === payeeId &&
        row.perCertificateCapMinor === perCertificateCapMinor &&
        row.maximumOfflineSeconds === maximumOfflineSeconds
      );
    });
    if (same !== undefined) return same;
    const index = this.rows.push({ payeeId, terminalId, perCertificateCapMinor, maximumOfflineSeconds }) - 1;
    this.#known.set(terminalId, [...known, index]);
    return index;
  }
}

/** One plain buffer: what a database or a decoder hands out may lie in a shared one. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let begin = 0;
  for (const part of parts) {
    whole.set(part, begin);
    begin += part.length;
  }
  return whole;
}
