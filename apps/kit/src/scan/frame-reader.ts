import type { ReaderAnswer, ReaderFrame } from "./reader-worker.ts";

/** Reads one frame after another in a worker of its own. */
export class FrameReader {
  readonly #worker = new Worker(new URL("./reader-worker.ts", import.meta.url), { type: "module" });
  /** A worker that cannot start says so once, maybe before anything is asked. */
  #failure: string | undefined;

  constructor() {
    this.#worker.onerror = ({ message }) => {
      this.#failure = message || "The code reader could not be started.";
    };
  }

  /** The texts of the codes in a frame, which is used up. Ask one at a time. */
  read(frame: ImageBitmap): Promise<readonly string[]> {
    return new Promise((resolve, reject) => {
      if (this.#failure !== undefined) throw new Error(this.#failure);
      this.#worker.onmessage = ({ data }: MessageEvent<ReaderAnswer>) =>
        "texts" in data ? resolve(data.texts) : reject(new Error(data.failure));
      this.#worker.onerror = ({ message }) => reject(new Error(message));
      const message: ReaderFrame = { frame };
      this.#worker.postMessage(message, [frame]);
    });
  }

  close(): void {
    this.#worker.terminate();
  }
}
