import type { Partition } from "@cairn/issue";
import type { DeviceId, MessageId, TerminalId } from "@cairn/messages";
import type { InboxFacts } from "../outcome-views.ts";
import type { BatchChoice, EvidenceRecord, InboxBatch, InboxRecord } from "../port.ts";
import type { RecordAnswer } from "../record-answers.ts";
import type { MemoryMembers } from "./memory-members.ts";

type Rejection = { readonly code: string; readonly sentence: string };
type Kept = { readonly record: InboxRecord; decidedAt: number | undefined; rejection: Rejection | undefined };

/** Everything that was ever brought in, and what became of it. */
export class MemoryInbox {
  /** Of each partition's records. */
  readonly #hashes = new Map<Partition, Set<string>>();
  readonly #kept = new Map<number, Kept>();
  readonly #byPayment = new Map<MessageId, Kept[]>();
  /** Until when records are left alone. */
  readonly #postponed = new Map<number, number>();
  /** Waiting records of each partition, oldest first; a partition that had its turn goes to the end. */
  readonly #waiting = new Map<Partition, Map<number, InboxRecord>>();

  receive(records: readonly InboxRecord[]): void {
    for (const received of records) {
      const hashes = this.#hashes.get(received.partition) ?? new Set();
      if (hashes.has(received.recordHash)) continue;
      this.#hashes.set(received.partition, hashes.add(received.recordHash));
      // The very bytes, into which nobody writes: what they were read as goes with them.
      const record = { ...received, inboxId: this.#kept.size + 1 };
      const kept = { record, decidedAt: undefined, rejection: undefined };
      this.#kept.set(record.inboxId, kept);
      const waiting = this.#waiting.get(record.partition) ?? new Map<number, InboxRecord>();
      this.#waiting.set(record.partition, waiting.set(record.inboxId, record));
      if (record.paymentId === undefined) continue;
      const others = this.#byPayment.get(record.paymentId);
      if (others === undefined) this.#byPayment.set(record.paymentId, [kept]);
      else others.push(kept);
    }
  }

  record(inboxId: number): InboxRecord | undefined {
    return this.#kept.get(inboxId)?.record;
  }

  all(): readonly InboxRecord[] {
    return [...this.#kept.values()].map(({ record }) => record);
  }

  takeBatch(limit: number, { except, now = Number.POSITIVE_INFINITY }: BatchChoice): InboxBatch | undefined {
    for (const [partition, waiting] of this.#waiting) {
      if (except?.has(partition) === true) continue;
      const records: InboxRecord[] = [];
      for (const record of waiting.values()) {
        if (records.length === limit) break;
        if ((this.#postponed.get(record.inboxId) ?? 0) <= now) records.push(record);
      }
      if (records.length === 0) continue;
      this.#waiting.delete(partition);
      this.#waiting.set(partition, waiting);
      return { partition, records };
    }
    return undefined;
  }

  /** Of every payment that a record names: when the first came, and whether one still waits. */
  *paymentsNamed(): Iterable<{ readonly paymentId: MessageId; readonly firstAt: number; readonly waits: boolean }> {
    for (const [paymentId, kept] of this.#byPayment) {
      const firstAt = Math.min(...kept.map(({ record }) => record.receivedAt));
      yield { paymentId, firstAt, waits: kept.some(({ decidedAt }) => decidedAt === undefined) };
    }
  }

  waitingRecords(): number {
    let count = 0;
    for (const waiting of this.#waiting.values()) count += waiting.size;
    return count;
  }

  postpone(inboxIds: readonly number[], until: number): void {
    for (const inboxId of inboxIds) this.#postponed.set(inboxId, until);
  }

  markDone(partition: Partition, answers: readonly RecordAnswer[], at: number): void {
    const waiting = this.#waiting.get(partition);
    for (const { inboxId, state, code, sentence } of answers) {
      const kept = this.#kept.get(inboxId);
      // A record that was answered before keeps its first answer.
      if (waiting?.delete(inboxId) !== true || kept === undefined) continue;
      this.#postponed.delete(inboxId);
      kept.decidedAt = at;
      if (state === "rejected") kept.rejection = { code: code ?? "", sentence: sentence ?? "" };
    }
    if (waiting?.size === 0) this.#waiting.delete(partition);
  }

  naming(paymentId: MessageId): InboxRecord[] {
    return (this.#byPayment.get(paymentId) ?? []).map(({ record }) => record);
  }

  evidence(paymentId: MessageId): EvidenceRecord[] {
    return (this.#byPayment.get(paymentId) ?? []).map(({ record, decidedAt, rejection }) => ({
      ...record,
      decidedAt,
      code: rejection?.code,
      sentence: rejection?.sentence,
    }));
  }

  facts(paymentId: MessageId, members: MemoryMembers): InboxFacts[] {
    return (this.#byPayment.get(paymentId) ?? []).map(({ record, decidedAt, rejection }) => {
      const { senderId, broughtBy, receivedAt } = record;
      const device = broughtBy === "payer" ? members.device(senderId as DeviceId) : undefined;
      const terminal = broughtBy === "terminal" ? members.terminal(senderId as TerminalId) : undefined;
      const { payeeId, terminalId } = terminal ?? {};
      return { paymentId, account: device?.account, payeeId, terminalId, receivedAt, decidedAt, rejection };
    });
  }
}
