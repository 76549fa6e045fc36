import { type SettlementPolicy, type SettlementResult, settle } from "@cairn/settle";
import type { InboxRecord } from "@cairn/stores";
import { Rounds, type RoundsContext, type VerifiedBatch } from "./rounds.ts";

export type WorkerContext = RoundsContext & {
  readonly policy: SettlementPolicy;
  readonly intervalMs: number;
  /** A conflict was proven: certificates were withdrawn. */
  readonly onWithdrawn: () => void;
  /** Accounts of this partition may have changed, by these entries. */
  readonly onSettled?: (partition: number, entries: SettlementResult["entries"]) => void;
};

type Round = { readonly verified: Promise<readonly VerifiedBatch[]>; readonly partitions: readonly number[] };

/** While one round is written, the next are verified: enough for the threads never to wait for the disk. */
const ROUNDS_AHEAD = 3;
/** While rounds wait for the disk, another is being worked on; no partition is in two. */
const ROUNDS_AT_ONCE = 3;
/** After a fault of the store or of ours: the batch is still in the inbox, and hurrying would only fill the log. */
const PAUSE_AFTER_FAULT_MS = 2_000;
/** A record that a fault of ours kept from being judged is tried again after it has waited as long again, within these. */
const SHORTEST_POSTPONEMENT_SECONDS = 10;
const LONGEST_POSTPONEMENT_SECONDS = 3_600;

/**
 * Takes batches out of the inbox, verifies, lets the pure rules decide and has everything written in one transaction a
 * partition. One worker a process; a crash anywhere leaves the batches in the inbox.
 */
export class SettlementWorker {
  readonly #context: WorkerContext;
  readonly #rounds: Rounds;
  /** Taken and being verified, oldest first. */
  readonly #ahead: Round[] = [];
  readonly #atWork = new Set<number>();
  #taking: Promise<void> = Promise.resolve();
  #running: Promise<void> | undefined;
  #stopped = false;
  #healthy = true;
  #woken = false;
  #wake: () => void = () => undefined;

