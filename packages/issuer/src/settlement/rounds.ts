import type { CryptoPort } from "@cairn/cose";
import type { CertificateIdCipher } from "@cairn/issue";
import type { TrustAnchors } from "@cairn/messages";
import type { InboxBatch, IssuerStore } from "@cairn/stores";
import type { Clock } from "../ports.ts";
import { senderOf } from "../services/senders.ts";
import { forgetCertificates, type Sender, type VerificationCaches, verificationCaches } from "./context.ts";
import { guardItems, type KeyRing } from "./guard-items.ts";
import type { VerificationPool } from "./verification-pool.ts";
import { type VerifiedRecords, verifyUploadRecords } from "./verify-records.ts";

export type RoundsContext = {
  readonly store: IssuerStore;
  readonly crypto: CryptoPort;
  readonly clock: Clock;
  readonly certificateIdCipher: CertificateIdCipher;
  /** Threads for large batches. Without them everything is verified on this one. */
  readonly pool?: VerificationPool | undefined;
  readonly anchors: () => TrustAnchors;
  readonly keyRing: () => KeyRing;
};
/** A batch of one partition, verified. */
export type VerifiedBatch = InboxBatch & { readonly verified: VerifiedRecords };

/** Records of one partition in one transaction. */
const BATCH_RECORDS = 500;
/** Records that are verified and written together: enough to spread a flush of the disk, few enough to answer others in between. */
const ROUND_RECORDS = 1_000;
/** Below this a thread costs more than it gives: a single payment is verified here and at once. */
const POOLED_RECORDS = 16;

/** Takes batches of several partitions out of the inbox and verifies them. */
export class Rounds {
  readonly #context: RoundsContext;
  readonly #caches: VerificationCaches = verificationCaches();
  #anchors: TrustAnchors | undefined;

  constructor(context: RoundsContext) {
    this.#context = context;
  }

  /** @param atWork Partitions that are being settled. */
  async take(atWork: ReadonlySet<number>): Promise<readonly InboxBatch[]> {
    const { store, clock } = this.#context;
    const except = new Set(atWork);
    const batches: InboxBatch[] = [];
    for (let count = 0; count < ROUND_RECORDS; ) {
      const batch = await store.takeBatch(BATCH_RECORDS, { except, now: clock.nowSeconds() });
      if (batch === undefined || batch.records.length === 0) break;
      except.add(batch.partition);
      batches.push(batch);
      count += batch.records.length;
    }
    return batches;
  }

  async verify(batches: readonly InboxBatch[]): Promise<readonly VerifiedBatch[]> {
    const senders = await this.#sendersOf(batches);
    const count = batches.reduce((sum, { records }) => sum + records.length, 0);
    const verified = batches.map((batch) => this.#verifyBatch(batch, count >= POOLED_RECORDS, senders));
    return Promise.all(verified);
  }

  async #verifyBatch(
    batch: InboxBatch,
    pooled: boolean,
    senders: ReadonlyMap<string, Sender | undefined>,
  ): Promise<VerifiedBatch> {
    const { store, crypto, certificateIdCipher, pool, keyRing } = this.#context;
    const { partition, records } = batch;
    const anchors = this.#context.anchors();
    const known = (senderId: string): Sender | undefined => senders.get(senderId);
    let verified: VerifiedRecords;
    if (pool !== undefined && pooled) {
      verified = await pool.verify(records, { lane: partition, anchors, senderOf: known });
    } else {
      if (anchors !== this.#anchors) forgetCertificates(this.#caches);
      this.#anchors = anchors;
      const own = { anchors, crypto, certificateIdCipher, caches: this.#caches };
      verified = await verifyUploadRecords(records, { ...own, senderOf: ({ senderId }) => known(senderId) });
    }
    return { ...batch, verified: await guardItems(verified, records, { keys: keyRing(), store, crypto }) };
  }

  async #sendersOf(batches: readonly InboxBatch[]): Promise<ReadonlyMap<string, Sender | undefined>> {
    const senders = new Map<string, Sender | undefined>();
    for (const { records } of batches)
      for (const record of records)
        if (!senders.has(record.senderId)) senders.set(record.senderId, await senderOf(record, this.#context.store));
    return senders;
  }
}
