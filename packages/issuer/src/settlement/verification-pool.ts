import { availableParallelism } from "node:os";
import { Worker } from "node:worker_threads";
import type { SignatureToVerify } from "@cairn/cose";
import { openSignatureBatches } from "@cairn/cose/node";
import type { SignatureChecker } from "./context.ts";
import { buffersOf, packJob, type VerificationAnswer } from "./verification-job.ts";
import { VerificationLanes } from "./verification-lanes.ts";
import type { FoundSignatures } from "./verify-signatures.ts";

type Waiting = { readonly answered: (answer: VerificationAnswer) => void; readonly failed: (error: Error) => void };

/**
 * Verifies signatures on threads of their own, one a core. They start with the first job. A thread that dies fails the
 * jobs that it had, whose records stay in the inbox, and is replaced with the next one.
 */
export class VerificationPool implements SignatureChecker {
  readonly #threads: (VerificationThread | undefined)[];
  readonly #lanes: VerificationLanes;

  /** Of this process as a whole: threads find what the one that starts them finds. */
  readonly takesHints: boolean = openSignatureBatches() !== undefined;

  constructor({ threads = availableParallelism() }: { readonly threads?: number } = {}) {
    this.#threads = new Array<undefined>(threads).fill(undefined);
    this.#lanes = new VerificationLanes(threads);
  }

  async verify(signatures: readonly SignatureToVerify[], bringers: readonly number[]): Promise<FoundSignatures> {
    const areValid = new Array<boolean>(signatures.length).fill(false);
    const wrongHintsOf = new Set<number>();
    await Promise.all(
      this.#lanes.share(signatures).map(async (positions, lane) => {
        if (positions.length === 0) return;
        const asked = positions.map((position) => signatures[position] as SignatureToVerify);
        const by = positions.map((position) => bringers[position] ?? 0);
        const found = await this.#thread(lane).ask(asked, by);
        for (const [index, position] of positions.entries()) areValid[position] = found.areValid[index] === true;
        for (const bringer of found.wrongHintsOf) wrongHintsOf.add(bringer);
      }),
    );
    return { areValid, wrongHintsOf: [...wrongHintsOf] };
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread?.close()));
    this.#threads.fill(undefined);
  }

  #thread(lane: number): VerificationThread {
    const running = this.#threads[lane];
    if (running !== undefined && !running.hasEnded) return running;
    const thread = new VerificationThread();
    this.#threads[lane] = thread;
    return thread;
  }
}

class VerificationThread {
  readonly #worker: Worker;
  readonly #waiting = new Map<number, Waiting>();
  #nextJob = 1;
  hasEnded = false;

  constructor() {
    this.#worker = new Worker(new URL("./verification-thread.ts", import.meta.url), { name: "cairn-verification" });
    // An idle thread keeps no process alive.
    this.#worker.unref();
    this.#worker.on("message", (answer: VerificationAnswer) => {
      this.#waiting.get(answer.jobId)?.answered(answer);
      this.#waiting.delete(answer.jobId);
    });
    this.#worker.on("error", (error) => this.#fail(error instanceof Error ? error : new Error(String(error))));
    this.#worker.on("exit", () => this.#fail(new Error("A verifying thread has ended.")));
  }

  ask(signatures: readonly SignatureToVerify[], bringers: readonly number[]): Promise<FoundSignatures> {
    const job = packJob(this.#nextJob++, signatures, bringers);
    return new Promise((answered, failed) => {
      this.#waiting.set(job.jobId, { answered, failed });
      this.#worker.postMessage(job, buffersOf(job));
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
