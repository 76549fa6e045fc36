import type { CryptoPort } from "@cairn/cose";
import type { CertificateIdCipher } from "@cairn/issue";
import type { TrustAnchors } from "@cairn/messages";
import type { InboxBatch, IssuerStore } from "@cairn/stores";
import type { Clock } from "../ports.ts";
import type { Logger } from "../services/logger.ts";
import { senderOf } from "../services/senders.ts";
import {
  checkerHere,
  forgetCertificates,
  type Sender,
  type SignatureChecker,
  type VerificationCaches,
  verificationCaches,
} from "./context.ts";
import { guardItems } from "./guard-items.ts";
import { IssuedHere } from "./issued-here.ts";
import type { VerificationPool } from "./verification-pool.ts";
import { type ReadRecords, type VerifiedRecords, verifyBatches } from "./verify-records.ts";

export type RoundsContext = {
  readonly store: IssuerStore;
  readonly crypto: CryptoPort;
  readonly clock: Clock;
  readonly log: Logger;
  readonly certificateIdCipher: CertificateIdCipher;
  /** Threads for large batches. Without them everything is verified on this one. */
  readonly pool?: VerificationPool | undefined;
  /** Shared with whoever takes records in, if that is this process: what was decoded then is not decoded again. */
  readonly caches?: VerificationCaches | undefined;
  readonly anchors: () => TrustAnchors;
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
  readonly #caches: VerificationCaches;
  readonly #here: SignatureChecker;
  readonly #issuedHere = new IssuedHere();
  #anchors: TrustAnchors | undefined;

  constructor(context: RoundsContext) {
    this.#context = context;
    this.#caches = context.caches ?? verificationCaches();
    this.#here = checkerHere(context.crypto);
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
    const { pool, store, crypto, certificateIdCipher, log } = this.#context;
    const count = batches.reduce((sum, { records }) => sum + records.length, 0);
    const { verified, wrongHintsOf } = await verifyBatches(
      batches.map(({ records }) => records),
      {
        anchors: this.#currentAnchors(),
        crypto,
        certificateIdCipher,
        caches: this.#caches,
        checker: pool !== undefined && count >= POOLED_RECORDS ? pool : this.#here,
        senderOf: ({ senderId }) => senders.get(senderId),
      },
    );
    for (const senderId of wrongHintsOf)
      log.warn({ senderId }, "a payment or its hint made a batch fail; this sender's payments are verified one by one");
    const guarding = { store, crypto, issuedHere: this.#issuedHere };
    return Promise.all(
      batches.map(async (batch, index) => ({
        ...batch,
        verified: await guardItems(verified[index] as ReadRecords, batch, guarding),
      })),
    );
  }

  #currentAnchors(): TrustAnchors {
    const anchors = this.#context.anchors();
    if (anchors !== this.#anchors) forgetCertificates(this.#caches);
    this.#anchors = anchors;
    return anchors;
  }

  async #sendersOf(batches: readonly InboxBatch[]): Promise<ReadonlyMap<string, Sender | undefined>> {
    const senders = new Map<string, Sender | undefined>();
    for (const { records } of batches)
      for (const record of records)
        if (!senders.has(record.senderId)) senders.set(record.senderId, await senderOf(record, this.#context.store));
    return senders;
  }
}
