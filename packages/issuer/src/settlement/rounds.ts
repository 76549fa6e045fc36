import type { CryptoPort } from "@cairn/cose";
import type { CertificateIdCipher } from "@cairn/issue";
import type { TrustAnchors } from "@cairn/messages";
import type { InboxBatch, InboxRecord, IssuerStore } from "@cairn/stores";
import type { Clock } from "../ports.ts";
import type { Logger } from "../services/logger.ts";
import { senderOf } from "../services/senders.ts";
import { forgetCertificates, type Sender, type VerificationCaches, verificationCaches } from "./context.ts";
import { guardItems, type KeyRing } from "./guard-items.ts";
import type { VerificationPool } from "./verification-pool.ts";
import { type VerifiedRecords, verifyUploadRecords } from "./verify-records.ts";

export type RoundsContext = {
  readonly store: IssuerStore;
  readonly crypto: CryptoPort;
  readonly clock: Clock;
  readonly log: Logger;
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

  /** In the order of the batches. */
  async verify(batches: readonly InboxBatch[]): Promise<readonly VerifiedBatch[]> {
    const senders = await this.#sendersOf(batches);
    const known = (senderId: string): Sender | undefined => senders.get(senderId);
    const { pool, store, crypto, keyRing, log } = this.#context;
    const records = batches.flatMap((batch) => batch.records);
    const isPooled = pool !== undefined && records.length >= POOLED_RECORDS;
    const verified = isPooled ? await this.#onThreads(pool, batches, known) : [await this.#here(records, known)];
    for (const senderId of new Set(verified.flatMap(({ wrongHintsOf }) => wrongHintsOf)))
      log.warn({ senderId }, "a payment or its hint made a batch fail; this sender's payments are verified one by one");
    const parts = splitByPartition(batches, verified);
    return Promise.all(
      batches.map(async (batch, index) => ({
        ...batch,
        verified: await guardItems(parts[index] ?? NOTHING, batch.records, { keys: keyRing(), store, crypto }),
      })),
    );
  }

  /** One job a thread: what travels between threads costs by the letter and by the envelope. */
  #onThreads(
    pool: VerificationPool,
    batches: readonly InboxBatch[],
    senderOf: (senderId: string) => Sender | undefined,
  ): Promise<readonly VerifiedRecords[]> {
    const anchors = this.#context.anchors();
    const lanes = Map.groupBy(batches, ({ partition }) => partition % pool.size);
    return Promise.all(
      [...lanes].map(([lane, ofLane]) => {
        const records = ofLane.flatMap((batch) => batch.records);
        return pool.verify(records, { lane, anchors, senderOf });
      }),
    );
  }

  #here(records: readonly InboxRecord[], senderOf: (senderId: string) => Sender | undefined): Promise<VerifiedRecords> {
    const { crypto, certificateIdCipher } = this.#context;
    const anchors = this.#context.anchors();
    if (anchors !== this.#anchors) forgetCertificates(this.#caches);
    this.#anchors = anchors;
    const own = { anchors, crypto, certificateIdCipher, caches: this.#caches };
    return verifyUploadRecords(records, { ...own, senderOf: ({ senderId }) => senderOf(senderId) });
  }

  async #sendersOf(batches: readonly InboxBatch[]): Promise<ReadonlyMap<string, Sender | undefined>> {
    const senders = new Map<string, Sender | undefined>();
    for (const { records } of batches)
      for (const record of records)
        if (!senders.has(record.senderId)) senders.set(record.senderId, await senderOf(record, this.#context.store));
    return senders;
  }
}

const NOTHING: VerifiedRecords = { items: [], rejected: [], voids: [], faulty: [], wrongHintsOf: [] };

/** What belongs to which batch. Voids belong to no partition: they go with the first. */
function splitByPartition(batches: readonly InboxBatch[], verified: readonly VerifiedRecords[]): VerifiedRecords[] {
  type Mutable = { -readonly [Name in keyof VerifiedRecords]: VerifiedRecords[Name][number][] };
  const parts = batches.map((): Mutable => ({ items: [], rejected: [], voids: [], faulty: [], wrongHintsOf: [] }));
  const partOf = new Map<number, Mutable>();
  for (const [index, { records }] of batches.entries()) {
    const part = parts[index];
    if (part !== undefined) for (const { inboxId } of records) partOf.set(inboxId, part);
  }
  for (const { items, rejected, voids, faulty } of verified) {
    for (const item of items) partOf.get(item.inboxId)?.items.push(item);
    for (const each of rejected) partOf.get(each.record.inboxId)?.rejected.push(each);
    for (const each of faulty) partOf.get(each.record.inboxId)?.faulty.push(each);
    parts[0]?.voids.push(...voids);
  }
  return parts;
}