  constructor(context: WorkerContext) {
    this.#context = context;
    this.#rounds = new Rounds(context);
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** There is something in the inbox: no need to wait. */
  wake(): void {
    this.#woken = true;
    this.#wake();
  }

  /** False after a batch that could not be settled, until one can. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Finishes the batches at hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
    await Promise.allSettled(this.#ahead.map((round) => round.verified));
    await this.#context.pool?.close();
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.#woken = false;
      const pauseMs = await this.#settleSafely();
      // What came while the last look was taken would otherwise wait a whole turn.
      if (pauseMs > 0 && !this.#stopped && !(this.#woken && this.#healthy)) await this.#pause(pauseMs);
    }
  }

  /** Gives how long to pause before the next look. */
  async #settleSafely(): Promise<number> {
    try {
      const settled = await this.settleAll();
      this.#healthy = true;
      return settled === 0 ? this.#context.intervalMs : 0;
    } catch (error) {
      this.#healthy = false;
      this.#context.log.error({ err: error }, "a batch could not be settled; it stays in the inbox");
      return PAUSE_AFTER_FAULT_MS;
    }
  }

  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      function done(): void {
        clearTimeout(timer);
        resolve();
      }
      this.#wake = done;
    });
  }

  /** Settles whatever waits, or until it is stopped; gives how many records that were. */
  async settleAll(): Promise<number> {
    const write = async (): Promise<number> => {
      let count = 0;
      for (let settled = 1; settled > 0 && !this.#stopped; count += settled) settled = await this.settleRound();
      return count;
    };
    const counts = await Promise.allSettled(Array.from({ length: ROUNDS_AT_ONCE }, write));
    return counts.reduce((sum, result) => {
      if (result.status === "rejected") throw result.reason;
      return sum + result.value;
    }, 0);
  }

  /** Settles one round of batches, having taken the next ones; gives how many records it held. */
  async settleRound(): Promise<number> {
    // One after the other: partitions are at work only once their batches were taken.
    const taken = this.#taking.then(() => this.#takeAhead());
    this.#taking = taken.catch(() => undefined);
    await taken;
    const round = this.#ahead.shift();
    if (round === undefined) return 0;
    try {
      const batches = await round.verified;
      const settled = await Promise.allSettled(batches.map((batch) => this.#settle(batch)));
      for (const result of settled) if (result.status === "rejected") throw result.reason;
      // Said at once: a long backlog is settled for minutes before anybody looks for nothing and finds it.
      this.#healthy = true;
      return batches.reduce((sum, { records }) => sum + records.length, 0);
    } finally {
      for (const partition of round.partitions) this.#atWork.delete(partition);
    }
  }

  async #takeAhead(): Promise<void> {
    while (this.#ahead.length < ROUNDS_AHEAD) {
      const batches = await this.#rounds.take(this.#atWork);
      if (batches.length === 0) return;
      const partitions = batches.map(({ partition }) => partition);
      for (const partition of partitions) this.#atWork.add(partition);
      const verified = this.#rounds.verify(batches);
      // A failure is met when the round's turn comes.
      verified.catch(() => undefined);
      this.#ahead.push({ verified, partitions });
    }
  }

  async #settle({ partition, records, verified }: VerifiedBatch): Promise<void> {
    const { store, clock, policy, onWithdrawn } = this.#context;
    const { items, rejected, voids, faulty } = verified;
    const at = clock.nowSeconds();
    // Before the batch, which marks their records as done; recording one twice changes nothing.
    for (const requestVoid of voids) await store.recordVoid(requestVoid);
    if (faulty.length > 0) await this.#postpone(partition, faulty, at);
    const failed = new Set(faulty.map(({ record }) => record.inboxId));
    const judged = failed.size === 0 ? records : records.filter(({ inboxId }) => !failed.has(inboxId));
    let [conflicts, entries]: [SettlementResult["conflicts"], SettlementResult["entries"]] = [[], []];
    const outcomes = await store.settle({
      partition,
      records: judged,
      items,
      rejected,
      at,
      decide: (state, items) => {
        const result = settle(state, items, { now: at, policy });
        ({ conflicts, entries } = result);
        return result;
      },
    });
    if (conflicts.length > 0) onWithdrawn();
    this.#context.onSettled?.(partition, entries);
    this.#report({ partition, records: judged.length, rejected: rejected.length }, outcomes, conflicts);
  }

  /** The record stays what it is, evidence that waits: the next version of the program may well be able to read it. */
  async #postpone(partition: number, faulty: VerifiedBatch["verified"]["faulty"], at: number): Promise<void> {
    const { store, log } = this.#context;
    for (const { record, error } of faulty) {
      log.error({ err: error, recordHash: record.recordHash }, "a record could not be looked at; it is tried again");
      await store.postpone({ partition, inboxIds: [record.inboxId], until: at + postponementSeconds(record, at) });
    }
  }

  #report(
    batch: { readonly partition: number; readonly records: number; readonly rejected: number },
    outcomes: readonly { readonly state: string }[],
    conflicts: SettlementResult["conflicts"],
  ): void {
    const states: Record<string, number> = {};
    for (const { state } of outcomes) states[state] = (states[state] ?? 0) + 1;
    this.#context.log.info({ ...batch, states }, "batch settled");
    for (const { certificateId, first, second, kind } of conflicts)
      this.#context.log.warn({ certificateId, first, second, kind }, "conflict proven; certificate withdrawn");
  }
}

function postponementSeconds({ receivedAt }: Pick<InboxRecord, "receivedAt">, at: number): number {
  return Math.min(LONGEST_POSTPONEMENT_SECONDS, Math.max(SHORTEST_POSTPONEMENT_SECONDS, at - receivedAt));
}
