import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { TrustAnchors } from "@cairn/messages";
import type { Sender } from "./context.ts";
import { packJob, unpackAnswer, type VerificationAnswer } from "./verification-transfer.ts";
import type { UploadedRecord, VerifiedRecords } from "./verify-records.ts";

type Waiting = { readonly answered: (answer: VerificationAnswer) => void; readonly failed: (error: Error) => void };

/**
 * Verifies on threads of their own, one a core. They start with the first job. A thread that dies fails the jobs that
 * it had, which stay in the inbox, and is replaced with the next one.
 */
export class VerificationPool {
  readonly #certificateIdKey: Uint8Array;
  readonly #threads: (VerificationThread | undefined)[];

  constructor(input: { readonly certificateIdKey: Uint8Array; readonly threads?: number | undefined }) {
    this.#certificateIdKey = input.certificateIdKey;
    this.#threads = new Array<undefined>(input.threads ?? availableParallelism()).fill(undefined);
  }

  /** How many threads there are at most, and so how many lanes make sense. */
  get size(): number {
    return this.#threads.length;
  }

  /** @param lane Equal lanes share a thread and so its caches: the partition, whose certificates come again and again. */
  async verify<Uploaded extends UploadedRecord>(
    records: readonly Uploaded[],
    context: {
      readonly lane: number;
      readonly anchors: TrustAnchors;
      readonly senderOf: (senderId: string) => Sender | undefined;
    },
  ): Promise<VerifiedRecords<Uploaded>> {
    const at = context.lane % this.#threads.length;
    let thread = this.#threads[at];
    if (thread === undefined || thread.hasEnded) {
      thread = new VerificationThread(this.#certificateIdKey);
      this.#threads[at] = thread;
    }
    return unpackAnswer(await thread.ask(records, context), records);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread?.close()));
    this.#threads.fill(undefined);
  }
}

/** What a job makes is waste by its end: with the default of some megabytes half of it is moved about before it is. */
const YOUNG_MEGABYTES = 32;

class VerificationThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextJob = 1;
  #anchors: TrustAnchors | undefined;
  hasEnded = false;

  constructor(certificateIdKey: Uint8Array) {
    this.#worker = new Worker(new URL("./verification-thread.ts", import.meta.url), {
      workerData: { certificateIdKey: new Uint8Array(certificateIdKey) },
      name: "cairn-verification",
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MEGABYTES },
    });
    // An idle thread keeps no process alive.
    this.#worker.unref();
    this.#worker.on("message", (answer: VerificationAnswer) => {
      this.#waiting.get(answer.jobId)?.answered(answer);
      this.#waiting.delete(answer.jobId);
    });
    this.#worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", () => this.#fail(new Error("A verifying thread has ended.")));
  }

  ask(
    records: readonly UploadedRecord[],
    context: { readonly anchors: TrustAnchors; readonly senderOf: (senderId: string) => Sender | undefined },
  ): Promise<VerificationAnswer> {
    const jobId = this.#nextJob++;
    const anchors = context.anchors === this.#anchors ? undefined : context.anchors;
    this.#anchors = context.anchors;
    const job = packJob(jobId, records, { anchors, senderOf: context.senderOf });
    return new Promise((answered, failed) => {
      this.#waiting.set(jobId, { answered, failed });
      const { bytes, ends, inboxIds, receivedAt, byPayer, senders } = job;
      this.#worker.postMessage(
        job,
        [bytes, ends, inboxIds, receivedAt, byPayer, senders].map(({ buffer }) => buffer),
      );
    });
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #fail(error: Error): void {
    this.hasEnded = true;
    for (const { failed } of this.#waiting.values()) failed(error);
    this.#waiting.clear();
  }
}
