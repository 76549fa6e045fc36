import type { CryptoPort } from "@cairn/cose";
import type { CertificateIdCipher } from "@cairn/issue";
import type { TrustAnchors } from "@cairn/messages";
import { type SettlementPolicy, type SettlementResult, settle } from "@cairn/settle";
import { type InboxRecord, type IssuerStore, StoreError } from "@cairn/stores";
import type { Clock } from "../ports.ts";
import type { Logger } from "../services/logger.ts";
import { senderOf } from "../services/senders.ts";
import { type Sender, type VerificationCaches, verificationCaches } from "./context.ts";
import { guardItems, type KeyRing } from "./guard-items.ts";
import { verifyUploadRecords } from "./verify-records.ts";

export type WorkerContext = {
  readonly store: IssuerStore;
  readonly crypto: CryptoPort;
  readonly clock: Clock;
  readonly log: Logger;
  readonly certificateIdCipher: CertificateIdCipher;
  readonly anchors: () => TrustAnchors;
  readonly keyRing: () => KeyRing;
  readonly policy: SettlementPolicy;
  readonly intervalMs: number;
  /** A conflict was proven: certificates were withdrawn. */
  readonly onWithdrawn: () => void;
};

/** Records in one transaction: enough to spread its cost, few enough to answer others in between. */
const BATCH_SIZE = 500;
/** After a fault of the store or of ours: the batch is still in the inbox, and hurrying would only fill the log. */
const PAUSE_AFTER_FAULT_MS = 2_000;

/**
 * Takes batches out of the inbox, verifies, lets the pure rules decide and has everything written in one transaction.
 * One worker a process; a crash anywhere leaves the batch in the inbox.
 */
export class SettlementWorker {
  readonly #context: WorkerContext;
  readonly #caches: VerificationCaches = verificationCaches();
  #anchors: TrustAnchors | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #healthy = true;
  #wake: () => void = () => undefined;

  constructor(context: WorkerContext) {
    this.#context = context;
  }

  start(): void {
    this.#running ??= this.#run();
  }

  /** There is something in the inbox: no need to wait. */
  wake(): void {
    this.#wake();
  }

  /** False after a batch that could not be settled, until one can. */
  get healthy(): boolean {
    return this.#healthy;
  }

  /** Finishes the batch at hand. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#wake();
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      const pauseMs = await this.#settleSafely();
      if (pauseMs > 0 && !this.#stopped) await this.#pause(pauseMs);
    }
  }

  /** Gives how long to pause before the next look. */
  async #settleSafely(): Promise<number> {
    try {
      const settled = await this.settleBatch();
      this.#healthy = true;
      return settled === 0 ? this.#context.intervalMs : 0;
    } catch (error) {
      if (error instanceof StoreError && error.code === "LEASE_LOST") {
        this.#context.log.info({}, "another worker settled this batch");
        return 0;
      }
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

  /** Settles one batch; gives how many records it held. */
  async settleBatch(): Promise<number> {
    const { store, clock, policy } = this.#context;
    const batch = await store.takeBatch(BATCH_SIZE);
    if (batch === undefined || batch.records.length === 0) return 0;
    const { partition, records } = batch;
    const { items, rejected, voids } = await this.#verify(records);
    // Before the batch, which marks their records as done; recording one twice changes nothing.
    for (const requestVoid of voids) await store.recordVoid(requestVoid);
    const at = clock.nowSeconds();
    let conflicts: SettlementResult["conflicts"] = [];
    const outcomes = await store.settle({
      partition,
      records,
      items,
      rejected,
      at,
      decide: (state, items) => {
        const result = settle(state, items, { now: at, policy });
        conflicts = result.conflicts;
        return result;
      },
    });
    if (conflicts.length > 0) this.#context.onWithdrawn();
    this.#report({ partition, records: records.length, rejected: rejected.length }, outcomes, conflicts);
    return records.length;
  }

  async #verify(records: readonly InboxRecord[]) {
    const { store, crypto, certificateIdCipher, log } = this.#context;
    const anchors = this.#context.anchors();
    if (anchors !== this.#anchors) {
      // Other keys may be trusted now: what was verified under the old ones is verified again.
      this.#caches.certificates.clear();
      this.#caches.payeeCertificates.clear();
      this.#anchors = anchors;
    }
    const senders = new Map<string, Sender | undefined>();
    for (const record of records) {
      if (!senders.has(record.senderId)) senders.set(record.senderId, await senderOf(record, store));
    }
    const verified = await verifyUploadRecords(records, {
      anchors,
      crypto,
      certificateIdCipher,
      caches: this.#caches,
      senderOf: ({ senderId }) => senders.get(senderId),
      onFault: ({ recordHash }, error) => log.error({ err: error, recordHash }, "a record could not be looked at"),
    });
    return guardItems(verified, records, { keys: this.#context.keyRing(), store, crypto });
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
